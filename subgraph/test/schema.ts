/** schema.graphql, read line by line: it has one description, field or value a line. */
import { readFileSync } from "node:fs";

export const SCHEMA_FILE = new URL("../schema.graphql", import.meta.url);

export type Field = {
  name: string;
  description: string | undefined;
  /** of one value: without [], ! */
  type: string;
  list: boolean;
  required: boolean;
  /** the field on the other side that it is the reverse of */
  derivedFrom: string | undefined;
};

export type Entity = {
  name: string;
  description: string | undefined;
  /** undefined = it does not say */
  immutable: boolean | undefined;
  /** by name, in the schema's order */
  fields: Map<string, Field>;
};

export type Enum = {
  name: string;
  description: string | undefined;
  values: { name: string; description: string | undefined }[];
};

export type Schema = { entities: Map<string, Entity>; enums: Map<string, Enum> };

const DESCRIPTION = /^"(.*)"$/;
const ENUM = /^enum (\w+) \{$/;
const ENTITY = /^type (\w+) @entity(?:\(immutable: (true|false)\))? \{$/;
const FIELD = /^(\w+): (\[?)(\w+)(!?\])?(!?)(?: @derivedFrom\(field: "(\w+)"\))?$/;
const VALUE = /^([A-Z_]+)$/;

/** Throws on a line that it cannot read: then it is no longer as simple as that. */
export function readSchema(file: URL = SCHEMA_FILE): Schema {
  const schema: Schema = { entities: new Map(), enums: new Map() };
  let description: string | undefined;
  let entity: Entity | undefined;
  let values: Enum["values"] | undefined;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const text = line.trim();
    if (!text || text.startsWith("#")) continue;
    const described = DESCRIPTION.exec(text);
    if (described) {
      description = described[1];
      continue;
    }
    const [, enumName] = ENUM.exec(text) ?? [];
    const [, entityName, immutable] = ENTITY.exec(text) ?? [];
    const [, fieldName, list, type, , required, derivedFrom] = FIELD.exec(text) ?? [];
    const [, value] = VALUE.exec(text) ?? [];
    if (text === "}") {
      entity = undefined;
      values = undefined;
    } else if (enumName) {
      values = [];
      schema.enums.set(enumName, { name: enumName, description, values });
    } else if (entityName) {
      entity = {
        name: entityName,
        description,
        immutable: immutable === undefined ? undefined : immutable === "true",
        fields: new Map(),
      };
      schema.entities.set(entityName, entity);
    } else if (entity && fieldName && type) {
      const field = { name: fieldName, description, type, list: list === "[", required: required === "!", derivedFrom };
      entity.fields.set(fieldName, field);
    } else if (values && value) {
      values.push({ name: value, description });
    } else {
      throw new Error(`schema.graphql has a line that is not read: ${text}`);
    }
    description = undefined;
  }
  return schema;
}
