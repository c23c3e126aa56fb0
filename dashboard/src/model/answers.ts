/** What the oracle answers, as far as the page shows it. Energies are decimal mWh or numbers in Wh, times Unix seconds. */
export type TimeFrame = "hour" | "day" | "week" | "month" | "year";
export const TIME_FRAMES: readonly TimeFrame[] = ["hour", "day", "week", "month", "year"];

export type Period = { start: number; end: number };
export type Status = "none" | "active" | "frozen" | "superseded" | "decommissioned";

/** A key of a meter at a glance. */
export type Glance = {
  key_id: string;
  meter_id: string;
  name: string | null;
  status: Status;
  successor: string | null;
  owner: string;
  /** W */
  capacity: number;
  last_boot_timestamp: number | null;
  since: number | null;
  stored: number;
  epoch: number | null;
  size: number;
  last: string | null;
  settled: { epoch: number; size: number; timestamp: number };
  today_mwh: string | null;
  month_mwh: string | null;
  total_mwh: string | null;
  minted_mwh: string;
};

export type Overview = {
  now: number;
  day: Period;
  month: Period;
  chain_id: number;
  registry: string;
  watt_witness: string | null;
  /** null = the deployment has none; absent = an older oracle's */
  hourly_certificates?: string | null;
  park_factory?: string | null;
  /** absent = an older oracle's */
  from_block?: number;
  block: number;
  obstacles: string[];
  meters: Glance[];
};

export type Mark = {
  epoch: number;
  fromSize: number;
  size: number;
  produced: string;
  attestation?: string;
  transaction: string;
  block: number;
  confirmed: boolean;
};
export type MeterAnswer = { owner: string; source: number; details: string; settlements: Mark[] };

/** A reading of a meter. */
export type ReadingPlace = { epoch: number; index: number };

export type ChartAnswer = {
  /** each value with the readings that it is the difference of */
  data_points: {
    label: string;
    timestamp: number;
    value: number | null;
    from: ReadingPlace | null;
    to: ReadingPlace | null;
  }[];
  /** Wh */
  total_energy: number;
};
export type PowerAnswer = Period & { data_points: { timestamp: number; power_w: number | null }[] };

export type Row = {
  epoch: number;
  index: number;
  power_w: number;
  total_wh: number;
  timestamp: number;
  conditions: number;
  is_on_chain: boolean;
  blockchain_tx_hash: string | null;
  blockchain_block_number: number | null;
};

/** An application for registration. Bytes are `0x…`, capacity W. */
export type Application = {
  keyId: string;
  publicKey: string;
  owner: string;
  capacity: number;
  source: number;
  details: string;
  baseline: { epoch: number; size: number; reading: string; root: string };
  /** the key's signature over its claim */
  claim: string;
  status: "pending" | "registered";
};
