/**
 * A QR code (ISO/IEC 18004) by hand, because a general coder weighs four times as much: always of version 6, which has 41
 * modules a side and room for any link of ours, level L, mask 0. The tests hold it to a general coder.
 */

export const SIDE = 41;
/** bytes of text */
export const ROOM = 134;

/** Codewords of data in each of two blocks, and those that repair it. */
const DATA = 68;
const REPAIR = 18;
/** level L and mask 0 with their check bits, as the two strips beside the finders say them */
const FORMAT = 0x77c4;

/** Whether each module is dark, row by row; undefined where the text is too long. */
export function qrOf(text: string): boolean[] | undefined {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > ROOM) return undefined;
  const codewords = codewordsOf(bytes);
  const dark: boolean[] = Array.from({ length: SIDE * SIDE }, (_, i) => fixed(i % SIDE, Math.floor(i / SIDE)) === 1);
  let bit = 0;
  // in pairs of columns from the right, upward and downward in turn, around the column of the timing pattern
  for (let pair = SIDE - 1; pair > 0; pair -= pair === 8 ? 3 : 2) {
    for (let step = 0; step < SIDE; step++) {
      for (const x of [pair, pair - 1]) {
        const y = (pair > 6 ? pair : pair + 1) & 2 ? step : SIDE - 1 - step;
        if (fixed(x, y) !== undefined) continue;
        const isSet = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        dark[y * SIDE + x] = isSet !== ((x + y) % 2 === 0);
        bit += 1;
      }
    }
  }
  return dark;
}

/** Of a module that is the same whatever the text: 1 = dark; undefined = it is the text's. */
function fixed(x: number, y: number): number | undefined {
  const end = SIDE - 1;
  for (const [left, top] of [
    [0, 0],
    [end - 6, 0],
    [0, end - 6],
  ] as const) {
    const ring = Math.max(Math.abs(x - left - 3), Math.abs(y - top - 3));
    if (ring <= 4) return ring === 2 || ring === 4 ? 0 : 1;
  }
  const ring = Math.max(Math.abs(x - end + 6), Math.abs(y - end + 6));
  if (ring <= 2) return (ring + 1) & 1;
  const format = (i: number) => (FORMAT >> i) & 1;
  if (x === 8 && y === end - 7) return 1;
  if (x === 8 && (y < 9 || y > end - 8) && y !== 6) return format(y < 6 ? y : y < 9 ? y - 1 : y - end + 14);
  if (y === 8 && (x < 8 || x > end - 8) && x !== 6) return format(x > 8 ? end - x : x === 7 ? 8 : 14 - x);
  if (x === 6 || y === 6) return (x + y + 1) & 1;
  return undefined;
}

/** A byte's mode and length, the bytes, what fills the rest; then what repairs them, of both blocks in turn. */
function codewordsOf(bytes: Uint8Array): number[] {
  const hex = [...[bytes.length], ...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const full = `4${hex}0`.padEnd(4 * DATA, "ec11");
  const data = Array.from({ length: 2 * DATA }, (_, i) => Number.parseInt(full.slice(2 * i, 2 * i + 2), 16));
  const blocks = [data.slice(0, DATA), data.slice(DATA)];
  const inTurn = (lists: readonly number[][]) => (lists[0] as number[]).flatMap((_, i) => lists.map((list) => list[i]));
  return [...inTurn(blocks), ...inTurn(blocks.map(repairOf))] as number[];
}

/** In the field of 256 elements by x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = (product << 1) ^ (product & 0x80 ? 0x11d : 0) ^ ((b >> bit) & 1 ? a : 0);
  return product;
}

/** Reed-Solomon: what remains of the block divided by (x - 1)(x - 2)(x - 4)…, of as many as repair it. */
function repairOf(block: readonly number[]): number[] {
  let divisor = [1];
  for (let i = 0, root = 1; i < REPAIR; i++, root = times(root, 2)) {
    divisor = [...divisor, 0].map((term, at) => term ^ times(divisor[at - 1] ?? 0, root));
  }
  const rest = [...block, ...Array<number>(REPAIR).fill(0)];
  for (let at = 0; at < block.length; at++) {
    const factor = rest[at] as number;
    divisor.forEach((term, i) => {
      rest[at + i] = (rest[at + i] as number) ^ times(term, factor);
    });
  }
  return rest.slice(block.length);
}
