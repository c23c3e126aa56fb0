/** A small world on a real chain to which about everything happens that can, and the batches of its readings. */
import { type Hex, zeroAddress, zeroHash } from "viem";
import { headParts, publicKeyParts, signatureParts } from "../../../contracts/settlement.ts";
import {
  attestedItems,
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
import { encodeBatch } from "../../../protocol/index.ts";

const DAY = 24 * 3600;
const RAISED = 8000; // W

export type World = Fixture & { batches: Uint8Array[]; meters: Hex[] };

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
  return { ...chain, batches, meters: [roof.id, barn.id, shed.id] };
}

async function equivocate(chain: Fixture, meter: TestMeter): Promise<void> {
  const [one, other] = [headOf(meter, 400), { ...headOf(meter, 400), root: new Uint8Array(32).fill(1) }];
  const nothing = { index: 0n, reading: zeroHash, proof: [] };
  const equivocation = {
    ...{ key: publicKeyParts(meter.publicKey), first: headParts(one), second: headParts(other) },
    ...{
      firstSignature: signatureParts(signHead(meter, one)),
      secondSignature: signatureParts(signHead(meter, other)),
    },
    ...{ one: nothing, other: nothing },
  };
  await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [equivocation] });
}
