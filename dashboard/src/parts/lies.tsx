/** What a server could say instead of the truth. Whoever chooses one sees what becomes of it here. */
import { u32, u64 } from "../../../protocol/bytes.ts";
import { energyOf, timestampOf } from "../../../protocol/reading.ts";
import type { ReadingProof } from "../../../verification/index.ts";
import { strings } from "../strings/index.ts";

const KWH = 1_000_000n; // mWh
const HOUR = 3600;

/** Where time and energy stand in a reading. */
const [TIME, ENERGY] = [0, 4];

function withBytes(bytes: Uint8Array, at: number, more: Uint8Array): Uint8Array {
  const changed = new Uint8Array(bytes);
  changed.set(more, at);
  return changed;
}

/** With one other bit, the last. */
const flipped = (bytes: Uint8Array): Uint8Array =>
  withBytes(bytes, bytes.length - 1, Uint8Array.of((bytes.at(-1) as number) ^ 1));

/** A reading is told in two places where it is the last under the signature. */
const withReading = (proof: ReadingProof, reading: Uint8Array): ReadingProof => {
  const isLast = proof.index === proof.signed.size - 1;
  return { ...proof, reading, signed: { ...proof.signed, ...(isLast && { reading }) } };
};

export const LIES = {
  energy: (proof) => withReading(proof, withBytes(proof.reading, ENERGY, u64(energyOf(proof.reading) + KWH))),
  time: (proof) => withReading(proof, withBytes(proof.reading, TIME, u32(timestampOf(proof.reading) + HOUR))),
  root: (proof) => ({ ...proof, signed: { ...proof.signed, root: flipped(proof.signed.root) } }),
  signature: (proof) => ({ ...proof, signed: { ...proof.signed, signature: flipped(proof.signed.signature) } }),
} as const satisfies Record<string, (proof: ReadingProof) => ReadingProof>;

export type Lie = keyof typeof LIES;

export function Lies({ chosen, choose }: { chosen: Lie | undefined; choose: (lie: Lie | undefined) => void }) {
  const { lies: words } = strings.value.proof;
  const options = [undefined, ...(Object.keys(LIES) as Lie[])];
  return (
    <section class="card lies" aria-labelledby="lies">
      <h2 id="lies">{words.title}</h2>
      <p class="note">{words.text}</p>
      <fieldset class="frames">
        <legend class="hidden">{words.title}</legend>
        {options.map((lie) => (
          <label key={lie}>
            <input type="radio" name="lie" checked={lie === chosen} onChange={() => choose(lie)} />
            <span>{words.of[lie ?? "none"]}</span>
          </label>
        ))}
      </fieldset>
    </section>
  );
}
