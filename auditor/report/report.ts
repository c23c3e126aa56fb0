/**
 * The page that an auditor hands over, from what `audit --json` tells: what was checked and how, what was found, every figure with
 * its evidence, and what was not checked. It is made of nothing else, so that the same audit gives the same bytes.
 */
import { formatUnits } from "viem";
import { type Finding, type Verdict, verdictOf } from "../finding.ts";
import { facts, heading, list, type Page, subheading, table, text, title } from "./page.ts";

/** As it is told in JSON: energies and units are decimal texts. */
export type TellableAudit = {
  verdict: Verdict;
  findings: Finding[];
  figures: Record<string, string | number> & { conditions: Record<string, number> };
  scope: { meters?: string[]; from?: number; to?: number; transaction?: string };
  places: string[];
  nodes: number;
  resumed?: string;
  contracts?: { chainId: number; registry: string; wattWitness: string; token: string; attestors: string[] };
  block?: { number: number; hash: string; timestamp: number };
  events?: number;
  events_hash?: string;
  source_hash?: string;
  by_contract?: { keyId: string; transaction: string }[];
  settlements?: ToldSettlement[];
  meters?: { meter: string; owner: string; details: string; keys: ToldKey[] }[];
  retirements?: ToldRetirement[];
};

type ToldKey = {
  key_id: string;
  status: string;
  since: number;
  until: number;
  capacity: number;
  produced_mwh: string;
};

type ToldSettlement = {
  meter: string;
  keyId: string;
  epoch: number;
  fromSize: number;
  size: number;
  timestamp: number;
  produced: string;
  root: string;
  attestation: string;
  where: { block: number; transaction: string };
  verified: boolean;
  evidence: { batch?: string; place: string } | null;
};

type ToldRetirement = {
  serial: string;
  from: string;
  beneficiary: string;
  amount: string;
  name: string;
  purpose: string;
  retiredAt: number;
  where: { transaction: string };
};

const FIELDS = { verdict: "string", findings: "object", figures: "object", scope: "object", places: "object" };

/** What a file says that is an audit's; a sentence where it is none. */
export function auditFrom(json: unknown): TellableAudit | string {
  const told = (json ?? {}) as Record<string, unknown>;
  for (const [name, type] of Object.entries(FIELDS)) {
    if (typeof told[name] !== type) return `it has no ${name}: it is not what "audit --json" tells`;
  }
  const audit = json as TellableAudit;
  if (!Array.isArray(audit.findings) || verdictOf(audit.findings) !== audit.verdict) {
    return "its verdict is another than its findings come to";
  }
  return audit;
}

const VERDICTS: Record<Verdict, string> = {
  verified: "Verified: every token leads back to what a registered device signed.",
  refuted: "Refuted: at least one thing is not as the rules say. Each is listed under What was found.",
  "cannot tell": "Cannot tell: something is missing. Each is listed under What was found.",
};

export function reportOf(audit: TellableAudit): Page {
  const { verdict, figures, contracts, block } = audit;
  const of = contracts ? ` of ${contracts.registry} on chain ${contracts.chainId}` : "";
  const isPart = (audit.settlements?.length ?? 0) < Number(figures["settlements"]);
  const scoped = isPart && verdict === "verified" ? "Verified, of the settlements that were looked for." : undefined;
  return [
    title("WattWitness audit report"),
    { is: "verdict", verdict, text: scoped ?? VERDICTS[verdict] },
    heading("What was checked"),
    text(`All that the contracts${of} ever told, up to one block, and the readings behind it.`),
    facts({
      Chain: contracts?.chainId,
      MeterRegistry: contracts?.registry,
      WattWitness: contracts?.wattWitness,
      Token: contracts?.token,
      Attestors: contracts?.attestors.join(", ") || undefined,
      Block: block && `${block.number}, ${block.hash}`,
      "Time of block": block && time(block.timestamp),
      Events: audit.events && `${audit.events}, keccak-256 over all: ${audit.events_hash}`,
      "DON's source": audit.source_hash && `keccak-256 ${audit.source_hash}`,
      "Readings from": audit.places.join(", ") || "nowhere",
      Meters: audit.scope.meters?.join(", ") ?? "all",
      "Settled from": audit.scope.from === undefined ? undefined : time(audit.scope.from),
      "Settled before": audit.scope.to === undefined ? undefined : time(audit.scope.to),
      Transaction: audit.scope.transaction,
    }),
    heading("How"),
    list(howOf(audit)),
    heading("What was found"),
    ...foundIn(audit.findings),
    heading("Figures"),
    facts(figuresOf(figures)),
    ...metersOf(audit),
    ...retirementsOf(audit),
    heading("What was not checked"),
    list(uncheckedIn(audit)),
  ];
}

const howOf = ({ nodes }: TellableAudit): string[] => [
  "Every event in the one form that the contracts write, of a block that the node has, in the chain's order.",
  "The contracts' rules, replayed event by event: keys and their intervals, logs that only go forward, what was minted against what the register rose, capacity, time, payee, proposals, attestations, retirements.",
  "What the contracts' views say at that block, against the replay.",
  "Every claim, rotation and equivocation, from the transactions that brought them.",
  "Every reading of the settlements looked for: hashed, held against the rules between readings, the root of its log, the device's signature, the root that was settled before, the attestation over its batch.",
  ...(nodes > 1 ? ["A second node of the chain told the same block and the same events."] : []),
];

function foundIn(findings: readonly Finding[]): Page {
  if (findings.length === 0) return [text("Nothing that is wrong, and nothing that is missing.")];
  return findings.flatMap(({ is, rule, object, expected, found, where }) => [
    subheading(`${is === "refuted" ? "Refuted" : "Missing"}: ${rule}`),
    facts({
      Object: object,
      Expected: expected,
      Found: found,
      Where: placed(where) || undefined,
    }),
  ]);
}

const placed = (where: Finding["where"]): string =>
  Object.entries(where ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

function figuresOf(figures: TellableAudit["figures"]): Record<string, string> {
  const { conditions, ...rest } = figures;
  const plain = Object.entries(rest).map(([name, value]) => [words(name), amount(name, value)]);
  const counted = Object.entries(conditions).map(([name, value]) => [`Readings ${name}`, String(value)]);
  return Object.fromEntries([...plain, ...counted]);
}

const words = (name: string): string => capital(name.replace(/_(mwh|units)$/, "").replaceAll("_", " "));
const capital = (said: string): string => `${said.slice(0, 1).toUpperCase()}${said.slice(1)}`;

function amount(name: string, value: string | number): string {
  if (name.endsWith("_mwh")) return kWh(value, 6);
  return name.endsWith("_units") ? kWh(value, 18) : String(value);
}

const kWh = (value: string | number | bigint, digits: number): string =>
  /^\d+$/.test(String(value)) ? `${formatUnits(BigInt(value), digits)} kWh` : String(value);

/** UTC, as every reading is. */
const time = (seconds: number): string =>
  Number.isSafeInteger(seconds) && seconds < 2 ** 40
    ? `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`
    : String(seconds);

const sumOf = (settlements: readonly ToldSettlement[]): bigint =>
  settlements.reduce((all, { produced }) => all + BigInt(produced), 0n);

function metersOf({ meters = [], settlements = [] }: TellableAudit): Page {
  const parts = meters.flatMap(({ meter, owner, details, keys }): Page => {
    const own = settlements.filter((each) => each.meter === meter);
    const produced = keys.reduce((all, { produced_mwh }) => all + BigInt(produced_mwh), 0n);
    return [
      subheading(`Meter ${meter}`),
      facts({
        Owner: owner,
        "Details, hash": details,
        "Produced and minted": `${kWh(produced, 6)} in all, ${kWh(sumOf(own), 6)} in the ${own.length} settlements looked for`,
      }),
      table(
        ["Key", "Status", "From", "Before", "Capacity", "Produced"],
        keys.map(({ key_id, status, since, until, capacity, produced_mwh }) => [
          ...[key_id, status, time(since), until === 0 ? "open" : time(until), `${capacity} W`],
          kWh(produced_mwh, 6),
        ]),
      ),
      ...(own.length === 0 ? [text("No settlement of it was looked for, or it has none.")] : [settlementsTable(own)]),
    ];
  });
  return parts.length === 0 ? [] : [heading("Meters"), ...parts];
}

const settlementsTable = (settlements: readonly ToldSettlement[]) =>
  table(
    ["Up to", "Epoch, readings", "Produced", "Root and transaction", "Evidence"],
    settlements.map(({ timestamp, epoch, fromSize, size, produced, root, where, verified, evidence }) => [
      ...[time(timestamp), `${epoch}, ${fromSize} to ${size}`, kWh(produced, 6)],
      `root ${root}, block ${where.block}, transaction ${where.transaction}`,
      verified
        ? `verified: ${evidence?.batch ? `batch ${evidence.batch}` : `tiles of ${evidence?.place}`}`
        : "not verified",
    ]),
  );

function retirementsOf({ retirements = [] }: TellableAudit): Page {
  if (retirements.length === 0) return [];
  return [
    heading("Retirements"),
    text("Names and purposes are the words of whoever retired."),
    table(
      ["Serial", "When", "Amount", "By and for", "Name", "Purpose", "Transaction"],
      retirements.map(({ serial, retiredAt, amount, from, beneficiary, name, purpose, where }) => [
        ...[serial, time(retiredAt), kWh(amount, 18), `${from} for ${beneficiary}`, name, purpose, where.transaction],
      ]),
    ),
  ];
}

function uncheckedIn({ figures, nodes, by_contract = [], resumed, settlements = [] }: TellableAudit): string[] {
  const outside = Number(figures["settlements"]) - settlements.length;
  return [
    ...(nodes > 1 ? [] : ["No second node was asked: one that lies without contradicting itself is believed."]),
    ...(outside > 0 ? [`The readings of ${outside} settlements outside of what was looked for.`] : []),
    ...(resumed === "yes"
      ? ["Readings that an earlier audit had verified, as its checkpoint says, were not read again."]
      : []),
    ...by_contract.map(
      ({ keyId, transaction }) =>
        `The claim of key ${keyId} in transaction ${transaction}, which the contract alone has checked.`,
    ),
    "The state of the chain against its block headers, and that blocks are final.",
    "That the contracts' code is this project's, that roles were rightly given, and what an earlier registry did.",
    "What changes nothing: skipped items, proposals never executed, approvals, metadata.",
    "That a reading is true to what the installation produced: it is what the device signed.",
  ];
}
