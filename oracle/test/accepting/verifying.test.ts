import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  fromHex,
  generatePrivateKey,
  HEAD_LENGTH,
  normaliseS,
  ORDER,
  publicKeyOf,
  sign,
  verify,
} from "../../../protocol/index.ts";
import { createVerifying, type VerifyHead } from "../../accepting/verifying.ts";

const word = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, "0"));
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
/** What P-256 is over. */
const FIELD = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;

type Judged = Parameters<VerifyHead>;

function signed(): { judged: Judged; privateKey: Uint8Array } {
  const privateKey = generatePrivateKey();
  const head = new Uint8Array(randomBytes(HEAD_LENGTH));
  return { judged: [head, sign(head, privateKey), publicKeyOf(privateKey)], privateKey };
}

describe("the oracle's verification of heads", () => {
  const verifyHead = createVerifying();
  const saysAsTheProtocol = async (all: Judged[]) => {
    const [ours, protocols] = await Promise.all([
      Promise.all(all.map((judged) => verifyHead(...judged))),
      Promise.all(all.map((judged) => verify(...judged))),
    ]);
    assert.deepEqual(ours, protocols);
    return ours;
  };

  it("refuses what the protocol refuses, by the same word: r and s that are none", async () => {
    const { judged } = signed();
    const [head, signature, publicKey] = judged;
    const odd = [0n, 1n, ORDER >> 1n, ORDER - 1n, ORDER, ORDER + 1n, FIELD, 2n ** 256n - 1n].map(word);
    const [r, s] = [signature.slice(0, 32), signature.slice(32)];
    const halves = [...odd.map((other) => [r, other]), ...odd.map((other) => [other, s])];
    for (const one of odd) for (const other of odd) halves.push([one, other]);
    const words = await saysAsTheProtocol(halves.map((parts) => [head, join(...parts), publicKey]));
    assert.ok(words.every(({ ok }) => !ok));
  });

  it("… keys that are no point of the curve", async () => {
    const { judged } = signed();
    const [head, signature, publicKey] = judged;
    const [x, y] = [publicKey.slice(0, 32), publicKey.slice(32)];
    const odd = [0n, 1n, FIELD - 1n, FIELD, FIELD + 1n, 2n ** 256n - 1n].map(word);
    const others = [...odd.map((other) => join(x, other)), ...odd.map((other) => join(other, y)), join(y, x)];
    const words = await saysAsTheProtocol(others.map((other) => [head, signature, other]));
    for (const told of words) assert.deepEqual(told, { ok: false, failure: "bad key" });
  });

  it("… lengths that are none, the high one of two forms, another's signature, and every bit that is another", async () => {
    const { judged, privateKey } = signed();
    const [head, signature, publicKey] = judged;
    const s = BigInt(`0x${Buffer.from(signature.slice(32)).toString("hex")}`);
    const high = join(signature.slice(0, 32), word(ORDER - s));
    const all: Judged[] = [
      [head, signature.slice(1), publicKey],
      [head, signature, publicKey.slice(1)],
      [head, high, publicKey],
      [head, sign(head, generatePrivateKey()), publicKey],
    ];
    for (let bit = 0; bit < 8 * head.length; bit++) {
      const other = new Uint8Array(head);
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
      all.push([other, signature, publicKey]);
    }
    const words = await saysAsTheProtocol(all);
    assert.ok(words.every(({ ok }) => !ok));
    assert.ok((await verifyHead(head, normaliseS(high), publicKeyOf(privateKey))).ok);
  });

  it("accepts, as the protocol, r and s that begin with zeros or with a set bit", async () => {
    const all: Judged[] = [];
    const isShort = ({ judged: [, signature] }: ReturnType<typeof signed>, at: number) =>
      signature[at] === 0 && (signature[at + 1] as number) < 0x80;
    const isHigh = ({ judged: [, signature] }: ReturnType<typeof signed>, at: number) =>
      (signature[at] as number) >= 0x80;
    for (const [at, isOdd] of [
      [0, isShort],
      [32, isShort],
      [0, isHigh],
    ] as const) {
      let found = signed();
      while (!isOdd(found, at)) found = signed();
      all.push(found.judged);
    }
    const words = await saysAsTheProtocol(all);
    assert.ok(words.every(({ ok }) => ok));
  });

  it("judges each of many that come at once by itself, in whatever order", async () => {
    const all = Array.from({ length: 600 }, (_, i): Judged => {
      const [head, signature, publicKey] = signed().judged;
      return i % 3 === 1 ? [head, signed().judged[1], publicKey] : [head, signature, publicKey];
    });
    const words = await saysAsTheProtocol(all);
    assert.equal(words.filter(({ ok }) => ok).length, 400);
  });

  it("lets a process end that waits for no signature, and none that does", () => {
    const file = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { createVerifying } from ${file("../../accepting/verifying.ts")};
      const verifyHead = createVerifying();
      const words = Array.from({ length: 2 }, () => verifyHead(new Uint8Array(108), new Uint8Array(64), new Uint8Array(64)));
      console.log((await Promise.all(words)).map(({ failure }) => failure).join());`;
    const told = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 30_000,
    });
    assert.equal(told.trim(), "bad key,bad key");
  });

  it("fails, and waits for nothing, where its thread ends or cannot begin", async () => {
    const [head, signature, publicKey] = signed().judged;
    for (const thread of [
      "data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit());",
      "data:text/javascript,throw new Error('no');",
    ]) {
      const broken = createVerifying(new URL(thread));
      const both = [broken(head, signature, publicKey), broken(head, signature, publicKey)];
      for (const failed of both) await assert.rejects(failed, /ended|no/);
      await assert.rejects(broken(head, signature, publicKey), /ended|no/);
    }
  });
});
