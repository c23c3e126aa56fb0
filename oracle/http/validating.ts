/**
 * Checks requests against the schemas of their routes, and coerces nothing: in a path or a query an integer is its plain
 * decimal digits, and nothing else is. Bytes are `0x…` in lower case; capitals are understood.
 */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";

type Shape = TSchema & {
  type?: string;
  pattern?: string;
  items?: Shape;
  anyOf?: Shape[];
  properties?: Record<string, Shape>;
};

const DECIMAL = /^(0|[1-9]\d{0,15})$/;
const HEX = /^0x[0-9a-f]*$/i;
const LOWER_CASE_HEX = "^0x[0-9a-f]";
const LOWER_CASE_BYTES = "^0x([0-9a-f]";

/** For fastify's `setValidatorCompiler`. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const checker = Compile(schema);
  const read = httpPart === "body" || httpPart === "headers" ? lowered : fromText;
  return (given: unknown) => {
    if (httpPart === "body" && checker.Check(given)) return { value: given };
    const value = read(schema as Shape, given);
    return checker.Check(value) ? { value } : { error: checker.Errors(value) as never };
  };
};

/** Path and query are text: digits become numbers where a number is described. */
function fromText(schema: Shape, given: unknown): unknown {
  if (typeof given !== "object" || given === null) return given;
  const properties = schema.properties ?? {};
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const isNumber = property?.type === "integer" && typeof text === "string" && DECIMAL.test(text);
      return [name, isNumber ? Number(text) : lowered(property, text)];
    }),
  );
}

/** With the bytes in lower case that are described so. */
function lowered(schema: Shape | undefined, given: unknown): unknown {
  if (schema === undefined) return given;
  if (schema.anyOf) return schema.anyOf.reduce((value, either) => lowered(either, value), given);
  if (typeof given === "string") return isBytes(schema) && HEX.test(given) ? given.toLowerCase() : given;
  if (Array.isArray(given)) return given.map((item) => lowered(schema.items, item));
  if (typeof given !== "object" || given === null || !schema.properties) return given;
  const { properties } = schema;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      lowered(Object.hasOwn(properties, name) ? properties[name] : undefined, value),
    ]),
  );
}

const isBytes = ({ pattern }: Shape): boolean =>
  pattern !== undefined && (pattern.startsWith(LOWER_CASE_HEX) || pattern.startsWith(LOWER_CASE_BYTES));
