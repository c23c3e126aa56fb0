/** What a Shelly's own answer says of who it is: Gen1 has its MAC at the top, Gen2 in `sys`. */

/** bytes of an answer, decoded, that anybody looks at */
const LIMIT = 16_384;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAC = /^[0-9A-F]{12}$/;

/** The 12 hexadecimal digits of its MAC, in capitals as a Shelly writes them; undefined where there is none to read. */
export function macIn(payload: string): string | undefined {
  if (payload.length > (LIMIT * 4) / 3 || !BASE64.test(payload)) return undefined;
  const answer = parsed(Buffer.from(payload, "base64").toString("utf8"));
  const mac = fieldOf(answer, "mac") ?? fieldOf(fieldOf(answer, "sys"), "mac");
  if (typeof mac !== "string") return undefined;
  const digits = mac.replaceAll(":", "").toUpperCase();
  return MAC.test(digits) ? digits : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
