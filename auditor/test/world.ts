/**
 * A small world on a real chain, with the DON in its sandbox: meters that are registered, sold, re-keyed, taken down, that
 * begin again and settle in every way, and a folder with all that shows it: no piece of it is there twice.
 */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Hex, keccak256, stringToBytes, zeroAddress, zeroHash } from "viem";
import { headParts, publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import {
  attestedItems,
  CAPACITY,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  type Part,
  produce,
  registrationOf,
  START,
  segmentOf,
  signHead,
  type TestMeter,
  unattestedItem,
} from "../../contracts/test/fixture.ts";
import { withFunctions } from "../../contracts/test/functions.ts";
import { batchDigest, createLog, encodeBatch, timestampOf, toHex } from "../../protocol/index.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { tileName } from "../evidence/tiles.ts";
import { type Audit, type AuditOptions, audit, createPool, placeOf } from "../index.ts";

export const SOURCE = await readFile(new URL("../../functions-source/verify-batch.js", import.meta.url), "utf8");
export const SOURCE_HASH = keccak256(stringToBytes(SOURCE));

export type World = Awaited<ReturnType<typeof createWorld>>;

/** `isWhole`: with the tiles of every log, as an oracle publishes them. */
export async function createWorld({ isWhole = false } = {}) {
  const fixture = await deployFixture("default", 0);
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-auditor-"));
  const server = await serve(folder);
  const functions = await withFunctions(fixture, SOURCE);
  try {
    await live(fixture, functions, folder, server.url, isWhole);
  } finally {
    await functions.don.stop();
    await server.close();
  }
  const pool = createPool(1);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  const chain = remembering({ request: ({ method, params }) => fixture.request(method, params as unknown[]) });
  return {
    ...{ fixture, folder, chain, registry: fixture.deployment.registry.toLowerCase() as Hex },
    /** of evidence, below the folder */
    files: files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)),
    audit: (change: Partial<AuditOptions> = {}): Promise<Audit> =>
      audit({
        ...{ chain, registry: fixture.deployment.registry.toLowerCase() as Hex, places: [placeOf(folder)] },
        ...{ sourceHash: SOURCE_HASH, pool, ...change },
      }),
    close: async () => {
      await pool.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** What a node answered it is not asked again: the chain stands still. */
function remembering(chain: ChainReader): ChainReader {
  const known = new Map<string, Promise<unknown>>();
  return {
    request(call) {
      const name = JSON.stringify(call);
      const answer = known.get(name) ?? chain.request(call);
      known.set(name, answer);
      return answer.then((value) => structuredClone(value));
    },
  };
}

async function serve(folder: string) {
  const server = createServer(async (request, response) => {
    const bytes = await readFile(join(folder, request.url as string)).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

export async function put(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

/** The tiles that show a log's readings up to `to`, from each of `starts` on. */
export async function putTiles(folder: string, meter: TestMeter, epoch: number, starts: readonly number[], to: number) {
  const readings = meter.readingsOf(epoch).slice(0, to);
  const log = createLog(readings);
  const path = `tlog/${meter.id}/${epoch}/tile`;
  const name = (index: number, width: number) => `${tileName(index)}${width === 256 ? "" : `.p/${width}`}`;
  for (let start = Math.floor(Math.min(...starts) / 256) * 256; start < to; start += 256) {
    const some = readings.slice(start, start + 256);
    const entries = some.flatMap((reading) => [Uint8Array.of(0, 32), reading]);
    await put(folder, `${path}/entries/${name(start / 256, some.length)}`, Buffer.concat(entries));
  }
  // what covers the leaves before a start: whole tiles, and the rest of one
  for (const start of starts) {
    const rest = start % 256;
    const hashes = Array.from({ length: rest }, (_, i) => log.range(start - rest + i, start - rest + i + 1));
    if (rest > 0) await put(folder, `${path}/0/${name((start - rest) / 256, rest)}`, Buffer.concat(hashes));
    const above = Array.from({ length: (start - rest) / 256 }, (_, i) => log.range(256 * i, 256 * (i + 1)));
    if (rest < start) await put(folder, `${path}/1/${name(0, above.length)}`, Buffer.concat(above));
  }
}

type Functions = Awaited<ReturnType<typeof withFunctions>>;

async function live(
  fixture: Fixture,
  functions: Functions,
  folder: string,
  url: string,
  isWhole: boolean,
): Promise<void> {
  const { place, owner, stranger, admin } = fixture;
  const later = (time: number) => fixture.at(time);
  const attested = async (...parts: Part[]) => {
    const { attestation, items } = attestedItems(parts);
    const batch = encodeBatch({ domain: (parts[0] as Part).meter.headDomain, segments: parts.map(segmentOf) });
    const digest = toHex(batchDigest(batch));
    await put(folder, `batches/${digest}`, batch);
    const { report } = await functions.ask(digest, attestation, [`${url}/batches/${digest}`]);
    if (!report.delivered) throw new Error("the DON did not attest");
    await fixture.settle(attestation, items);
    return { attestation, items };
  };
  const alone = (part: Part) => fixture.settle(zeroHash, [unattestedItem(part)]);

  const roof = createMeter(place, 1);
  const barn = createMeter(place, 2);
  const next = createMeter(place, 3, produce({ count: 400, from: { timestamp: START + 4000 } }));
  const shed = createMeter(place, 4);
  const gone = createMeter(place, 5);
  const register = fixture.registryCall.bind(undefined, "register");
  await fixture.register(roof);
  await register([registrationOf(barn, owner.account.address, 3)]);
  await fixture.register(shed);
  await fixture.register(gone);
  await later(START + 4000);

  const first = await attested({ meter: roof, to: 100 }, { meter: barn, to: 50, settled: 3 });
  await alone({ meter: shed, to: 300 });
  await fixture.registryCall("setPayout", [roof.id, stranger.account.address], owner);
  await fixture.registryCall("lowerCapacity", [shed.id, 4000]);
  await fixture.registryCall("transferFrom", [owner.account.address, stranger.account.address, BigInt(shed.id)], owner);
  await later(START + 5000);
  await alone({ meter: shed, to: 400, settled: 300, capacity: 4000 });

  await fixture.rotate(barn.id, barn, next);
  await attested({ meter: roof, to: 200, settled: 100 }, { meter: next, to: 60 });
  // it lost the race: nothing happens
  await fixture.settle(first.attestation, first.items.slice(0, 1));

  roof.begin(2, produce({ count: 100, from: { timestamp: START + 3000, energy: 5n } }));
  await attested({ meter: roof, epoch: 2, to: 80, settled: 0, settledTimestamp: timeOf(roof, 199) });
  const rest = await fixture.partOf(roof, 1, 250);
  await alone(rest);

  await fixture.send(
    { ...fixture.token, functionName: "retire", args: [10n ** 16n, zeroAddress, "the barn", "charged a car"] },
    owner,
  );
  await fixture.send({ ...fixture.token, functionName: "transfer", args: [admin.account.address, 10n ** 15n] }, owner);
  await fixture.send(
    { ...fixture.token, functionName: "retire", args: [10n ** 14n, owner.account.address, "", "tea"] },
    admin,
  );
  await fixture.registryCall("decommission", [gone.id]);
  await equivocate(fixture, shed);

  await putTiles(folder, shed, 1, [0, 299], 400);
  await putTiles(folder, roof, 1, [199], 250);
  if (!isWhole) return;
  const logs = [
    ...(
      [
        [barn, 50],
        [next, 60],
        [gone, 1],
      ] as const
    ).map(([meter, size]) => ({ meter, epoch: 1, size })),
    { meter: roof, epoch: 2, size: 80 },
  ];
  for (const { meter, epoch, size } of logs) await putTiles(folder, meter, epoch, [0], size);
}

const timeOf = (meter: TestMeter, index: number, epoch = 1): number =>
  timestampOf(meter.readingsOf(epoch)[index] as Uint8Array);

async function equivocate(fixture: Fixture, meter: TestMeter): Promise<void> {
  const [one, other] = [headOf(meter, 500), { ...headOf(meter, 500), root: new Uint8Array(32).fill(7) }];
  const empty = { index: 0n, reading: zeroHash, proof: [] };
  const equivocation = {
    ...{
      key: publicKeyParts(meter.publicKey),
      first: headParts(one),
      second: headParts(other),
      one: empty,
      other: empty,
    },
    firstSignature: signatureParts(signHead(meter, one)),
    secondSignature: signatureParts(signHead(meter, other)),
  };
  await fixture.send({ ...fixture.wattWitness, functionName: "proveEquivocation", args: [equivocation] });
}

export { CAPACITY };
