/**
 * The life of three meters on a real chain, with real contracts and a real DON, while the indexer looks on: everything
 * that the subgraph can tell of happens once. Times are the meters': s since START.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeFunctionData, type Hex, toHex as hexOf, zeroAddress, zeroHash } from "viem";
import type { Wallet } from "../../contracts/deploy.ts";
import { headParts, publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import {
  attestedItems,
  CHANGE,
  createMeter,
  deployOn,
  headOf,
  type Part,
  placed,
  produce,
  rebased,
  START,
  segmentOf,
  signHead,
  type TestMeter,
  unattestedItem,
} from "../../contracts/test/fixture.ts";
import { withFunctions } from "../../contracts/test/functions.ts";
import type { Stops } from "../../demo/processes/stop.ts";
import { batchDigest, encodeBatch, timestampOf, toHex } from "../../protocol/index.ts";
import type { Anvil } from "../../test/anvil.ts";

const DON_SOURCE = new URL("../../functions-source/verify-batch.js", import.meta.url);

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** mW: a meter that makes 3.6 kWh an hour */
const POWER = 3_600_000n;

/** What somebody may write who means harm: a zero byte, and no UTF-8. */
const ODD_TEXT = "0x41000042ff43" as const;

export type Story = Awaited<ReturnType<typeof prepare>>;

/** The contracts, before anything has happened. */
export async function prepare(anvil: Anvil, stops: Stops) {
  const fixture = await deployOn(anvil);
  const functions = await withFunctions(fixture, await readFile(DON_SOURCE, "utf8"));
  stops.add(() => functions.don.stop());
  const [buyer, payout] = fixture.wallets.slice(5) as [Wallet, Wallet];
  const readings = (interval: number, count: number) => produce({ count, interval, power: POWER });
  const roof = createMeter(fixture.place, 1, readings(5 * MINUTE, 60));
  const barn = createMeter(fixture.place, 2, readings(5 * MINUTE, 60));
  const shed = createMeter(fixture.place, 3, readings(HOUR, 45 * 24));
  return { ...fixture, ...{ functions, buyer, payout, roof, barn, shed } };
}

/** A step of the story, and the block that ended it. */
export type Step = { title: string; block: bigint };

/** Tells it, and calls `told` after every step. */
export async function tell(story: Story, stops: Stops, told: (step: Step) => Promise<void>): Promise<void> {
  const { roof, barn, shed, owner, buyer, payout, stranger, registry, wattWitness, token } = story;
  const { send, settle, settleAttested, registryCall, publicClient } = story;
  const at = (time: number) => story.at(START + time);
  const step = async (title: string, happen: () => Promise<unknown>) => {
    await happen();
    await told({ title, block: await publicClient.getBlockNumber() });
  };
  const attested = async (...parts: Part[]) => {
    const made = attestedItems(parts);
    await story.attest(made.attestation);
    return made;
  };
  const begin = (meter: TestMeter, epoch: number, time: number, energy: bigint) =>
    meter.begin(
      epoch,
      produce({ count: 40, interval: 5 * MINUTE, power: POWER, from: { timestamp: START + time, energy } }),
    );
  const timeOf = (meter: TestMeter, size: number, epoch = 1) =>
    timestampOf(meter.readingsOf(epoch)[size - 1] as Uint8Array);

  await step("three meters are registered", async () => {
    for (const meter of [roof, barn, shed]) await story.register(meter);
  });

  await step("the DON refuses a batch that it cannot find, and confirms it when it can", async () => {
    await at(HOUR);
    const parts = [roof, barn].map((meter) => ({ meter, to: 13 }));
    const batch = encodeBatch({ domain: roof.headDomain, segments: parts.map(segmentOf) });
    const { attestation, items } = attestedItems(parts);
    const server = await serve(batch, stops);
    await story.functions.ask(toHex(batchDigest(batch)), attestation, [`${server}/nothing`]);
    await story.functions.ask(toHex(batchDigest(batch)), attestation, [`${server}/batch`]);
    await settle(attestation, items);
  });

  await step("a meter settles, is sold, and settles, in one block", async () => {
    await at(2 * HOUR);
    const first = await attested({ meter: roof, to: 19, settled: 13 });
    const second = await attested({ meter: roof, to: 25, settled: 19 });
    const sale = [owner.account.address, buyer.account.address, BigInt(roof.id)];
    await story.inOneBlock([
      [wattWitness, "settle", [first.attestation, first.items], stranger],
      [registry, "transferFrom", sale, owner],
      [wattWitness, "settle", [second.attestation, second.items], stranger],
    ]);
  });

  await step("an owner has somebody else paid", async () => {
    await registryCall("setPayout", [barn.id, payout.account.address], owner);
    await settleAttested({ meter: barn, to: 25, settled: 13 });
  });

  await step("an item that lost a race is skipped", async () => {
    const { attestation, items } = attestedItems([{ meter: barn, to: 25, settled: 13 }]);
    await settle(attestation, items);
    await settle(zeroHash, [rebased(unattestedItem({ meter: barn, to: 26, settled: 25 }), { settledSize: 1 })]);
  });

  await step("a device begins a new log, and its register went on", async () => {
    await at(5 * HOUR);
    begin(roof, 2, 4 * HOUR, 15_000_000n);
    await settleAttested({ meter: roof, epoch: 2, to: 7, settled: 0, settledTimestamp: timeOf(roof, 25) });
  });

  await step("what it had not sent of the old one would mint nothing, and is skipped", () =>
    settleAttested({ meter: roof, to: 30, settled: 25 }),
  );

  await step("a device begins a new log, and has lost its register", async () => {
    begin(barn, 3, 4 * HOUR, 0n);
    await settleAttested({ meter: barn, epoch: 3, to: 13, settled: 0, settledTimestamp: timeOf(barn, 25) });
  });

  await step("a log in between, and then the rest of it, fills the gap", async () => {
    begin(barn, 2, 3 * HOUR, 9_000_000n);
    await settleAttested({ meter: barn, epoch: 2, to: 5, settled: 0, settledTimestamp: timeOf(barn, 25) });
    await settleAttested({ meter: barn, epoch: 2, to: 8, settled: 5 });
  });

  const newRoof = createMeter(
    story.place,
    11,
    produce({ count: 40, interval: 5 * MINUTE, power: POWER, from: { timestamp: START + 6 * HOUR } }),
  );
  await step("the buyer rotates to a key of his own", async () => {
    await at(6 * HOUR);
    await story.rotate(roof.id, roof, newRoof, {}, buyer);
    await at(8 * HOUR);
    await settleAttested({ meter: newRoof, to: 25 });
    await settleAttested({ meter: roof, epoch: 2, to: 20, settled: 7 });
  });

  const liar = createMeter(story.place, 2);
  await step("a device is shown to have told two stories", async () => {
    const honest = barn.readingsOf(3);
    const told = produce({
      count: 40,
      interval: 5 * MINUTE,
      power: POWER,
      from: { timestamp: START + 4 * HOUR, power: 1n },
    });
    liar.begin(3, [...honest.slice(0, 20), ...told.slice(20)]);
    const [first, second] = [headOf(barn, 24, 3), headOf(liar, 36, 3)];
    const equivocation = {
      key: publicKeyParts(barn.publicKey),
      ...{ first: headParts(first), firstSignature: signatureParts(signHead(barn, first)) },
      ...{ second: headParts(second), secondSignature: signatureParts(signHead(liar, second)) },
      ...{ one: placed(barn, 23, 24, 3), other: placed(liar, 23, 36, 3) },
    };
    await send({ ...wattWitness, functionName: "proveEquivocation", args: [equivocation] }, stranger);
    await settleAttested({ meter: barn, epoch: 3, to: 24, settled: 13 });
  });

  const newBarn = createMeter(
    story.place,
    12,
    produce({ count: 40, interval: 5 * MINUTE, power: POWER, from: { timestamp: START + 9 * HOUR } }),
  );
  await step("and works again with another key", async () => {
    await at(9 * HOUR);
    await story.rotate(barn.id, barn, newBarn);
    await at(10 * HOUR);
    await settleAttested({ meter: newBarn, to: 13 });
  });

  await step("tokens go to somebody else, and are retired", async () => {
    const amount = 10n ** 18n;
    await send({ ...token, functionName: "transfer", args: [stranger.account.address, 3n * amount] }, owner);
    const retire = (beneficiary: Hex, name: string, purpose: string) => ({
      ...token,
      functionName: "retire",
      args: [amount, beneficiary, name, purpose],
    });
    await send(retire(buyer.account.address, "Ada Lovelace", "a year of reading lamps"), stranger);
    const data = encodeFunctionData(retire(zeroAddress, "?".repeat(6), 'she said "thanks"\n☀') as never);
    const odd = data.replace(hexOf("?".repeat(6)).slice(2), ODD_TEXT.slice(2)) as Hex;
    await publicClient.waitForTransactionReceipt({
      hash: await stranger.sendTransaction({ to: token.address, data: odd, chain: stranger.chain }),
    });
  });

  await step("a registrar proposes, an owner cancels", async () => {
    await registryCall("proposeKey", [shed.id, createMeter(story.place, 13).id]);
    await registryCall("proposeOwner", [shed.id, payout.account.address]);
    await registryCall("proposeCapacity", [shed.id, 6000]);
    await registryCall("proposeCapacity", [shed.id, 7000]);
    await registryCall("cancelProposal", [shed.id, CHANGE.Key], owner);
  });

  await step("and after fourteen days anyone executes", async () => {
    await at(15 * DAY);
    await registryCall("recoverOwner", [shed.id], stranger);
    await registryCall("raiseCapacity", [shed.id], stranger);
  });

  await step("a batch was made for another capacity", async () => {
    await settleAttested({ meter: shed, to: 25 });
    await registryCall("lowerCapacity", [shed.id, 6500]);
  });

  await step("after thirty days a device's signature is enough", async () => {
    await at(41 * DAY);
    await settle(zeroHash, [unattestedItem({ meter: shed, to: 40 * 24 + 1, capacity: 6500 })]);
  });

  await step("guardians stop registration and requests", async () => {
    await registryCall("pause", [], story.guardian);
    await send({ ...story.functions.contract, functionName: "pause", args: [] }, story.guardian);
    await registryCall("unpause", [], story.guardian);
  });

  await step("an operator leaves an order for keepers", async () => {
    await send({ ...story.functions.contract, functionName: "unpause", args: [] }, story.guardian);
    const order = [
      `0x${"d1".repeat(32)}`,
      `0x${"a7".repeat(32)}`,
      ["http://127.0.0.1:1/"],
      story.functions.subscriptionId,
    ];
    await send({ ...story.functions.contract, functionName: "order", args: order }, story.functions.operator);
  });

  await step("a meter is taken down", async () => {
    await registryCall("decommission", [barn.id], owner);
    await settleAttested({ meter: newBarn, to: 20, settled: 13 });
  });
}

/** Serves a batch at /batch, and nothing anywhere else. */
async function serve(batch: Uint8Array, stops: Stops): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/batch" ? 200 : 404;
    response.end(request.url === "/batch" ? batch : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
