/** What WattWitness.proveEquivocation takes, as it is told in JSON: see IWattWitness.Equivocation for what each field means. */
import { encodeFunctionData, type Hex } from "viem";
import { type Hash, type Head, toHex } from "../protocol/index.ts";
import { wattWitnessAbi } from "./abi.ts";
import { headParts, hexes, publicKeyParts, signatureParts } from "./settlement.ts";

type ToldHead = { epoch: number; size: number; reading: Hex; root: Hex };
type PlacedReading = { index: number; reading: Hex; proof: Hex[] };

export type Equivocation = {
  key: { x: Hex; y: Hex };
  first: ToldHead;
  firstSignature: { r: Hex; s: Hex };
  second: ToldHead;
  secondSignature: { r: Hex; s: Hex };
  one: PlacedReading;
  other: PlacedReading;
};

/** A head that was signed, and what it says of a reading, with the proof that this is in its log. */
export type Story = { head: Head; signature: Uint8Array; reading: Uint8Array; proof: readonly Hash[] };

/** Two stories of one log, which differ in reading `index`; the smaller one first. `publicKey` is x ‖ y. */
export function equivocationOf(publicKey: Uint8Array, index: number, stories: readonly [Story, Story]): Equivocation {
  const [first, second] = [...stories].sort((a, b) => a.head.size - b.head.size) as [Story, Story];
  return {
    key: publicKeyParts(publicKey),
    first: toldHead(first.head),
    firstSignature: signatureParts(first.signature),
    second: toldHead(second.head),
    secondSignature: signatureParts(second.signature),
    one: placedIn(first, index),
    other: placedIn(second, index),
  };
}

/** The call of proveEquivocation. */
export function encodeEquivocation({ first, second, one, other, ...signed }: Equivocation): Hex {
  const evidence = {
    ...signed,
    first: { ...first, size: BigInt(first.size) },
    second: { ...second, size: BigInt(second.size) },
    one: { ...one, index: BigInt(one.index) },
    other: { ...other, index: BigInt(other.index) },
  };
  return encodeFunctionData({ abi: wattWitnessAbi, functionName: "proveEquivocation", args: [evidence] });
}

const toldHead = (head: Head): ToldHead => ({ ...headParts(head), size: head.size });

const placedIn = ({ reading, proof }: Story, index: number): PlacedReading => ({
  ...{ index, reading: toHex(reading), proof: hexes(proof) },
});
