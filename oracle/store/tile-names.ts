/** Names of tiles, as c2sp.org/tlog-tiles writes them: an index in groups of three digits, all but the last with an `x`. */

export function tileName(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) as string[];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
}
