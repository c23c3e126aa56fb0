/** A small world on a real chain to which about everything happens that can, and the batches of its readings. */
import { decodeFunctionData, type Hex, zeroAddress, zeroHash } from "viem";
import { wattWitnessAbi } from "../../../contracts/abi.ts";
import { type Equivocation, encodeEquivocation, equivocationOf, type Story } from "../../../contracts/equivocation.ts";
import {
  attestedItems,
  bent,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  type Part,
  produce,
  registrationOf,
  START,
  STEP,
  segmentOf,
  signHead,
  type TestMeter,
  unattestedItem,
} from "../../../contracts/test/fixture.ts";
import { createLog, encodeBatch, type Head, inclusionProof } from "../../../protocol/index.ts";

const DAY = 24 * 3600;
const RAISED = 8000; // W

/** The reading of which two stories differ. */
export const TOLD_OTHERWISE = 120;

export type World = Fixture & { batches: Uint8Array[]; roof: TestMeter; meters: Hex[] };

export async function createWorld(): Promise<World> {
  const chain = await deployFixture("default", 0);
  const { place, owner, stranger, admin, registryCall } = chain;
  const batches: Uint8Array[] = [];
  const keep = (...parts: Part[]) =>
    batches.push(encodeBatch({ domain: (parts[0] as Part).meter.headDomain, segments: parts.map(segmentOf) }));
  const attested = async (...parts: Part[]) => {
    keep(...parts);
    await chain.settleAttested(...parts);
  };
  const alone = (part: Part) => chain.settle(zeroHash, [unattestedItem(part)]);
  const later = (time: number, energy: bigint, count = 100) =>
    produce({ count, from: { timestamp: START + time, energy } });

  const roof = createMeter(place, 1);
  const barn = createMeter(place, 2);
  const shed = createMeter(place, 3);
  const successor = createMeter(place, 4, later(4000, 0n, 400));
  await chain.register(roof);
  await registryCall("register", [registrationOf(barn, owner.account.address, 3)]);
  await chain.register(shed);
  await chain.at(START + 4000);

  await attested({ meter: roof, to: 100 }, { meter: barn, to: 50, settled: 3 });
  await registryCall("setPayout", [roof.id, stranger.account.address], owner);
  await attested({ meter: roof, to: 200, settled: 100 });

  // a stranger settles a head in the middle of what the oracle keeps in one segment
  keep({ meter: shed, to: 200, from: 0 });
  await alone({ meter: shed, to: 150 });
  await registryCall("transferFrom", [owner.account.address, stranger.account.address, BigInt(shed.id)], owner);
  await attested({ meter: shed, to: 300, settled: 150 });

  await chain.rotate(barn.id, barn, successor);
  await registryCall("lowerCapacity", [barn.id, 4000]);
  await chain.at(START + 6000);
  await attested({ meter: successor, to: 60, capacity: 4000 });

  // the shed's register went on in another log
  shed.begin(2, later(3500, 320n * STEP));
  await attested({ meter: shed, epoch: 2, to: 80, settled: 0, settledTimestamp: START + 2990 });
  // the roof's was lost twice: the log between, and the rest of the first, are settled after the last
  roof.begin(2, later(2500, 3n));
  roof.begin(3, later(4500, 5n));
  await attested({ meter: roof, epoch: 3, to: 90, settled: 0, settledTimestamp: START + 1990 });
  await attested(await chain.partOf(roof, 2, 70));
  const rest = await chain.partOf(roof, 1, 240);
  keep(rest);
  await alone(rest);

  await registryCall("proposeCapacity", [roof.id, RAISED]);
  await chain.at(START + 15 * DAY);
  await registryCall("raiseCapacity", [roof.id], stranger);
  const raised = { meter: roof, epoch: 3, settled: 90, capacity: RAISED };
  await attested({ ...raised, to: 100 });

  const retire = (by: typeof owner, amount: bigint, purpose: string) =>
    chain.send({ ...chain.token, functionName: "retire", args: [amount, zeroAddress, "a baker", purpose] }, by);
  await chain.send({ ...chain.token, functionName: "transfer", args: [admin.account.address, 10n ** 15n] }, owner);
  await retire(stranger, 10n ** 17n, "bread");
  await retire(admin, 10n ** 14n, "tea");
  await registryCall("decommission", [barn.id]);
  // it comes too late, and then its key tells two stories
  const passed = attestedItems([{ meter: shed, to: 310, settled: 300 }]);
  await chain.attest(passed.attestation);
  await chain.settle(passed.attestation, passed.items);
  await equivocate(chain, shed);
  await prove(chain, storiesOf(roof, TOLD_OTHERWISE));
  return { ...chain, batches, roof, meters: [roof.id, barn.id, shed.id] };
}

/** Two heads of one size, which contradict each other by themselves. */
async function equivocate(chain: Fixture, meter: TestMeter): Promise<void> {
  const [one, other] = [headOf(meter, 400), { ...headOf(meter, 400), root: new Uint8Array(32).fill(1) }];
  const storyOf = (head: Head): Story => ({
    ...{ head, signature: signHead(meter, head), reading: new Uint8Array(32), proof: [] },
  });
  await prove(chain, equivocationOf(meter.publicKey, 0, [storyOf(one), storyOf(other)]));
}

/** Of a device that tells in 250 readings another story than in 200. */
export function storiesOf(meter: TestMeter, index: number): Equivocation {
  const readings = meter.readingsOf();
  const liar = readings.with(TOLD_OTHERWISE, bent(readings[TOLD_OTHERWISE] as Uint8Array, { power: 1n }));
  const storyOf = (told: readonly Uint8Array[]): Story => {
    const log = createLog(told);
    const head = { epoch: 1, size: told.length, reading: told.at(-1) as Uint8Array, root: log.root(told.length) };
    const proof = inclusionProof(log.range, index, told.length);
    return { head, signature: signHead(meter, head), reading: told[index] as Uint8Array, proof };
  };
  return equivocationOf(meter.publicKey, index, [storyOf(readings.slice(0, 200)), storyOf(liar.slice(0, 250))]);
}

async function prove(chain: Fixture, equivocation: Equivocation): Promise<void> {
  const { args = [] } = decodeFunctionData({ abi: wattWitnessAbi, data: encodeEquivocation(equivocation) });
  await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [...args] });
}
