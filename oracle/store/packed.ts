/** Bytes that grow at their end: many equal parts in one piece of memory. */
export type Packed = { bytes: Buffer; length: number };

export const emptyPacked = (): Packed => ({ bytes: Buffer.alloc(0), length: 0 });

export function push(packed: Packed, more: Uint8Array): void {
  const length = packed.length + more.length;
  if (length > packed.bytes.length) {
    const larger = Buffer.alloc(Math.max(length, 2 * packed.bytes.length));
    larger.set(contentOf(packed));
    packed.bytes = larger;
  }
  packed.bytes.set(more, packed.length);
  packed.length = length;
}

/** A view, good until the next change. */
export const contentOf = ({ bytes, length }: Packed): Buffer => bytes.subarray(0, length);

/** Part `index` of packed parts of `length` bytes, as a copy that stays. */
export const partOf = (bytes: Uint8Array, index: number, length = 32): Uint8Array =>
  new Uint8Array(bytes.subarray(index * length, (index + 1) * length));
