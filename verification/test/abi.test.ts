import assert from "node:assert/strict";
import {
  type AbiEvent,
  type AbiFunction,
  encodeAbiParameters,
  encodeFunctionData,
  toEventSelector,
  toFunctionSelector,
  toHex,
} from "viem";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { fromHex } from "../../protocol/index.ts";
import { callVerifyReading, SELECTOR, TOPIC, textOf, wordsOf } from "../chain/abi.ts";

type Item = { type: string; name?: string };
type Kind = { function: AbiFunction; event: AbiEvent };

const itemOf = <K extends keyof Kind>(abi: readonly Item[], type: K, name: string): Kind[K] =>
  abi.find((item) => item.type === type && item.name === name) as Kind[K];

const typesOf = (parameters: readonly { type: string }[]): string[] => parameters.map(({ type }) => type);

const ON_REGISTRY = ["wattWitness", "headDomain", "MeterRegistered", "KeyRotated"];
const ON_TOKEN = ["totalSupply", "totalRetired", "retirements", "retirement", "Transfer", "Retired"];
const abiWith = (name: string): readonly Item[] =>
  ON_TOKEN.includes(name) ? productionTokenAbi : ON_REGISTRY.includes(name) ? meterRegistryAbi : wattWitnessAbi;

/** What is read of each, by position. */
const OUTPUTS: Record<keyof typeof SELECTOR, string[]> = {
  wattWitness: ["address"],
  headDomain: ["bytes32"],
  registry: ["address"],
  meterOf: ["bytes32"],
  intervalOf: ["uint32", "uint32"],
  termsOf: ["address", "uint32", "uint8", "uint8", "uint32", "bool", "bool"],
  logOf: ["uint64", "bytes32"],
  verifyReading: ["bool"],
  attestationOf: ["address", "uint48"],
  token: ["address"],
  totalSupply: ["uint256"],
  totalRetired: ["uint256"],
  retirements: ["uint256"],
  retirement: ["uint256", "address", "uint40", "uint256", "address", "string", "string"],
};
const FIELDS: Partial<Record<keyof typeof SELECTOR, string[]>> = {
  termsOf: ["payee", "capacity", "source", "status", "since", "rotatedIn", "raised"],
  retirement: ["serial", "from", "retiredAt", "amount", "beneficiary", "name", "purpose"],
};

const EVENTS: Record<keyof typeof TOPIC, { indexed: string[]; words: string[] }> = {
  Settled: {
    indexed: ["meter", "keyId", "attestation"],
    words: ["payee", "epoch", "fromSize", "size", "timestamp", "energy", "produced", "root"],
  },
  Begun: { indexed: ["keyId"], words: ["epoch", "size", "timestamp", "energy", "root"] },
  MeterRegistered: { indexed: ["meter", "owner"], words: ["x", "y", "capacity", "source", "details"] },
  KeyRotated: { indexed: ["meter", "keyId", "previousKeyId"], words: ["x", "y"] },
  Attested: { indexed: ["root", "attestor"], words: [] },
  Transfer: { indexed: ["from", "to"], words: ["value"] },
  Retired: { indexed: ["serial", "from", "beneficiary"], words: ["amount", "name", "purpose"] },
};

describe("the contracts' words, written here by hand", () => {
  for (const [name, selector] of Object.entries(SELECTOR)) {
    it(`are those of ${name}`, () => {
      const item = itemOf(abiWith(name), "function", name);
      assert.equal(toFunctionSelector(item), selector);
      const [output] = item.outputs as [{ type: string; components?: { type: string; name: string }[] }];
      const outputs = output.components ?? item.outputs;
      assert.deepEqual(typesOf(outputs), OUTPUTS[name as keyof typeof SELECTOR]);
      const names = output.components?.map((part) => part.name);
      assert.deepEqual(names, FIELDS[name as keyof typeof SELECTOR]);
    });
  }

  for (const [name, topic] of Object.entries(TOPIC)) {
    it(`are those of the event ${name}`, () => {
      const item = itemOf(abiWith(name), "event", name);
      assert.equal(toEventSelector(item), topic);
      const { indexed, words } = EVENTS[name as keyof typeof TOPIC];
      const namesOf = (isIndexed: boolean) =>
        item.inputs.filter((input) => (input.indexed ?? false) === isIndexed).map((input) => input.name);
      assert.deepEqual([namesOf(true), namesOf(false)], [indexed, words]);
      const placed = typesOf(item.inputs).filter((type) => /\[|string|^bytes$|tuple/.test(type));
      assert.deepEqual(placed, name === "Retired" ? ["string", "string"] : []);
    });
  }

  it("give back texts of any length, and none where they are cut or lie elsewhere", () => {
    for (const text of ["", "Grüße", "x".repeat(32), "長".repeat(1000)]) {
      const bytes = fromHex(encodeAbiParameters([{ type: "uint8" }, { type: "string" }], [1, text]));
      assert.equal(textOf(wordsOf(bytes) as Uint8Array[], 1), text);
      if (text !== "") assert.equal(textOf(wordsOf(bytes.slice(0, -32)) as Uint8Array[], 1), undefined);
      assert.equal(textOf(wordsOf(bytes) as Uint8Array[], 0), undefined);
    }
  });

  it("ask about a reading as a general coder does, with proofs of any length", () => {
    for (const length of [0, 1, 40]) {
      const [keyId, reading] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
      const proof = Array.from({ length }, (_, i) => new Uint8Array(32).fill(i));
      const placed = { index: 2n ** 39n, reading: toHex(reading), proof: proof.map((hash) => toHex(hash)) };
      assert.equal(
        callVerifyReading(keyId, 0xffff_ffff, { index: 2 ** 39, reading, proof }),
        encodeFunctionData({
          ...{ abi: wattWitnessAbi, functionName: "verifyReading", args: [toHex(keyId), 0xffff_ffff, placed] },
        }),
      );
    }
  });
});
