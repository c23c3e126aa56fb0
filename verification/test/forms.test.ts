import assert from "node:assert/strict";
import { fromHex, ORDER, toHex } from "../../protocol/index.ts";
import {
  proofFile,
  proofFrom,
  proofFromText,
  type ReadingProof,
  type StepName,
  type Verdict,
  verifyEnergy,
  verifyReading,
} from "../index.ts";
import { changed } from "./changing.ts";
import { PLACE, PUBLIC_KEY, readings, type SampleOptions, sample } from "./sample.ts";
import { parsed } from "./world.ts";

const problemOf = (json: unknown): string | undefined => {
  const proof = proofFrom(json);
  return proof.ok ? undefined : proof.problem;
};

describe("a proof of a reading, as it is handed over", () => {
  const mark = {
    ...{ epoch: 1, fromSize: 0, size: 21, root: `0x${"11".repeat(32)}`, produced: "17", block: 3, confirmed: true },
    transaction: `0x${"22".repeat(32)}`,
  };
  const settled = { size: 21, root: `0x${"11".repeat(32)}`, proof: [], mark };
  const served = { ...sample(), settled };

  const refusals: [string, unknown, string][] = [
    ["no object", [], "a proof must be an object"],
    ["nothing", null, "a proof must be an object"],
    ["a field that is missing", changed(served, ["reading"], () => undefined), "reading is missing"],
    ["a field that is missing inside", changed(served, ["signed", "root"], () => undefined), "signed.root is missing"],
    ["a field that it does not have", { ...served, colour: "red" }, "colour is no field of a proof"],
    [
      "a field that it does not have inside",
      changed(served, ["settled", "mark", "fee"], () => 1),
      "settled.mark.fee is no field of a proof",
    ],
    [
      "bytes in upper case",
      changed(served, ["reading"], (hex) => `0x${(hex as string).slice(2).toUpperCase()}`),
      "reading must be 32 bytes as 0x and 64 digits in lower case",
    ],
    [
      "a hash of another length",
      changed(served, ["signed", "proof", 0], () => "0x11"),
      "signed.proof[0] must be 32 bytes as 0x and 64 digits in lower case",
    ],
    [
      "a proof of more hashes than any log has levels",
      changed(served, ["signed", "proof"], () => new Array(41).fill(mark.root)),
      "signed.proof must be a list of at most 40",
    ],
    ["an index below 0", { ...served, index: -1 }, "index must be a whole number from 0 to 9007199254740991"],
    ["an index that is a text", { ...served, index: "5" }, "index must be a whole number from 0 to 9007199254740991"],
    ["an epoch of 2^32", { ...served, epoch: 2 ** 32 }, "epoch must be a whole number from 0 to 4294967295"],
    [
      "an energy that is a number",
      changed(served, ["settled", "mark", "produced"], () => 17),
      "settled.mark.produced must be mWh as a decimal text",
    ],
    [
      "an energy written in two ways",
      changed(served, ["settled", "mark", "produced"], () => "017"),
      "settled.mark.produced must be mWh as a decimal text",
    ],
    [
      "another truth than two",
      changed(served, ["settled", "mark", "confirmed"], () => 1),
      "settled.mark.confirmed must be true or false",
    ],
    ["a registry that is no address", { ...served, registry: "0x1" }, "registry must be an address"],
    ["a file of another version", { ...served, format: "WattWitness/2 proof" }, 'format must be "WattWitness/1 proof"'],
  ];
  for (const [name, json, problem] of refusals) {
    it(`refuses ${name}`, () => {
      assert.equal(problemOf(json), problem);
    });
  }

  it("is taken as it is served", () => {
    assert.equal(problemOf(served), undefined);
    assert.equal(problemOf({ ...served, watt_witness: null }), undefined);
  });
});

describe("a proof as a file", () => {
  const file = proofFile(parsed(sample()), PLACE, PUBLIC_KEY);
  const fromText = (text: string) => {
    const proof = proofFromText(text);
    return proof.ok ? proof.value : proof.problem;
  };

  it("is not made with another key than the key id names", () => {
    assert.throws(
      () => proofFile(parsed(sample()), PLACE, PUBLIC_KEY.slice().reverse()),
      /not the one that the key id/,
    );
  });

  it("is refused where it is no JSON, or larger than any proof", () => {
    assert.equal(fromText("<html>"), "this is neither JSON nor a .tlog-proof");
    assert.equal(fromText(`${file}${" ".repeat(65_536)}`), "a proof has at most 65536 characters");
  });

  it("gives back what it was made of, and is then the same file", () => {
    const proof = fromText(file) as ReadingProof;
    const { publicKey, chainId, registry, ...rest } = proof;
    assert.deepEqual({ ...rest, publicKey }, parsed(sample()));
    assert.deepEqual({ chainId, registry }, PLACE);
    assert.equal(proofFile(proof, PLACE, publicKey as Uint8Array), file);
  });

  it("is never a pass offline, however right it is: the chain is missing", async () => {
    const { verdict, steps } = await verifyReading(fromText(file) as ReadingProof, { place: PLACE });
    assert.equal(verdict.is, "cannot tell");
    assert.deepEqual("missing" in verdict && verdict.missing, ["chain"]);
    const held = steps.filter(({ state }) => state === "holds").map(({ name }) => name);
    assert.deepEqual(held, ["reading", "leaf", "root", "key", "signature"]);
  });

  it("says what the reading says", async () => {
    const { steps } = await verifyReading(fromText(file) as ReadingProof, { place: PLACE });
    assert.deepEqual(steps[0]?.facts, {
      ...{ timestamp: 1_773_997_500, energy: "250000", power: "3000000", voltage: 230_100, temperature: -250 },
      ...{ channel: 0, register: "export", conditions: ["drifting", "invalid"] },
    });
  });
});

describe("a proof, before any chain is asked", () => {
  const at = async (served: ReturnType<typeof sample>, place = PLACE): Promise<Verdict> =>
    (await verifyReading(parsed(served), { place })).verdict;
  const refutedAt = (step: StepName, rule: string) => (verdict: Verdict) => {
    assert.deepEqual(verdict.is === "refuted" ? [verdict.step, verdict.why.rule] : verdict, [step, rule]);
  };
  const made = (options: SampleOptions) => at(sample(options));

  it("is refuted for a reading with reserved bits", async () => {
    const log = readings(21);
    (log[5] as Uint8Array)[30] = 0x80;
    refutedAt("reading", "reserved bits")(await made({ log }));
  });

  it("is refuted for a place beyond the log", async () => {
    refutedAt("root", "size out of range")(await at({ ...sample(), index: 21 }));
  });

  it("is refuted where the key is no point of the curve", async () => {
    const publicKey = new Uint8Array(64).fill(1);
    const keyId = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)));
    refutedAt("signature", "bad key")(await at({ ...sample(), keyId, public_key: toHex(publicKey) }));
  });

  it("is refuted for the other form of the signature", async () => {
    const twin = changed(sample(), ["signed", "signature"], (hex) => {
      const [r, s] = [(hex as string).slice(2, 66), BigInt(`0x${(hex as string).slice(66)}`)];
      return `0x${r}${(ORDER - s).toString(16).padStart(64, "0")}`;
    });
    refutedAt("signature", "high s")(await at(twin));
  });

  it("is refuted where the device signed it for another chain or registry", async () => {
    refutedAt("signature", "bad signature")(await made({ place: { ...PLACE, chainId: 1 } }));
    refutedAt("signature", "bad signature")(await made({ place: { ...PLACE, registry: `0x${"60".repeat(20)}` } }));
  });

  it("is refuted where it says that it is for another chain or registry", async () => {
    refutedAt("signature", "other place")(await at({ ...sample(), chain_id: 1 }));
    refutedAt("signature", "other place")(await at({ ...sample(), registry: `0x${"60".repeat(20)}` }));
    refutedAt("signature", "wrong domain")(await at({ ...sample(), head_domain: `0x${"60".repeat(32)}` }));
  });

  it("is refuted where the head ends with another reading than its log", async () => {
    const last = readings(22)[21] as Uint8Array;
    refutedAt("signature", "other last reading")(await made({ last, index: 20 }));
  });

  it("cannot be told where nobody says the public key", async () => {
    const verdict = await at(changed(sample(), ["public_key"], () => undefined));
    assert.deepEqual(verdict.is === "cannot tell" && verdict.missing, ["key", "chain"]);
    assert.equal(verdict.is === "cannot tell" && verdict.why.rule, "no public key");
  });

  it("is of a log of one reading as well, and of the last of a log", async () => {
    for (const options of [{ log: readings(1), index: 0 }, { index: 20 }]) {
      assert.equal((await made(options)).is, "cannot tell");
    }
  });

  describe("as an energy", () => {
    const between = async (start: SampleOptions, end: SampleOptions) => {
      const proofs = [parsed(sample(start)), parsed(sample(end))] as const;
      const { verdict } = await verifyEnergy(...proofs, { place: PLACE });
      return "why" in verdict ? [verdict.is, verdict.of, verdict.why.rule] : verdict;
    };

    it("is refuted by either of its readings", async () => {
      const elsewhere = { place: { ...PLACE, chainId: 1 } };
      assert.deepEqual(await between(elsewhere, { index: 9 }), ["refuted", "start", "bad signature"]);
      assert.deepEqual(await between({}, { ...elsewhere, index: 9 }), ["refuted", "end", "bad signature"]);
    });

    it("is refuted across two logs", async () => {
      const privateKey = new Uint8Array(32).fill(8);
      assert.deepEqual(await between({}, { privateKey, index: 9 }), ["refuted", "both", "other log"]);
    });

    it("is refuted backward", async () => {
      assert.deepEqual(await between({ index: 9 }, {}), ["refuted", "both", "time not forward"]);
      const log = readings(21);
      (log[9] as Uint8Array).set(fromHex("0000000000000001"), 4);
      assert.deepEqual(await between({ log }, { log, index: 9 }), ["refuted", "both", "energy backward"]);
      const stopped = readings(21);
      (stopped[9] as Uint8Array).set((stopped[5] as Uint8Array).subarray(0, 4));
      assert.deepEqual(await between({ log: stopped }, { log: stopped, index: 9 }), [
        ...["refuted", "both", "time not forward"],
      ]);
    });

    it("cannot be told offline", async () => {
      assert.deepEqual(await between({}, { index: 9 }), ["cannot tell", "start", "no chain"]);
    });
  });
});
