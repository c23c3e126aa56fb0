/** A real chain, a real oracle, and what they say of meters: the proofs that the tests hold against the library. */
import type { Hex } from "viem";
import { type Place, toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System, settleUntil } from "../../test/support.ts";
import { type ChainReader, type Parsed, proofFrom, type ReadingProof, rpc } from "../index.ts";

/** 2026-03-20T09:00:00Z */
export const START = 1_773_997_200;
const HOUR = 3600;

/** What an oracle serves, before anybody looked at it. */
export type Served = { [name: string]: unknown };

export type World = {
  place: Place;
  chainUrl: string;
  wattWitness: Hex;
  /** a node that remembers its answers: the chain stands still */
  chain: ChainReader;
  publicKey: Uint8Array;
  /** of the roof, once everything has happened: 60 readings are settled, then 120, and 130 are signed */
  plain: (index: number) => Promise<Served>;
  /** the same with key and place */
  full: (index: number) => Promise<Served>;
  tlog: (index: number) => Promise<string>;
  /** reading 31, served when 60 readings were settled */
  early: Served;
  /** a reading of a key that another one succeeded, of that one's log what is settled, and one from after its end */
  rotated: { before: Served; after: Served; tooLate: Served };
  close: () => Promise<void>;
};

export async function createWorld(): Promise<World> {
  const system = await createSystem(START);
  try {
    return await worldOf(system);
  } catch (error) {
    await system.close();
    throw error;
  }
}

async function worldOf(system: System): Promise<World> {
  const { app, chain, deployment, place } = system;
  const get = async (path: string): Promise<string> => {
    const response = await app.inject({ method: "GET", url: path });
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.body}`);
    return response.body;
  };
  const roof = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
  const old = createTestMeter(system, { powerAt: () => 1_000_000n, start: START, seed: 2 });
  const next = createTestMeter(system, { powerAt: () => 1_000_000n, start: START + HOUR + 300, seed: 3 });
  const served = async (device: typeof roof.device, index: number): Promise<Served> =>
    JSON.parse(await get(`/logs/${toHex(device.keyId)}/${device.epoch}/readings/${index}`));

  await system.at(START + 600);
  for (const meter of [roof, old]) {
    meter.advance(START + 600);
    await system.register(meter.device);
  }
  await settleUntil(system, START + HOUR, roof, old);
  const early = await served(roof.device, 31);

  old.advance(START + HOUR + 600);
  next.advance(START + HOUR + 360);
  await system.at(START + HOUR + 600);
  await system.upload(old.device);
  await system.rotate(old.device, old, next);
  await settleUntil(system, START + 2 * HOUR, roof, next);
  const rotated = {
    before: await served(old.device, 31),
    after: await served(next.device, 20),
    tooLate: await served(old.device, old.device.size - 1),
  };
  roof.advance(START + 2 * HOUR + 600);
  await system.upload(roof.device);

  const keyId = toHex(roof.device.keyId);
  return {
    ...{ place, early, rotated, chainUrl: chain.url, wattWitness: deployment.wattWitness },
    publicKey: roof.device.publicKey,
    chain: remembering(rpc(chain.url)),
    plain: (index) => served(roof.device, index),
    full: async (index) => ({
      ...JSON.parse(await get(`/api/v1/readings/${keyId}/1/${index}/proof`)),
      watt_witness: deployment.wattWitness,
    }),
    tlog: (index) => get(`/tlog/${keyId}/1/${index}.tlog-proof`),
    close: () => system.close(),
  };
}

/** Asks the same only once. */
function remembering(chain: ChainReader): ChainReader {
  const known = new Map<string, Promise<unknown>>();
  return {
    request(call) {
      const key = JSON.stringify(call);
      const answer = known.get(key) ?? chain.request(call);
      known.set(key, answer);
      return answer;
    },
  };
}

export function parsed(served: unknown): ReadingProof {
  const proof: Parsed<ReadingProof> = proofFrom(served);
  if (!proof.ok) throw new Error(proof.problem);
  return proof.value;
}
