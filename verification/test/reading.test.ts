import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { fromHex, generatePrivateKey, rootFromInclusion, toHex } from "../../protocol/index.ts";
import { SELECTOR } from "../chain/abi.ts";
import {
  type ChainReader,
  proofFile,
  proofFrom,
  proofFromText,
  rpc,
  type StepName,
  type Verification,
  verifyEnergy,
  verifyReading,
} from "../index.ts";
import { changed, nameOf, othersThan, type Path, pathsOf } from "./changing.ts";
import { sample } from "./sample.ts";
import { createWorld, parsed, type Served, START, type World } from "./world.ts";

/** Where each value of an answer shows that it is false; of two steps, either. */
const STEP_OF: Record<string, StepName[]> = {
  keyId: ["key"],
  epoch: ["signature"],
  index: ["root"],
  reading: ["root", "reading"],
  // the same proof may be one of another size: then the size is what the device did not sign
  "signed.size": ["root", "signature"],
  "signed.reading": ["signature"],
  "signed.root": ["root"],
  "signed.signature": ["signature"],
  "signed.proof.#": ["root"],
  chain_id: ["signature"],
  registry: ["signature"],
  watt_witness: ["chain"],
  head_domain: ["signature"],
  public_key: ["key"],
  "settled.size": ["settled"],
  "settled.root": ["settled"],
  "settled.proof.#": ["settled"],
  "settled.mark.epoch": ["settlement"],
  "settled.mark.fromSize": ["settlement"],
  "settled.mark.size": ["settlement"],
  "settled.mark.root": ["settlement"],
  "settled.mark.produced": ["settlement"],
  "settled.mark.attestation": ["settlement"],
  "settled.mark.transaction": ["settlement"],
  "settled.mark.block": ["settlement"],
};
/** How many confirmations are enough is the oracle's own opinion. */
const NOT_JUDGED = ["settled.mark.confirmed"];

describe("a reading's proof, against a real chain and a real oracle", function () {
  this.timeout(120_000);
  let world: World;
  let served: Served;

  before(async () => {
    world = await createWorld();
    served = await world.full(31);
  });
  after(() => world?.close());

  const verify = (json: unknown, chain: ChainReader | undefined = world.chain): Promise<Verification> =>
    verifyReading(parsed(json), { place: world.place, chain });
  const ruleOf = ({ verdict }: Verification) => ("why" in verdict ? [verdict.is, verdict.why.rule] : [verdict.is]);

  describe("changed by a liar", () => {
    const isRefutedOnceAt = ({ verdict, steps }: Verification, expected: readonly StepName[], what: string) => {
      const red = steps.filter(({ state }) => state === "refuted");
      assert.deepEqual(red.length, 1, `${what}: ${JSON.stringify(red)}`);
      assert.ok(expected.includes(red[0]?.name as StepName), `${what}: ${red[0]?.name}`);
      assert.equal(verdict.is === "refuted" && verdict.step, red[0]?.name, what);
      assert.ok(red[0]?.why?.says, what);
    };

    it("is changed in a value of which the step is known", () => {
      const names = new Set(pathsOf({ ...served, watt_witness: null }).map(nameOf));
      assert.deepEqual([...names].sort(), [...Object.keys(STEP_OF), ...NOT_JUDGED].sort());
    });

    for (const [name, steps] of Object.entries(STEP_OF)) {
      it(`in ${name} is refuted at ${steps.join(" or ")}, and only there`, async () => {
        const paths = pathsOf(served).filter((path) => nameOf(path) === name);
        assert.notEqual(paths.length, 0);
        for (const path of paths) {
          for (const other of othersThan(path.reduce((at: unknown, part) => (at as Served)[part], served))) {
            isRefutedOnceAt(await verify(changed(served, path, () => other)), steps, `${path.join(".")} ${other}`);
          }
        }
      });
    }

    for (const [name, path] of Object.entries({ signed: ["signed"], settled: ["settled"] })) {
      it(`in the length of the proof under the ${name} log is refuted at it`, async () => {
        const step = name === "signed" ? "root" : "settled";
        for (const lie of [(list: unknown[]) => list.slice(1), (list: unknown[]) => [...list, list[0]]]) {
          const lied = changed(served, [...path, "proof"], (list) => lie(list as unknown[]));
          isRefutedOnceAt(await verify(lied), [step], name);
        }
      });
    }

    it("who presents the signed log as settled is refuted: the contract has settled less", async () => {
      const { size, root, proof } = served["signed"] as Served;
      isRefutedOnceAt(await verify({ ...served, settled: { size, root, proof } }), ["settled"], "signed as settled");
    });

    it("who names a block that is far from mined is refuted, and one just ahead of the node cannot be told", async () => {
      const at = (block: number) => changed(served, ["settled", "mark", "block"], () => block);
      isRefutedOnceAt(await verify(at(2 ** 40)), ["settlement"], "far");
      const ahead = Number(await world.chain.request({ method: "eth_blockNumber" })) + 1;
      assert.deepEqual(ruleOf(await verify(at(ahead))), ["cannot tell", "no such settlement"]);
    });

    it("with a key of his own is refuted: no meter has it", async () => {
      const own = sample({ privateKey: generatePrivateKey(), place: world.place });
      isRefutedOnceAt(await verify(own), ["meter"], "own key");
    });

    it("with no word of who settled it is not believed", async () => {
      const lied = changed(served, ["settled", "mark", "attestation"], () => undefined);
      isRefutedOnceAt(await verify(lied), ["settlement"], "attestation");
    });

    it("in any bit of the text is never verified as anything else", async () => {
      const text = JSON.stringify({ ...served, watt_witness: world.wattWitness });
      const honest = parsed(JSON.parse(text));
      const bytes = new TextEncoder().encode(text);
      const flips = fc.array(fc.nat(bytes.length * 8 - 1), { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(flips, async (bits) => {
          const flipped = bytes.slice();
          for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          const proof = proofFromText(new TextDecoder().decode(flipped));
          if (!proof.ok) return;
          const { verdict } = await verifyReading(proof.value, { place: world.place, chain: world.chain });
          if (verdict.is === "verified") assert.deepEqual(proof.value, honest);
        }),
        { numRuns: 1500 },
      );
    });

    it("in any bit of any value is never verified", async () => {
      const paths = pathsOf(served).filter((path) => STEP_OF[nameOf(path)] && path[0] !== "watt_witness");
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), async (path, at) => {
          const lied = changed(served, path, (value) => flippedIn(value, at));
          const proof = proofFrom(lied);
          if (!proof.ok) return;
          const { verdict } = await verifyReading(proof.value, { place: world.place, chain: world.chain });
          assert.notEqual(verdict.is, "verified", `${path.join(".")} ${at}`);
        }),
        { numRuns: 500 },
      );
    });
  });

  describe("with a part missing", () => {
    const without = (path: Path) => changed(served, path, () => undefined);

    it("cannot be told before it is settled", async () => {
      const verification = await verify(await world.full(125));
      assert.deepEqual(ruleOf(verification), ["cannot tell", "not settled"]);
      assert.deepEqual("missing" in verification.verdict && verification.verdict.missing, ["settled"]);
    });

    it("cannot be told where the proof under the settled log is withheld", async () => {
      assert.deepEqual(ruleOf(await verify(without(["settled"]))), ["cannot tell", "settled further"]);
    });

    it("cannot be told offline", async () => {
      assert.deepEqual(ruleOf(await verifyReading(parsed(served), { place: world.place })), [
        "cannot tell",
        "no chain",
      ]);
    });

    it("is still verified without key and place, which the chain says and the visitor knows", async () => {
      const plain = await world.plain(31);
      assert.deepEqual(Object.keys(plain).sort(), ["epoch", "index", "keyId", "reading", "settled", "signed"]);
      const { verdict, steps } = await verify(plain);
      assert.equal(verdict.is, "verified");
      assert.equal(steps.find(({ name }) => name === "key")?.facts["from"], "chain");
    });

    it("is still verified without the settlement that first covered it, and says nothing of one", async () => {
      const { verdict, steps } = await verify(without(["settled", "mark"]));
      assert.equal(verdict.is, "verified");
      assert.equal(steps.at(-1)?.name, "settled");
    });
  });

  describe("cannot be told by a node", () => {
    /** A node that answers some questions otherwise. */
    const lying = (lie: (method: string, data: string, answer: unknown) => unknown): ChainReader => ({
      async request(call) {
        const [{ data = "" }] = [...((call.params as { data?: string }[]) ?? []), {}] as [{ data?: string }];
        return lie(call.method, data, await world.chain.request(call));
      },
    });
    const lyingIn = (selector: string, answer: (honest: string) => unknown) =>
      lying((_, data, honest) => (data.startsWith(selector) ? answer(honest as string) : honest));
    const withWord = (at: number, change: (word: string) => string) => (honest: string) => {
      const words = honest.slice(2).match(/.{64}/g) as string[];
      return `0x${words.map((word, i) => (i === at ? change(word) : word)).join("")}`;
    };
    const oneMore = (word: string) => (BigInt(`0x${word}`) + 1n).toString(16).padStart(64, "0");
    const uint = (value: number) => () => value.toString(16).padStart(64, "0");

    const lies: [string, () => ChainReader, string][] = [
      [
        "of another chain",
        () => lying((method, _, honest) => (method === "eth_chainId" ? "0x1" : honest)),
        "wrong chain",
      ],
      [
        "that has no chain id",
        () => lying((method, _, honest) => (method === "eth_chainId" ? 31337 : honest)),
        "nonsense",
      ],
      [
        "that knows no block",
        () => lying((method, _, honest) => (method === "eth_blockNumber" ? null : honest)),
        "nonsense",
      ],
      ["that has no such contract", () => lyingIn(SELECTOR.wattWitness, () => "0x"), "no contract"],
      ["that names another WattWitness", () => lyingIn(SELECTOR.wattWitness, withWord(0, oneMore)), "no contract"],
      [
        "whose WattWitness is of another registry",
        () => lyingIn(SELECTOR.registry, withWord(0, oneMore)),
        "other contract",
      ],
      ["whose registry has another domain", () => lyingIn(SELECTOR.headDomain, withWord(0, oneMore)), "other contract"],
      ["that names another meter", () => lyingIn(SELECTOR.meterOf, withWord(0, oneMore)), "contradicts itself"],
      ["that knows no meter of the key", () => lyingIn(SELECTOR.meterOf, withWord(0, uint(0))), "contradicts itself"],
      ["that moves when the key began", () => lyingIn(SELECTOR.intervalOf, withWord(0, oneMore)), "contradicts itself"],
      ["that ends an active key", () => lyingIn(SELECTOR.intervalOf, withWord(1, uint(START))), "contradicts itself"],
      ["with a status that there is not", () => lyingIn(SELECTOR.termsOf, withWord(3, uint(5))), "nonsense"],
      ["with a settled log of another root", () => lyingIn(SELECTOR.logOf, withWord(1, oneMore)), "contradicts itself"],
      [
        "with a settled log of another size",
        () => lyingIn(SELECTOR.logOf, withWord(0, uint(200))),
        "contradicts itself",
      ],
      ["that has settled nothing", () => lyingIn(SELECTOR.logOf, () => `0x${"0".repeat(128)}`), "contradicts itself"],
      ["that denies the reading", () => lyingIn(SELECTOR.verifyReading, withWord(0, uint(0))), "contradicts itself"],
      ["with a truth that is neither", () => lyingIn(SELECTOR.verifyReading, withWord(0, uint(2))), "nonsense"],
      [
        "that forgot the attestation",
        () => lyingIn(SELECTOR.attestationOf, () => `0x${"0".repeat(128)}`),
        "contradicts itself",
      ],
      [
        "with events that were not asked for",
        () => lying((method, _, honest) => (method === "eth_getLogs" ? [{}] : honest)),
        "nonsense",
      ],
      [
        "with no events at all",
        () => lying((method, _, honest) => (method === "eth_getLogs" ? "none" : honest)),
        "nonsense",
      ],
    ];
    for (const [name, chain, rule] of lies) {
      it(`${name}: ${rule}`, async () => {
        assert.deepEqual(ruleOf(await verify(served, chain())), ["cannot tell", rule]);
      });
    }

    it("that names another size which the proof fits as well, but is refuted: the harm is to an honest reading", async () => {
      const chain = lyingIn(SELECTOR.logOf, withWord(0, oneMore));
      assert.deepEqual(ruleOf(await verify(served, chain)), ["refuted", "not settled"]);
    });

    it("whose answers are cut short or long", async () => {
      const ofToken = ["token", "totalSupply", "totalRetired", "retirements", "retirement"];
      for (const [name, selector] of Object.entries(SELECTOR)) {
        if (ofToken.includes(name)) continue;
        for (const cut of [(hex: string) => hex.slice(0, -2), (hex: string) => `${hex}00`, () => "hello", () => null]) {
          const { verdict } = await verify(served, lyingIn(selector, cut));
          assert.deepEqual([verdict.is, "why" in verdict && verdict.why.rule], ["cannot tell", "nonsense"], selector);
        }
      }
    });

    it("with events of another contract, key, kind or block", async () => {
      type Log = { address: string; topics: string[]; blockNumber: string };
      const bent: ((log: Log) => object)[] = [
        ({ address }) => ({ address: address.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")) }),
        ({ topics: [kind, meter, , ...more] }) => ({ topics: [kind, meter, kind, ...more] }),
        ({ topics: [, ...more] }) => ({ topics: [more[0], ...more] }),
        ({ topics: [kind, ...more] }) => ({ topics: [kind, ...more, kind] }),
        ({ blockNumber }) => ({ blockNumber: `0x${(Number(blockNumber) + 1).toString(16)}` }),
        () => ({ data: "0x" }),
        () => ({ transactionHash: "0x17" }),
      ];
      for (const change of bent) {
        const chain = lying((method, _, honest) =>
          method === "eth_getLogs" ? (honest as Log[]).map((log) => ({ ...log, ...change(log) })) : honest,
        );
        assert.deepEqual(ruleOf(await verify(served, chain)), ["cannot tell", "nonsense"], `${change}`);
      }
    });

    it("that is a little behind", async () => {
      const { block } = (served["settled"] as { mark: { block: number } }).mark;
      const at = (number: number) =>
        lying((method, _, honest) => (method === "eth_blockNumber" ? `0x${number.toString(16)}` : honest));
      assert.deepEqual(ruleOf(await verify(served, at(block - 1))), ["cannot tell", "not settled"]);
    });

    it("that shows another public key", async () => {
      const chain = lying((method, _, honest) => {
        if (method !== "eth_getLogs") return honest;
        return (honest as { data: string }[]).map((log) => ({
          ...log,
          data: `${log.data.slice(0, 65)}f${log.data.slice(66)}`,
        }));
      });
      assert.deepEqual(ruleOf(await verify(await world.plain(31), chain)), ["cannot tell", "contradicts itself"]);
    });

    it("that approves of a forged settled log", async () => {
      const chain = lyingIn(SELECTOR.verifyReading, withWord(0, uint(1)));
      const { size, root, proof } = served["signed"] as Served;
      const forged = { ...served, settled: { size, root, proof } };
      assert.deepEqual(ruleOf(await verify(forged, chain)), ["cannot tell", "contradicts itself"]);
    });
  });

  describe("cannot be told by a node that", () => {
    const servers: Server[] = [];
    after(() => {
      for (const server of servers) server.close().closeAllConnections();
    });
    const node = async (answer: RequestListener): Promise<ChainReader> => {
      const server = createServer(answer);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return rpc(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 300);
    };
    const json = (body: unknown, status = 200) =>
      node((_, response) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    const states: [string, () => Promise<ChainReader>, string][] = [
      ["is down", async () => rpc("http://127.0.0.1:1"), "unreachable"],
      ["never answers", () => node(() => {}), "unreachable"],
      ["answers with a page", () => node((_, response) => response.end("<html>")), "unreachable"],
      ["answers another question", () => json({ jsonrpc: "2.0", id: 77, result: "0x7a69" }), "unreachable"],
      ["has had enough", () => json({}, 429), "unreachable"],
      [
        "refuses",
        () => json({ jsonrpc: "2.0", id: 1, error: { code: -32_005, message: "limit exceeded" } }),
        "refuses",
      ],
    ];
    for (const [name, chain, rule] of states) {
      it(`${name}: ${rule}`, async () => {
        assert.deepEqual(ruleOf(await verify(served, await chain())), ["cannot tell", rule]);
      });
    }
  });

  describe("told honestly", () => {
    type Blocks = { fromBlock: number; toBlock: number };
    /** A node that refuses to look through some blocks for events. */
    const refusing = (refuses: (blocks: Blocks) => boolean, words: string): ChainReader => ({
      async request(call) {
        const [filter] = call.params as [Record<keyof Blocks, string>];
        if (call.method !== "eth_getLogs") return world.chain.request(call);
        const blocks = { fromBlock: Number(filter.fromBlock), toBlock: Number(filter.toBlock) };
        if (!refuses(blocks)) return world.chain.request(call);
        throw Object.assign(new Error(words), { code: -32_600 });
      },
    });

    it("is verified in every step", async () => {
      const started = performance.now();
      const { verdict, steps } = await verify(served, rpc(world.chainUrl));
      console.log(
        `      one verification took ${(performance.now() - started).toFixed(1)} ms, asking the chain included`,
      );
      assert.deepEqual(verdict, { is: "verified" });
      assert.deepEqual(
        steps.map(({ name, state }) => `${name} ${state}`),
        ["reading", "leaf", "root", "key", "signature", "chain", "meter", "settled", "settlement"].map(
          (n) => `${n} holds`,
        ),
      );
      assert.doesNotThrow(() => JSON.stringify(steps));
    });

    it("is verified where the meter's baseline is what covers it", async () => {
      const { verdict, steps } = await verify(await world.full(9));
      assert.deepEqual(verdict, { is: "verified" });
      assert.equal(steps.at(-1)?.facts["size"], 10);
    });

    it("is verified by any EIP-1193 provider", async () => {
      const { createPublicClient, http } = await import("viem");
      const client = createPublicClient({ transport: http(world.chainUrl) });
      assert.equal((await verify(served, client as unknown as ChainReader)).verdict.is, "verified");
    });

    it("stays verified once more is settled: the contract's events say what was", async () => {
      assert.equal((world.early["settled"] as Served)["size"], 60);
      const { verdict, steps } = await verify(world.early);
      assert.equal(verdict.is, "verified");
      assert.equal(steps.find(({ name }) => name === "settled")?.facts["settledThen"], 60);
    });

    it("cannot be told then where the node does not look for events so far back", async () => {
      const { mark } = world.early["settled"] as { mark: { block: number } };
      const early = { ...world.early, public_key: toHex(world.publicKey) };
      const chain = refusing(({ fromBlock }) => fromBlock < mark.block, "missing trie node");
      assert.deepEqual(ruleOf(await verify(early, chain)), ["cannot tell", "settled further"]);
    });

    for (const limit of [1, 7, 500]) {
      it(`stays verified where the node answers for ${limit} blocks at once, whatever it says of more`, async () => {
        const tooMany = ({ fromBlock, toBlock }: Blocks) => toBlock - fromBlock >= limit;
        for (const words of ["block range too large", "query returned more than 10000 results", "no"]) {
          const chain = refusing(tooMany, words);
          assert.equal((await verify(world.early, chain)).verdict.is, "verified", words);
          assert.equal((await verify(await world.plain(31), chain)).verdict.is, "verified", words);
        }
      });
    }

    it("was never settled where the events say so", async () => {
      const lied = changed(world.early, ["settled", "size"], () => 59);
      assert.deepEqual(ruleOf(await verify(lied)), ["refuted", "not settled"]);
    });

    it("was settled as another log where the events say so", async () => {
      const path: Path = ["settled", "proof", 0];
      const bent = changed(world.early, path, () => `0x${"17".repeat(32)}`);
      const { reading, index, settled } = parsed(bent);
      const led = rootFromInclusion(reading, index, 60, settled?.proof ?? []);
      const lied = changed(bent, ["settled", "root"], () => led.ok && toHex(led.value));
      assert.deepEqual(ruleOf(await verify(lied)), ["refuted", "other root"]);
    });

    it("cannot be told where the node leaves out events: their sizes do not join", async () => {
      const plain = changed(world.early, ["settled", "mark"], () => undefined);
      const leavesOut = (size: number): ChainReader => ({
        async request(call) {
          const answer = await world.chain.request(call);
          if (call.method !== "eth_getLogs") return answer;
          const isOf = ({ data }: { data: string }) => Number(`0x${data.slice(2 + 3 * 64, 2 + 4 * 64)}`) === size;
          return (answer as { data: string }[]).filter((log) => !isOf(log));
        },
      });
      assert.deepEqual(ruleOf(await verify(plain, leavesOut(60))), ["cannot tell", "settled further"]);
      assert.deepEqual(ruleOf(await verify(plain, leavesOut(120))), ["verified"]);
      const lied = changed(plain, ["settled", "size"], () => 59);
      assert.deepEqual(ruleOf(await verify(lied, leavesOut(120))), ["cannot tell", "settled further"]);
    });

    it("is of the key that the meter had then, until another succeeded it", async () => {
      const before = await verify(world.rotated.before);
      const after = await verify(world.rotated.after);
      assert.deepEqual([before.verdict.is, after.verdict.is], ["verified", "verified"]);
      const meterIn = ({ steps }: Verification) => steps.find(({ name }) => name === "meter")?.facts;
      assert.equal(meterIn(before)?.["status"], "superseded");
      assert.equal(meterIn(after)?.["status"], "active");
      assert.equal(meterIn(before)?.["meter"], meterIn(after)?.["meter"]);
      assert.deepEqual(ruleOf(await verify(world.rotated.tooLate)), ["refuted", "outside interval"]);
    });

    it("does not count before the meter's baseline", async () => {
      assert.deepEqual(ruleOf(await verify(await world.full(3))), ["refuted", "outside interval"]);
    });

    it("is verified from its file, and in any later life of it", async () => {
      const file = proofFile(parsed(served), world.place, world.publicKey);
      const proof = proofFromText(file);
      assert.ok(proof.ok);
      const { verdict } = await verifyReading(proof.value, { place: world.place, chain: world.chain });
      assert.equal(verdict.is, "verified");
      assert.equal(proofFile(proof.value, world.place, world.publicKey), file);
    });
  });

  describe("as a .tlog-proof", () => {
    const from = (text: string) => {
      const proof = proofFromText(text);
      return proof.ok ? proof.value : proof.problem;
    };
    let text: string;
    before(async () => {
      text = await world.tlog(31);
    });

    it("is refused where it is cut, of another log, or unsigned by a device", () => {
      assert.match(from(text.split("\n\n").slice(0, 2).join("\n\n")) as string, /no signature of a device/);
      assert.match(from(`${text}\n\n`) as string, /two empty lines/);
      assert.match(from(text.replace(/wattwitness\//g, "elsewhere/")) as string, /not of a meter's log/);
      assert.match(from(text.replace("index 31", "index 031")) as string, /index must be/);
      // the last character before the padding has bits that say nothing
      const twin = text.replace(/(.)=\n\n—/, (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n\n—`);
      assert.notEqual(twin, text);
      assert.match(from(twin) as string, /signed.root must be/);
    });

    it("says the head that the device signed, and no more: what is settled is missing", async () => {
      const proof = from(text);
      assert.ok(typeof proof === "object");
      const { verdict, steps } = await verifyReading(proof, { place: world.place, chain: world.chain });
      assert.deepEqual(verdict.is === "cannot tell" && verdict.missing, ["settled"]);
      assert.deepEqual(proof.signed, parsed(served).signed);
      assert.ok(steps.every(({ name, state }) => name === "settled" || state === "holds"));
    });
  });

  describe("as an energy", () => {
    it("is the difference of two registers, both verified", async () => {
      const [start, end] = [parsed(served), parsed(await world.plain(91))];
      const { verdict } = await verifyEnergy(start, end, { place: world.place, chain: world.chain });
      assert.deepEqual(verdict, { is: "verified", energy: "3000000", from: START + 32 * 60, to: START + 92 * 60 });
    });

    it("cannot be told while its end is not settled", async () => {
      const [start, end] = [parsed(served), parsed(await world.plain(125))];
      const { verdict } = await verifyEnergy(start, end, { place: world.place, chain: world.chain });
      assert.deepEqual([verdict.is, "of" in verdict && verdict.of], ["cannot tell", "end"]);
    });
  });
});

/** One bit of a value, whatever its form. */
function flippedIn(value: unknown, at: number): unknown {
  if (typeof value === "number") return value ^ (1 << (at % 16));
  const text = value as string;
  if (!text.startsWith("0x")) return (BigInt(text) ^ (1n << BigInt(at % 40))).toString();
  const bytes = fromHex(text);
  const bit = at % (bytes.length * 8);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  return toHex(bytes);
}
