import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import fc from "fast-check";
import {
  batchDigest,
  CAPACITY_BURST,
  createLog,
  domain,
  encodeBatch,
  encodeHead,
  encodeReading,
  fromHex,
  publicKeyOf,
  sign,
  toHex,
  verifyBatch,
} from "../../protocol/index.ts";
import { vectors } from "../../protocol/test/load-vectors.ts";
import { type Answer, type Hex, runInSandbox, type SandboxLimits } from "../sandbox.ts";
import { serve, verifyBatchSource as source } from "./helpers.ts";

const refused = vectors.batch.filter(({ failure }) => failure !== undefined);
const accepted = vectors.batch.filter(({ failure }) => failure === undefined);
const good = accepted.find(({ name }) => name === "two meters, one of them new");
assert.ok(good?.root);
const body = fromHex(good.bytes);
const root = good.root as Hex;
const answer = { response: root };
const noBatch = { error: "no batch" };
const NO_ROOT: Hex = `0x${"00".repeat(32)}`;
const HTTP_LIMIT = 2_097_152;

const CAPACITY = 5000; // W
const INTERVAL = 10; // s

/** A day without production, then within one interval as much as the capacity makes in `seconds`. */
function quietDayThen(seconds: number): Uint8Array {
  const produced = (BigInt(CAPACITY) * 1000n * BigInt(seconds)) / 3600n;
  const readings = (
    [
      [0, 0n],
      [86_400, 0n],
      [86_400 + INTERVAL, produced],
    ] as const
  ).map(([timestamp, energy]) => encodeReading({ timestamp, energy, power: 0n, source: 0, conditions: 0 }));
  const privateKey = new Uint8Array(32).fill(1);
  const headDomain = domain("head", vectors.place);
  const head = { epoch: 1, size: 3, reading: readings[2] as Uint8Array, root: createLog(readings).root() };
  const segment = {
    publicKey: publicKeyOf(privateKey),
    epoch: 1,
    from: 0,
    capacity: CAPACITY,
    frontier: [],
    readings,
    signature: sign(encodeHead(headDomain, head), privateKey),
  };
  return encodeBatch({ domain: headDomain, segments: [segment] });
}

describe("verify-batch.js", () => {
  const bodies = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const behaviours: Record<string, (response: ServerResponse) => void> = {
    good: (response) => response.end(body),
    missing: (response) => response.writeHead(404).end(body),
    broken: (response) => response.writeHead(500).end(body),
    other: (response) => response.end(fromHex(accepted[0]?.bytes ?? "0x")),
    nothing: (response) => response.end(),
    text: (response) => response.end("<html>"),
    silent: () => undefined,
    cut: (response) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, 100), () => response.destroy());
    },
    dripping: (response) => {
      response.write(body.subarray(0, 1));
      const drip = setInterval(() => response.write("."), 20);
      response.once("close", () => clearInterval(drip));
    },
    moved: (response) => response.writeHead(302, { location: "/good" }).end(),
    circling: (response) => response.writeHead(302, { location: "/circling" }).end(),
  };
  let server: Awaited<ReturnType<typeof serve>>;

  before(async () => {
    server = await serve((request, response) => {
      const path = (request.url ?? "").slice(1);
      asked.push(path);
      const bytes = bodies.get(path);
      if (bytes) response.end(bytes);
      else (behaviours[path.replace(/\?.*/, "")] as (response: ServerResponse) => void)(response);
    });
  });
  after(() => server.close());

  /** Asks for the good batch, unless `digest` and `root` say otherwise. */
  const ask = (
    paths: readonly string[],
    { digest = good.digest as Hex, root: expected = root } = {},
    limits: Partial<SandboxLimits> = {},
  ): Promise<Answer> => {
    asked.length = 0;
    return runInSandbox({ source, args: paths.map(server.url), bytesArgs: [digest, expected] }, { limits });
  };

  async function verdict(bytes: Uint8Array, expected: Hex = NO_ROOT): Promise<Answer> {
    bodies.set("batch", bytes);
    return ask(["batch"], { digest: toHex(batchDigest(bytes)), root: expected });
  }

  describe("vectors", () => {
    for (const { name, failure, bytes } of refused) {
      it(`refuses ${name}: ${failure}`, async () => {
        assert.deepEqual(await verdict(fromHex(bytes)), { error: failure });
      });
    }

    it("refuses a burst after a quiet day: what was not produced is not saved up", async () => {
      assert.deepEqual(await verdict(quietDayThen(CAPACITY_BURST + INTERVAL + 1)), { error: "beyond capacity" });
      assert.deepEqual(await verdict(quietDayThen(CAPACITY_BURST + INTERVAL)), { error: "wrong root" });
    });

    it("refuses to answer with another root than the one asked for", async () => {
      assert.deepEqual(await ask(["good"], { root: NO_ROOT }), { error: "wrong root" });
    });

    for (const { name, bytes, root } of accepted) {
      it(`accepts ${name}`, async () => {
        assert.deepEqual(await verdict(fromHex(bytes), root as Hex), { response: root });
      });
    }

    it("judges a batch with any byte changed as the reference does", async () => {
      const change = fc.tuple(fc.nat({ max: body.length - 1 }), fc.integer({ min: 1, max: 255 }));
      await fc.assert(
        fc.asyncProperty(change, async ([at, mask]) => {
          const changed = body.slice();
          changed[at] = (changed[at] as number) ^ mask;
          const reference = await verifyBatch(changed);
          const expected = reference.ok ? { response: toHex(reference.value.root) } : { error: reference.failure };
          assert.deepEqual(await verdict(changed, reference.ok ? toHex(reference.value.root) : NO_ROOT), expected);
        }),
        { numRuns: 40 },
      );
    });
  });

  describe("mirrors", () => {
    const dead: [string, string[], Partial<SandboxLimits>?][] = [
      ["there is no URL", []],
      ["the only server says 404, whatever comes with it", ["missing"]],
      ["the only server says 500, whatever comes with it", ["broken"]],
      ["the only server has another batch", ["other"]],
      ["the only server has an empty file", ["nothing"]],
      ["the only server stops in the middle", ["cut"]],
      ["the only server never answers", ["silent"], { httpTimeout: 200 }],
      ["the only server redirects in circles", ["circling"]],
      ["every server fails in its own way", ["missing", "broken", "other", "text", "silent"], { httpTimeout: 200 }],
      ["only the sixth URL is good", ["missing", "missing", "missing", "missing", "missing", "good"]],
    ];
    for (const [name, paths, limits] of dead) {
      it(`has no batch where ${name}`, async () => {
        assert.deepEqual(await ask(paths, {}, limits), noBatch);
      });
    }

    it("has no batch where nobody listens", async () => {
      const gone = await serve(() => undefined);
      await gone.close();
      const args = [gone.url("batch")];
      assert.deepEqual(await runInSandbox({ source, args, bytesArgs: [good.digest as Hex, root] }), noBatch);
    });

    it("has no batch where a URL is none", async () => {
      const args = ["", "batch", "file:///etc/hostname", "http://"];
      assert.deepEqual(await runInSandbox({ source, args, bytesArgs: [good.digest as Hex, root] }), noBatch);
    });

    it("has no batch where the body is a byte beyond the service's limit", async () => {
      assert.deepEqual(await verdict(new Uint8Array(HTTP_LIMIT + 1)), noBatch);
      assert.deepEqual(await verdict(new Uint8Array(HTTP_LIMIT)), { error: "wrong magic" });
    });

    it("asks five servers at most, and answers if one of them is good", async () => {
      assert.deepEqual(await ask(["missing?1", "missing?2", "missing?3", "missing?4", "good", "good?6"]), answer);
      assert.deepEqual([...asked].sort(), ["good", "missing?1", "missing?2", "missing?3", "missing?4"]);
    });

    for (const bad of ["missing", "broken", "other", "nothing", "text", "cut", "silent", "dripping", "circling"]) {
      it(`is neither spoilt nor held up by a server beside a good one: ${bad}`, async () => {
        // less than the 9 s that a request may take
        assert.deepEqual(await ask([bad, "good"], {}, { runtime: 5000 }), answer);
        assert.deepEqual(await ask(["good", bad], {}, { runtime: 5000 }), answer);
      });
    }

    it("follows a redirect", async () => {
      assert.deepEqual(await ask(["moved"]), answer);
    });
  });

  describe("source", () => {
    it("is at most 4 KB", () => {
      assert.ok(Buffer.byteLength(source) <= 4096);
    });

    it("imports nothing, and knows neither time nor chance nor the machine", () => {
      const code = source.replace(/\/\/.*/g, "");
      assert.doesNotMatch(
        code,
        /\b(import\s|import\(|require|Date|performance|Temporal|random|Deno|fetch\(|secrets|console)/,
      );
    });

    it("says its errors in constant words", () => {
      for (const [, argument] of source.matchAll(/refuse\(([^)]*)\)/g))
        assert.match(argument ?? "", /^("[a-z0-9 ]+")?$/);
      assert.equal(source.match(/\bthrow\b/g)?.length, 1);
    });
  });
});
