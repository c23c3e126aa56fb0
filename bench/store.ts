/**
 * How much an oracle accepts: `npm run bench:store [-- --store postgres|embedded] [--meters N] [--seconds N] [--json]`.
 * Meters that post one reading at a time, and meters that catch up with 8,192 readings a post; every head is signed here,
 * and every check of a post is made, but for HTTP. PostgreSQL is one from npm with its defaults: it syncs every commit.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as signWith } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { createAcceptance, POST_LIMIT, type Post } from "../oracle/accepting/readings.ts";
import type { Meter } from "../oracle/chain/view.ts";
import { openEmbeddedStore } from "../oracle/store/embedded/store.ts";
import { extend, hashLeaf, rootOfHashes } from "../oracle/store/hashing.ts";
import type { Store } from "../oracle/store/store.ts";
import { createServer } from "../oracle/test/store/postgres/server.ts";
import { domain, encodeHead, encodeReading, type Hash, normaliseS, toHex } from "../protocol/index.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "postgres" },
    meters: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const SECONDS = Number(values.seconds);
const START = 1_773_964_800; // 2026-03-20T00:00:00Z
const EPOCH = 1;
/** Meters that catch up at the same time. */
const CATCHING_UP = 16;

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { x, y } = createPublicKey(createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }))).export({
  format: "jwk",
}) as { x: string; y: string };
const publicKey = toHex(Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]));
const headDomain = domain("head", { chainId: 31337, registry: `0x${"77".repeat(20)}` });

/** One log that every meter has: readings, made as far as they are asked for. */
function createReadings() {
  const texts: string[] = [];
  const frontier: Hash[] = [];
  const roots: (Hash | undefined)[] = [];
  const lasts: Uint8Array[] = [];
  return {
    upTo(size: number, keepsRoot: (size: number) => boolean) {
      for (let i = texts.length; i < size; i++) {
        const reading = encodeReading({
          ...{ timestamp: START + 10 * i, energy: BigInt(i) * 2777n, power: 1_000_000n, source: 0, conditions: 0 },
          ...{ voltage: 230_000 + (i % 900), current: 4300, temperature: 2150 },
        });
        texts.push(toHex(reading));
        extend(frontier, i, hashLeaf(reading));
        if (!keepsRoot(i + 1)) continue;
        roots[i + 1] = rootOfHashes(frontier);
        lasts[i + 1] = reading;
      }
    },
    post(keyId: string, from: number, size: number): Post {
      const statement = { epoch: EPOCH, size, reading: lasts[size] as Uint8Array, root: roots[size] as Hash };
      const signature = signWith("sha256", encodeHead(headDomain, statement), {
        key: privateKey,
        dsaEncoding: "ieee-p1363",
      });
      return { keyId, epoch: EPOCH, size, readings: texts.slice(from, size), signature: toHex(normaliseS(signature)) };
    },
  };
}

type Figures = { posts: number; readings: number; seconds: number; median: number; slowest: number };

/** Every meter posts `count` readings at a time, one post after the other. */
async function run(store: Store, meters: number, count: number, first: number): Promise<Figures> {
  const readings = createReadings();
  const accept = createAcceptance({
    ...{ logs: store.logs, headDomain, now: () => START + 1e9 },
    meterOf: (keyId) => meterNamed(keyId),
  });
  const took: number[] = [];
  const began = performance.now();
  const end = began + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: meters }, async (_, i) => {
      const keyId = `0x${(first + i).toString(16).padStart(64, "0")}`;
      for (let size = count; performance.now() < end; size += count) {
        readings.upTo(size, (at) => at % count === 0);
        const post = readings.post(keyId, size - count, size);
        const before = performance.now();
        const answer = await accept(post);
        if (!answer.ok) throw new Error(answer.refusal.body.detail);
        took.push(performance.now() - before);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  took.sort((a, b) => a - b);
  const at = (part: number) => took[Math.floor(part * (took.length - 1))] as number;
  return { posts: took.length, readings: took.length * count, seconds, median: at(0.5), slowest: at(0.99) };
}

const meterNamed = (keyId: string): Meter => ({
  ...{ keyId, meter: keyId, status: "active", publicKey, owner: "", capacity: 5000, source: 0, details: "" },
  ...{ latest: { epoch: 0, size: 0, timestamp: 0, energy: "0" }, logs: {} },
});

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  if (values.store === "embedded") {
    const folder = await mkdtemp(join(tmpdir(), "wattwitness-bench-"));
    const opening = await openEmbeddedStore(folder, { info() {}, warn: console.warn });
    if (!opening.ok) throw new Error(opening.problem);
    const result = await use(opening.store);
    await opening.store.close();
    await rm(folder, { recursive: true });
    return result;
  }
  const server = await createServer();
  try {
    return await use(await server.openStore(await server.newStoreDatabase()));
  } finally {
    await server.closeStores();
    await server.remove();
  }
}

const table = new Table({ head: ["", "meters", "posts/s", "readings/s", "median ms", "99 % ms"] });
const figures = await withStore(async (store) => ({
  "one reading a post": await run(store, Number(values.meters), 1, 0),
  "catching up": await run(store, CATCHING_UP, POST_LIMIT, 1_000_000),
}));
for (const [name, { posts, readings, seconds, median, slowest }] of Object.entries(figures)) {
  const meters = name === "catching up" ? CATCHING_UP : values.meters;
  table.push([
    name,
    meters,
    Math.round(posts / seconds),
    Math.round(readings / seconds),
    median.toFixed(1),
    slowest.toFixed(1),
  ]);
}
console.log(table.toString());
if (values.json) console.log(JSON.stringify(figures));
