/** What goes in and out of the hackathon original's routes: W, Wh, V, A and °C, names with underscores. */
import Type, { type TSchema } from "typebox";
import { STATUSES } from "../../../chain/chain.ts";
import { TIME_FRAMES } from "../../../serving/calendar.ts";
import { Count, closed, Energy, Epoch, Hash, hex, PostBody, ReadingAnswer, Size } from "../../schemas.ts";

const nullable = <T>(type: "string" | "number" | "integer") => Type.Unsafe<T | null>({ type: [type, "null"] });
const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** Its small number, or its key id. */
const InstallationId = Type.String({ pattern: "^0x[0-9a-f]{64}$|^(0|[1-9][0-9]{0,14})$" });
/** Unix time in s, or RFC 3339. */
const Moment = Type.String({
  pattern: "^(0|[1-9]\\d{0,10}|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d))$",
});
const Limit = Type.Integer({ minimum: 1, maximum: 1000 });

export const InstallationParams = Type.Object({ installation_id: InstallationId });
export const ProofParams = Type.Object({ installation_id: InstallationId, epoch: Epoch, index: Size });
export const HistoryQuery = Type.Object(
  {
    start_time: Type.Optional(Moment),
    end_time: Type.Optional(Moment),
    limit: Type.Optional(Limit),
    /** epoch and index of the last reading of the page before: `1/99` */
    cursor: Type.Optional(Type.String({ pattern: "^\\d{1,10}/\\d{1,13}$" })),
  },
  closed,
);
export const PendingQuery = Type.Object(
  {
    limit: Type.Optional(Limit),
    /** `id` of the last reading of the page before */
    cursor: Type.Optional(Type.String({ pattern: "^0x[0-9a-f]{64}/\\d{1,10}/\\d{1,13}$" })),
  },
  closed,
);
export const AllQuery = Type.Object({ format: Type.Optional(Type.Enum(["ndjson", "csv"])) }, closed);
export const ChartQuery = Type.Object(
  {
    time_frame: Type.Enum([...TIME_FRAMES]),
    time_zone: Type.Optional(Text(64)),
    /** a moment of the period; the oracle's now unless told */
    timestamp: Type.Optional(Moment),
  },
  closed,
);
export const BatchesQuery = Type.Object({ limit: Type.Optional(Limit) }, closed);

export const AnnounceBody = Type.Object(
  {
    name: Text(100),
    /** x ‖ y: hexadecimal with or without 0x, or base64 */
    public_key: Text(200),
    /** base64 of the Shelly's JSON */
    shelly_payload: Text(22_000),
    boot_timestamp: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
    head: Type.Object({ epoch: Epoch, size: Size, reading: Hash, root: Hash }, closed),
    signature: Text(200),
  },
  closed,
);

export const InstallationBody = Type.Object({
  id: Count,
  name: Type.String(),
  shelly_mac: Type.String(),
  public_key: hex(64),
  key_id: Hash,
  last_boot_timestamp: nullable<number>("integer"),
  created_at: Type.String(),
  is_active: Type.Boolean(),
  /** `pending` until the chain knows the meter */
  status: Type.Enum(["pending", ...STATUSES]),
  meter_id: nullable<string>("string"),
  owner: nullable<string>("string"),
  /** W */
  capacity: nullable<number>("integer"),
  chain_id: Count,
  registry: Type.String(),
  watt_witness: nullable<string>("string"),
  registration_tx_hash: nullable<string>("string"),
});

const Original = Type.Object({
  power: Type.Number(),
  total: Type.Number(),
  timestamp: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
  signature: Text(200),
  public_key: Text(200),
  epoch: Epoch,
  size: Size,
  shelly_payload: Type.Optional(Type.String({ maxLength: 22_000 })),
  voltage: Type.Optional(Type.Number()),
  current: Type.Optional(Type.Number()),
  temperature: Type.Optional(Type.Number()),
  source: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xff })),
  conditions: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xff })),
});
export const ReadingsBody = Type.Union([PostBody, Original]);

const row = {
  id: Type.String(),
  installation_id: nullable<number>("integer"),
  key_id: Hash,
  epoch: Epoch,
  index: Count,
  power_w: Type.Number(),
  total_wh: Type.Number(),
  /** the same, exactly */
  total_mwh: Energy,
  timestamp: Count,
  voltage: nullable<number>("number"),
  current: nullable<number>("number"),
  temperature: nullable<number>("number"),
  conditions: Count,
  /** of the newest head, which covers it and every other reading of its log */
  signature: hex(64),
  signature_size: Count,
  is_verified: Type.Boolean(),
  verification_timestamp: Type.String(),
  is_on_chain: Type.Boolean(),
  blockchain_tx_hash: nullable<string>("string"),
  blockchain_block_number: nullable<number>("integer"),
  created_at: Type.String(),
} satisfies Record<string, TSchema>;
export const RowBody = Type.Object(row);
export const RowsAnswer = Type.Array(RowBody);
/** `size`: readings that the oracle has of the log now; to the original's body also the reading as it is kept. */
export const AcceptedAnswer = Type.Object({ size: Count, ...Type.Partial(RowBody).properties });
/** One reading a line. */
export const AllAnswer = {
  description: "Every reading, oldest first",
  content: { "application/x-ndjson": { schema: RowBody }, "text/csv": { schema: Type.String() } },
};

/** A reading of this installation. */
const PlaceOrNull = Type.Union([Type.Object({ epoch: Epoch, index: Count }), Type.Null()]);
export const ChartAnswer = Type.Object({
  data_points: Type.Array(
    Type.Object({
      label: Type.String(),
      timestamp: Count,
      /** Wh */
      value: nullable<number>("number"),
      /** the readings whose registers it is the difference of; over several logs what each of them counted */
      from: PlaceOrNull,
      to: PlaceOrNull,
    }),
  ),
  time_frame: Type.Enum([...TIME_FRAMES]),
  time_zone: Type.String(),
  /** Wh */
  total_energy: Type.Number(),
  /** the same, exactly */
  total_energy_mwh: Energy,
});

export const PowerAnswer = Type.Object({
  /** of an hour each reading, of a day steps of 15 minutes, of a week or month hours, of a year days; null: nothing read */
  data_points: Type.Array(Type.Object({ timestamp: Count, power_w: nullable<number>("number") })),
  time_frame: Type.Enum([...TIME_FRAMES]),
  time_zone: Type.String(),
  /** of the period; the end is exclusive */
  start: Count,
  end: Count,
});

export const ProofAnswer = Type.Object({
  ...ReadingAnswer.properties,
  chain_id: Count,
  registry: Type.String(),
  watt_witness: nullable<string>("string"),
  head_domain: Hash,
  public_key: hex(64),
});

export const BatchesAnswer = Type.Array(
  Type.Object({
    digest: Hash,
    state: Type.String(),
    attested: Type.Boolean(),
    attestation_root: Hash,
    meters: Count,
    sealed_block: Count,
    reason: nullable<string>("string"),
    path: Type.String(),
  }),
);
