/** What goes in and out over HTTP. Bytes are `0x…` in lower case, energies decimal mWh, times Unix seconds. */
import { STATUS_CODES } from "node:http";
import Type, { type Static, type TSchema } from "typebox";
import { STATUSES } from "../chain/chain.ts";

export const hex = (bytes: number) => Type.String({ pattern: `^0x[0-9a-f]{${2 * bytes}}$` });
/** Of any length up to `bytes`, so that a wrong length is the protocol's to refuse. */
const hexUpTo = (bytes: number) => Type.String({ pattern: "^0x([0-9a-f]{2})*$", maxLength: 2 + 2 * bytes });
export const closed = { additionalProperties: false };

export const Hash = hex(32);
const Address = Type.String({ pattern: "^0x[0-9a-fA-F]{40}$" });
export const Epoch = Type.Integer({ minimum: 0, maximum: 0xffff_ffff });
export const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const Count = Type.Integer({ minimum: 0 });
export const Energy = Type.String({ pattern: "^\\d+$" });

/** RFC 9457, with the rule that was broken and the values that explain it; of a gap the size to go on from. */
export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    rule: Type.String(),
    size: Type.Optional(Count),
  },
  { additionalProperties: true },
);

const problemOf = (status: number) => ({
  description: STATUS_CODES[status] ?? "Refused",
  content: { "application/problem+json": { schema: ProblemBody } },
});

/** What any route may answer: too long a request, too many, that it failed, and that it cannot be done now. */
const ALWAYS = [413, 429, 500, 503];

/** The answers of a route: its own, and a refusal with any of `statuses`. */
export const answers = <T extends TSchema>(body: T, ...statuses: number[]) => refusals({ 200: body }, ...statuses);

/** The same for a route that has answers of several kinds. */
export const refusals = <T extends object>(own: T, ...statuses: number[]) =>
  ({
    ...Object.fromEntries([...new Set([...statuses, ...ALWAYS])].map((status) => [status, problemOf(status)])),
    ...own,
  }) as T;

export const KeyParams = Type.Object({ keyId: Hash });
export const LogParams = Type.Object({ keyId: Hash, epoch: Epoch });
export const ReadingParams = Type.Object({ keyId: Hash, epoch: Epoch, index: Size });
export const DigestParams = Type.Object({ digest: Hash });
export const PageQuery = Type.Object(
  { from: Type.Optional(Size), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) },
  closed,
);

export const PostBody = Type.Object(
  { keyId: Hash, epoch: Epoch, size: Size, readings: Type.Array(hexUpTo(64)), signature: hexUpTo(128) },
  closed,
);
const octets = (description: string) => ({
  description,
  content: { "application/octet-stream": { schema: Type.Any() } },
});
const UNCHANGED = { description: "It is what was tagged so", type: "null" };
const text = (description: string) => ({
  description,
  content: { "text/plain": { schema: Type.String() } },
});
/** Of bytes that never change. */
export const BATCH_ANSWERS = refusals(
  { 200: octets("The batch"), 206: octets("The part asked for"), 304: UNCHANGED },
  ...[400, 404, 416],
);
export const TileParams = Type.Object({
  keyId: Hash,
  epoch: Epoch,
  /** 0 to 63, or `entries` */
  level: Type.String(),
  /** index in groups of three digits, as in `x001/x234/067`, and of a tile that is not full `.p/` and its width */
  "*": Type.String(),
});
export const TILE_ANSWERS = refusals(
  {
    200: octets("Hashes of 32 bytes, or readings each after its length as u16"),
    206: octets("The part asked for"),
    304: UNCHANGED,
  },
  ...[400, 404, 416],
);
export const CHECKPOINT_ANSWERS = refusals({ 200: text("A signed note (c2sp.org/tlog-checkpoint)") }, 400, 404);
export const PROOF_ANSWERS = refusals({ 200: text("A proof (c2sp.org/tlog-proof)") }, 400, 404);
export const VKEY_ANSWERS = refusals(
  { 200: text("Verifier keys (c2sp.org/signed-note): the device's, the oracle's") },
  400,
  404,
);
export const NoteKeyAnswer = Type.Object({ algorithm: Type.Literal("Ed25519"), publicKey: Hash });
export const PostAnswer = Type.Object({ size: Count });

export const RegistrationBody = Type.Object(
  {
    publicKey: hex(64),
    owner: Address,
    capacity: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
    source: Type.Integer({ minimum: 0, maximum: 0xff }),
    details: Hash,
    baseline: Type.Object({ epoch: Epoch, size: Size, reading: Hash, root: Hash }, closed),
    claim: hexUpTo(128),
  },
  closed,
);
export const ApplicationBody = Type.Object({
  keyId: Hash,
  ...RegistrationBody.properties,
  status: Type.Union([Type.Literal("pending"), Type.Literal("registered")]),
});
export const ApplicationsAnswer = Type.Object({ registrations: Type.Array(ApplicationBody) });

const Mark = Type.Object({
  epoch: Epoch,
  fromSize: Count,
  size: Count,
  root: Hash,
  produced: Energy,
  attestation: Type.Optional(Hash),
  transaction: Hash,
  block: Count,
  confirmed: Type.Boolean(),
});
const LogState = Type.Object({
  epoch: Epoch,
  /** readings here */
  stored: Count,
  /** readings on chain */
  settled: Count,
  last: Type.Optional(Hash),
});
export const MeterBody = Type.Object({
  keyId: Hash,
  /** its first key */
  meter: Hash,
  status: Type.Enum([...STATUSES]),
  /** of a key that is over: Unix time (s) before which its readings count */
  until: Type.Optional(Count),
  /** the key that succeeded this one */
  successor: Type.Optional(Hash),
  publicKey: hex(64),
  owner: Address,
  capacity: Count,
  source: Count,
  details: Hash,
  latest: Type.Object({ epoch: Epoch, size: Count, timestamp: Count, energy: Energy }),
  logs: Type.Array(LogState),
});
export const MetersAnswer = Type.Object({ meters: Type.Array(MeterBody) });
export const MeterAnswer = Type.Object({ ...MeterBody.properties, settlements: Type.Array(Mark) });

export const ReadingsAnswer = Type.Object({ from: Count, size: Count, readings: Type.Array(Hash) });

const Proof = Type.Array(Hash);
export const ReadingAnswer = Type.Object({
  keyId: Hash,
  epoch: Epoch,
  index: Count,
  reading: Hash,
  /** under the newest head that the device signed */
  signed: Type.Object({ size: Count, reading: Hash, root: Hash, signature: hex(64), proof: Proof }),
  /** under the log as it is settled; absent = not yet */
  settled: Type.Optional(Type.Object({ size: Count, root: Hash, proof: Proof, mark: Type.Optional(Mark) })),
});

const Head = Type.Object({ epoch: Epoch, size: Size, reading: Hash, root: Hash });
const SignatureParts = Type.Object({ r: Hash, s: Hash });
const PlacedReading = Type.Object({ index: Size, reading: Hash, proof: Proof });
const KeptEquivocation = {
  keyId: Hash,
  epoch: Epoch,
  /** Unix time, s */
  seenAt: Count,
  /** of the key, as the chain has it: frozen, once the equivocation was proven */
  status: Type.Enum([...STATUSES]),
};
export const EquivocationsAnswer = Type.Object({ equivocations: Type.Array(Type.Object(KeptEquivocation)) });
export const EquivocationAnswer = Type.Object({
  ...KeptEquivocation,
  /** what WattWitness.proveEquivocation takes */
  equivocation: Type.Object({
    ...{ key: Type.Object({ x: Hash, y: Hash }) },
    ...{ first: Head, firstSignature: SignatureParts, second: Head, secondSignature: SignatureParts },
    ...{ one: PlacedReading, other: PlacedReading },
  }),
  /** the same as a call that anybody may make; `to` is WattWitness */
  call: Type.Object({ to: Type.Optional(Address), data: Type.String({ pattern: "^0x[0-9a-f]+$" }) }),
});

const nullable = <T>(type: "string" | "integer") => Type.Unsafe<T | null>({ type: [type, "null"] });
/** Unix times, s; the end is exclusive. */
const Period = Type.Object({ start: Count, end: Count });
/** A key at a glance: energies in mWh; null where nothing was read yet. */
const GlanceBody = Type.Object({
  key_id: Hash,
  meter_id: Hash,
  /** as it announced itself */
  name: nullable<string>("string"),
  status: Type.Enum([...STATUSES]),
  successor: nullable<string>("string"),
  owner: Address,
  /** W */
  capacity: Count,
  last_boot_timestamp: nullable<number>("integer"),
  /** when its first reading was taken */
  since: nullable<number>("integer"),
  /** readings here, of all its logs */
  stored: Count,
  /** its newest log, and the newest reading in it */
  epoch: nullable<number>("integer"),
  size: Count,
  last: nullable<string>("string"),
  /** the newest head on chain */
  settled: Type.Object({ epoch: Count, size: Count, timestamp: Count }),
  today_mwh: nullable<string>("string"),
  month_mwh: nullable<string>("string"),
  total_mwh: nullable<string>("string"),
  minted_mwh: Energy,
});
export const OverviewQuery = Type.Object(
  { time_zone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
  closed,
);
export const OverviewAnswer = Type.Object({
  time_zone: Type.String(),
  /** the oracle's clock, Unix time (s) */
  now: Count,
  day: Period,
  month: Period,
  chain_id: Count,
  registry: Address,
  watt_witness: nullable<string>("string"),
  /** null = this deployment has none */
  hourly_certificates: nullable<string>("string"),
  park_factory: nullable<string>("string"),
  /** the deployment's first, from which the oracle follows the chain */
  from_block: Count,
  /** the newest that the oracle has seen */
  block: Count,
  /** why nothing is settled at the moment, a sentence each */
  obstacles: Type.Array(Type.String()),
  meters: Type.Array(GlanceBody),
});

/** Where HTML is asked for, it is a page that says the same. */
export const RootAnswer = Type.Object({
  what: Type.String(),
  chainId: Count,
  registry: Address,
  routes: Type.Array(Type.Object({ method: Type.String(), path: Type.String(), what: Type.String() })),
});

export const HealthAnswer = Type.Object({
  status: Type.Literal("ok"),
  chainId: Count,
  registry: Address,
  block: Count,
  meters: Count,
  jobs: Type.Array(
    Type.Object({ digest: Hash, stage: Type.String(), items: Count, reason: Type.Optional(Type.String()) }),
  ),
});

export const ReadyAnswer = Type.Object({ ready: Type.Boolean(), reasons: Type.Array(Type.String()) });

export type MeterState = Static<typeof MeterBody>;
export type MarkState = Static<typeof Mark>;
