/** `wattwitness meter list`, `show`, `proposals`: what the chain says of meters. */
import { formatUnits, type Hex } from "viem";
import { type Deployment, deploymentOf } from "../../chain/deployment.ts";
import {
  allMeters,
  isNobody,
  type Key,
  keysOf,
  type Meter,
  meterOf,
  type Proposal,
  proposalsOf,
} from "../../chain/meters.ts";
import type { GlobalOptions } from "../../command.ts";
import { type Answer, list, table, time } from "../../terminal/telling.ts";

const UNSET = "0x0000000000000000000000000000000000000000000000000000000000000000";

const produced = (energy: bigint): string => `${formatUnits(energy, 6)} kWh`;
const when = (seconds: number): string | undefined => (seconds === 0 ? undefined : `${time(seconds)} UTC`);

/** As programs are told of a meter; energies in mWh, times in Unix seconds. */
const dataOf = ({ keyId, keyCount, produced: energy, settledAt, ...meter }: Meter) => ({
  ...{ ...meter, key_id: keyId, key_count: Number(keyCount) },
  ...{ produced_mwh: energy, settled_at: settledAt },
});

export async function showMeter(id: Hex, options: GlobalOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const meter = await meterOf(deployment, id);
  const [keys, proposals] = await Promise.all([keysOf(deployment, meter), proposalsOf(deployment, id)]);
  const { owner, payout, watcher, keyId, status, capacity, source, details, timestamp, settledAt } = meter;
  const until = (end: number) => (end === 0 ? "to this day" : `until ${time(end)} UTC`);
  const text = list({
    ...{ meter: id, status, owner, payout: payout === owner ? undefined : payout },
    watcher: isNobody(watcher) ? undefined : watcher,
    ...{ capacity: `${capacity} W`, source: `0x${source.toString(16).padStart(2, "0")}` },
    details: details === UNSET ? undefined : details,
    ...{ produced: produced(meter.produced), "last reading": when(timestamp), settled: when(settledAt) },
    key: keyId,
    ...Object.fromEntries(
      keys.map((key, i) => [`key ${i + 1}`, `${key.keyId} from ${when(key.since)} ${until(key.until)}`]),
    ),
    ...Object.fromEntries(proposals.map((each) => [`proposed ${each.change}`, proposalText(each)])),
  });
  return { text, data: { ...dataOf(meter), keys: keys.map(keyData), proposals: proposals.map(proposalData) } };
}

export async function listMeters(options: GlobalOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const meters: Meter[] = [];
  for (const { meter } of await allMeters(deployment)) meters.push(await meterOf(deployment, meter));
  if (meters.length === 0) return { text: "No meter is registered yet.", data: { meters: [] } };
  const head = ["meter", "status", "owner", "capacity", "produced", "last reading"];
  const rows = meters.map((each) => [
    ...[each.meter, each.status, each.owner, `${each.capacity} W`, produced(each.produced)],
    when(each.timestamp) ?? "",
  ]);
  return { text: table(head, rows), data: { meters: meters.map(dataOf) } };
}

export async function listProposals(id: Hex | undefined, options: GlobalOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const ids = id === undefined ? (await allMeters(deployment)).map(({ meter }) => meter) : [id];
  const found = [];
  for (const meter of ids) found.push(...(await ofMeter(deployment, meter)));
  if (found.length === 0) return { text: "Nothing is proposed.", data: { proposals: [] } };
  const rows = found.map(({ meter, ...proposal }) => [
    meter,
    proposal.change,
    proposalText(proposal),
    proposal.proposer,
  ]);
  const proposals = found.map(({ meter, ...proposal }) => ({ meter, ...proposalData(proposal) }));
  return { text: table(["meter", "change", "to", "proposed by"], rows), data: { proposals } };
}

async function ofMeter(deployment: Deployment, meter: Hex): Promise<(Proposal & { meter: Hex })[]> {
  await meterOf(deployment, meter);
  return (await proposalsOf(deployment, meter)).map((proposal) => ({ meter, ...proposal }));
}

const keyData = ({ keyId, since, until }: Key) => ({ key_id: keyId, since, until });

/** A key id, an address, or W. */
function proposedIn({ change, value }: Proposal): string | number {
  if (change === "capacity") return Number(value);
  return `0x${value.toString(16).padStart(change === "key" ? 64 : 40, "0")}`;
}

const proposalText = (proposal: Proposal): string =>
  `${proposedIn(proposal)}${proposal.change === "capacity" ? " W" : ""}, from ${time(proposal.executableAt)} UTC on`;

const proposalData = (proposal: Proposal) => ({
  ...{ change: proposal.change, value: proposedIn(proposal) },
  ...{ executable_at: proposal.executableAt, proposer: proposal.proposer },
});
