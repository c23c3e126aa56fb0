/**
 * The device's protocol in software, with a key in memory: what the firmware does beside the secure element.
 *
 *   createDevice  takes readings, keeps the log, signs heads and claims, plans uploads
 *   createMeter   (meter.ts) drives a device over a source of power: the sun (sun.ts) or a recorded day (replay.ts)
 *   upload        (upload.ts) posts what an oracle has not got yet
 *
 * The exports of this file are stable.
 */
import {
  CONDITIONS,
  createLog,
  domain,
  encodeClaim,
  encodeHead,
  encodeReading,
  type Head,
  headHash,
  keyIdOf,
  type Log,
  type Place,
  publicKeyOf,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";
import { type Counted, createCounting } from "./counting.ts";

/** Readings of one post at most: a segment must fit a batch. */
export const POST_LIMIT = 8192;
/** s; a clock without synchronisation for longer is drifting. */
const DRIFT_AFTER = 86_400;
/** s between two epochs begun because of an oracle's answer: a hostile one must not exhaust the chip's counter. */
const EPOCH_PAUSE = 86_400;
const HOUR = 3600;
/** s; every interval divides it, so that hours and quarters of an hour end on a reading. */
const QUARTER_HOUR = 900;

type Hex = `0x${string}`;

export type DeviceOptions = {
  /** 32 bytes, P-256 */
  privateKey: Uint8Array;
  /** number of the first log: the chip's counter when it began */
  epoch: number;
  /** s between readings; divides 900 */
  interval: number;
  /** channel and register, as the meter is registered */
  source: number;
  place: Place;
  /** W; given, a step of the register that this installation cannot make is not counted */
  capacity?: number;
  /** goes on from there, with the readings of the log so far; its epoch is `epoch` */
  kept?: Kept & { readings: Uint8Array[] };
};

/** What a device keeps beside its readings to go on after it was switched off. */
export type Kept = {
  epoch: number;
  /** readings in the log */
  size: number;
  acknowledged: number;
  /** Unix time of the last reading, s, of whichever log */
  lastTimestamp: number;
  /** Unix time, s, before which no oracle's answer begins an epoch */
  pausedUntil: number;
  counted: Counted;
};

/** What the meter beside the device shows at one moment. */
export type Measurement = {
  /** mW, production positive */
  power: bigint;
  /** mWh, the meter's own register of production */
  register: bigint;
  /** mV */
  voltage?: number | undefined;
  /** mA */
  current?: number | undefined;
  /** 0.01 °C */
  temperature?: number | undefined;
  /** the meter's own word for it; true unless said otherwise */
  valid?: boolean | undefined;
  /** tells it from any other; counting goes on from what another one shows */
  meter?: string | undefined;
};

export type SignedHead = Head & { signature: Uint8Array };

/** What is posted to an oracle: readings up to `size`, and the signature over the head there. */
export type Post = { keyId: Hex; epoch: number; size: number; readings: Hex[]; signature: Hex };

/** What a registrar needs; `claim` is the key's signature over the claim. */
export type Registration = {
  publicKey: Hex;
  owner: Hex;
  capacity: number;
  source: number;
  details: Hex;
  baseline: { epoch: number; size: number; reading: Hex; root: Hex };
  claim: Hex;
};

/** What a claim is made for. `meter`: its id, where the key succeeds another there. */
export type Terms = { owner: string; capacity: number; details: Uint8Array; meter?: Uint8Array };

/** An oracle's answer to a post: the HTTP status and the parsed body. */
export type Answer = { status: number; body: unknown };

/**
 * What a device makes of an answer: `stored`; `resend` from the size that the oracle has; `later`, the same again;
 * `refused` for good.
 */
export type Outcome = "stored" | "resend" | "later" | "refused";

export type Device = {
  /** x ‖ y */
  readonly publicKey: Uint8Array;
  readonly keyId: Uint8Array;
  readonly interval: number;
  readonly source: number;
  readonly epoch: number;
  /** readings in the log */
  readonly size: number;
  /** mWh, the device's own cumulative register */
  readonly energy: bigint;
  /** Unix time of the last reading, s; 0 = none yet */
  readonly lastTimestamp: number;
  readonly log: Log;
  readonly readings: readonly Uint8Array[];
  /** size up to which an oracle has acknowledged the log */
  readonly acknowledged: number;
  readonly isSynchronised: boolean;

  /** The clock was set right at `now` (s). A boot takes no reading before its first synchronisation. */
  synchronise(now: number): void;
  /** Takes the reading of the moment `now` (s), or none where the rules of the clock forbid it. */
  take(now: number, measurement: Measurement): Uint8Array | undefined;
  /** The enclosure was opened: every reading says so until the epoch ends. */
  tamper(): void;
  /** Signs the head of the log, or of its first `size` readings. */
  head(size?: number): SignedHead;
  /**
   * The application to register this device's key, with its newest head as the baseline; or to rotate to it, where it is to
   * succeed another at `meter`.
   */
  registration(terms: Terms): Registration;

  /** What to post next; nothing when everything is acknowledged. */
  nextPost(): Post | undefined;
  /** Takes in an oracle's answer to `post` at `now` (s). */
  answered(post: Post, answer: Answer, now: number): Outcome;

  /** As it stands now. Whoever keeps it does so after each reading, and before anything is signed over it. */
  kept(): Kept;

  /** Power was cut: log and register are kept, the time is not known until the next synchronisation. */
  reboot(): void;
  /** Log and register are lost: a new epoch begins, its energy at zero. */
  loseRegister(): void;
};

export function createDevice(options: DeviceOptions): Device {
  const { privateKey, interval, source, place, capacity } = options;
  if (interval < 1 || QUARTER_HOUR % interval !== 0)
    throw new RangeError(`interval must divide 900 s, got ${interval}`);
  const publicKey = publicKeyOf(privateKey);
  const keyId = keyIdOf(publicKey);
  const headDomain = domain("head", place);
  const claimDomain = domain("claim", place);

  const { kept } = options;
  let epoch = options.epoch;
  let readings: Uint8Array[] = kept?.readings ?? [];
  let log = createLog(readings);
  let acknowledged = kept?.acknowledged ?? 0;
  let counting = createCounting(capacity, kept?.counted);
  let lastTimestamp = kept?.lastTimestamp ?? 0;
  let synchronisedAt: number | undefined;
  let opened = false;
  let pausedUntil = kept?.pausedUntil ?? 0;

  function beginEpoch(): void {
    epoch += 1;
    log = createLog();
    readings = [];
    acknowledged = 0;
    opened = false;
  }

  function head(size = log.size): SignedHead {
    const statement: Head = { epoch, size, reading: readings[size - 1] as Uint8Array, root: log.root(size) };
    return { ...statement, signature: sign(encodeHead(headDomain, statement), privateKey) };
  }

  /** Up to 8,192 readings, and to the last full hour among them: a head has to stand where settlements end. */
  function nextSize(): number {
    const limit = Math.min(log.size, acknowledged + POST_LIMIT);
    for (let size = limit; size > acknowledged; size--) {
      if (timestampOf(readings[size - 1] as Uint8Array) % HOUR === 0) return size;
    }
    return limit;
  }

  return {
    publicKey,
    keyId,
    interval,
    source,
    get epoch() {
      return epoch;
    },
    get size() {
      return log.size;
    },
    get energy() {
      return counting.energy;
    },
    get lastTimestamp() {
      return lastTimestamp;
    },
    get log() {
      return log;
    },
    get readings() {
      return readings;
    },
    get acknowledged() {
      return acknowledged;
    },
    get isSynchronised() {
      return synchronisedAt !== undefined;
    },

    synchronise(now) {
      synchronisedAt = now;
    },

    take(now, measurement) {
      if (synchronisedAt === undefined) return undefined;
      if (now % interval !== 0) return undefined;
      if (now <= lastTimestamp) return undefined;
      const conditions = counting.count(now, measurement);
      const drifting = now - synchronisedAt > DRIFT_AFTER ? CONDITIONS.drifting : 0;
      lastTimestamp = now;
      const { power, voltage, current, temperature } = measurement;
      const reading = encodeReading({
        timestamp: now,
        energy: counting.energy,
        power,
        voltage,
        current,
        temperature,
        source,
        conditions: conditions | drifting | (opened ? CONDITIONS.tamper : 0),
      });
      log.append(reading);
      readings.push(reading);
      return reading;
    },

    tamper() {
      opened = true;
    },

    head,

    registration({ owner, capacity, details, meter = keyId }) {
      const baseline = head();
      const claim = encodeClaim(claimDomain, {
        meter,
        keyId,
        owner,
        headHash: headHash(encodeHead(headDomain, baseline)),
      });
      return {
        publicKey: toHex(publicKey),
        owner: owner as Hex,
        capacity,
        source,
        details: toHex(details),
        baseline: {
          epoch: baseline.epoch,
          size: baseline.size,
          reading: toHex(baseline.reading),
          root: toHex(baseline.root),
        },
        claim: toHex(sign(claim, privateKey)),
      };
    },

    nextPost() {
      if (acknowledged === log.size) return undefined;
      const size = nextSize();
      return {
        keyId: toHex(keyId),
        epoch,
        size,
        readings: readings.slice(acknowledged, size).map(toHex),
        signature: toHex(head(size).signature),
      };
    },

    answered(post, { status, body }, now) {
      if (post.epoch !== epoch) return "stored";
      if (status === 200) {
        acknowledged = Math.max(acknowledged, post.size);
        return "stored";
      }
      const has = sizeIn(body);
      if (status === 409 && has !== undefined && has <= log.size) {
        acknowledged = has;
        return "resend";
      }
      // 409 with more readings than this log has: some were lost here
      if (status !== 422 && status !== 409) return "later";
      if (now < pausedUntil) return "later";
      pausedUntil = now + EPOCH_PAUSE;
      beginEpoch();
      return "refused";
    },

    kept: () => ({
      ...{ epoch, size: log.size, acknowledged, lastTimestamp, pausedUntil, counted: counting.counted() },
    }),

    reboot() {
      synchronisedAt = undefined;
    },

    loseRegister() {
      beginEpoch();
      counting = createCounting(capacity);
    },
  };
}

function sizeIn(body: unknown): number | undefined {
  if (typeof body !== "object" || body === null || !("size" in body)) return undefined;
  const { size } = body;
  return Number.isSafeInteger(size) && (size as number) >= 0 ? (size as number) : undefined;
}
