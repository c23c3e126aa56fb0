/** From a cell to a quantity, exactly: a decimal is never a float on its way. */
import { quote, type Trouble, trouble } from "./trouble.ts";

/** How the file writes its numbers; `unclear` where its thousands could be its decimals. */
export type NumberStyle = "decimal point" | "decimal comma" | "unclear";

const MISSING = new Set("|-|--|n/a|na|#n/a|#nv|nan|null|none|nil|unavailable|unknown|undefined|?".split("|"));
const GROUP = "[ '’\u00a0\u202f]";
const NUMBER = new RegExp(`^[+−-]?(\\d[\\d.,]*|[.,]\\d+|\\d{1,3}(${GROUP}\\d{3})+([.,]\\d+)?)(e[+-]?\\d{1,2})?$`, "i");
/** The unit that a cell carries with it, as pvoutput's do. */
const WITH_UNIT = /^(.*\d) ?([kMm]?Wh?)$/;

/** A cell that says that there is no value. */
export const isMissing = (text: string): boolean => MISSING.has(text.toLowerCase());

export const splitUnit = (text: string): [number: string, unit: string | undefined] => {
  const [, number, unit] = WITH_UNIT.exec(text) ?? [];
  return number === undefined ? [text, undefined] : [number, unit];
};

export const looksLikeNumber = (text: string): boolean => NUMBER.test(splitUnit(text)[0]);

/**
 * What `values`, the cells to be read, show; where they show nothing, what `others` of the same file do. A comma
 * separates columns where `byComma`.
 */
export function numberStyleOf(values: readonly string[], others: readonly string[], byComma: boolean): NumberStyle {
  const seen = evidenceIn(values);
  for (const { comma, point } of [seen, evidenceIn(others)]) {
    if (comma && point) return "unclear";
    if (comma) return "decimal comma";
    if (point) return "decimal point";
  }
  if (seen.threeAfterComma > 0) return byComma || seen.unsigned > 0 ? "unclear" : "decimal comma";
  return seen.threeAfterPoint > 0 && seen.hundreds > 0 ? "unclear" : "decimal point";
}

/** Commas and points that can only be the decimal sign, and how many that could be either. */
function evidenceIn(cells: readonly string[]) {
  const seen = { comma: false, point: false, threeAfterComma: 0, threeAfterPoint: 0, unsigned: 0, hundreds: 0 };
  for (const cell of cells) {
    const [, whole, sign, fraction] = /^[+−-]?([\d.,]*?)([.,]?)(\d*)$/.exec(splitUnit(cell)[0]) ?? [];
    if (whole === undefined) continue;
    if (sign === "") {
      if (Number(fraction) >= 1) seen.unsigned += 1;
      if (/^[1-9]\d\d$/.test(fraction as string)) seen.hundreds += 1;
    } else if (/[.,]/.test(whole)) {
      const other = /[.,]/.exec(whole)?.[0];
      const decimal = other === sign ? (sign === "," ? "." : ",") : sign;
      seen[decimal === "," ? "comma" : "point"] = true;
    } else if (/^[1-9]\d{0,2}$/.test(whole) && fraction?.length === 3) {
      seen[sign === "," ? "threeAfterComma" : "threeAfterPoint"] += 1;
    } else seen[sign === "," ? "comma" : "point"] = true;
  }
  return seen;
}

const GROUPED = {
  ",": new RegExp(`^\\d{1,3}((,|${GROUP})\\d{3})+$`),
  ".": new RegExp(`^\\d{1,3}((\\.|${GROUP})\\d{3})+$`),
};

/** `perUnit` times what the cell says, to the nearest whole. */
export function parseQuantity(cell: string, style: NumberStyle, perUnit: bigint): bigint | Trouble {
  const [number] = splitUnit(cell);
  if (style === "unclear" && /[.,]/.test(number)) {
    return trouble(`${quote(cell)} may have a decimal sign or a thousands separator: save it without the latter`);
  }
  const [decimal, thousands] = style === "decimal comma" ? ([",", "."] as const) : ([".", ","] as const);
  const match = /^([+−-]?)([^e]*)(?:e([+-]?\d{1,2}))?$/i.exec(number);
  const [whole = "", fraction = "", ...more] = (match?.[2] ?? "").split(decimal);
  const digits = GROUPED[thousands].test(whole) ? whole.replace(/\D/g, "") : whole;
  if (!match || more.length > 0 || !/^\d+$/.test(digits + fraction)) return trouble(`${quote(cell)} is no number`);
  const exponent = Number(match[3] ?? 0) - fraction.length;
  const scaled = BigInt(digits + fraction) * perUnit * (exponent > 0 ? 10n ** BigInt(exponent) : 1n);
  const divisor = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  const magnitude = divisor === 1n ? scaled : (2n * scaled + divisor) / (2n * divisor);
  return match[1] === "" || match[1] === "+" ? magnitude : -magnitude;
}
