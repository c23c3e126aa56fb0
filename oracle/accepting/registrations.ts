/** Applications for registration: checked as the registry will, kept for the registrar, who sends them on chain. */
import {
  conditionsOf,
  fromHex,
  isSize,
  keyIdOf,
  type Place,
  sourceOf,
  timestampOf,
  toHex,
  verifyClaim,
} from "../../protocol/index.ts";
import { BASELINE_AGE, CLOCK_TOLERANCE, HARMLESS_CONDITIONS } from "../chain/rules.ts";
import type { Records } from "../store/store.ts";
import { type Refusal, type Rule, refusal } from "./refusal.ts";
import { createRoom, type Left } from "./room.ts";

/** Applications kept at once: anyone can make a key. */
const PENDING_LIMIT = 1000;

/** As it arrives: bytes are `0x…`; `claim` is the key's signature over the claim. */
export type Registration = {
  publicKey: string;
  owner: string;
  capacity: number;
  source: number;
  details: string;
  baseline: { epoch: number; size: number; reading: string; root: string };
  claim: string;
};

/** `from` is nobody else's business. */
export type Application = Registration & { keyId: string } & Left;

export type ListedApplication = Omit<Application, "from"> & { status: "pending" | "registered" };

export type Registrations = {
  /** `from`: the address that it came from. */
  apply(
    registration: Registration,
    from: string,
  ): Promise<{ ok: true; value: ListedApplication } | { ok: false; refusal: Refusal }>;
  list(): Promise<ListedApplication[]>;
  /** Drops what can no longer be registered: its baseline is too old. */
  tidy(): Promise<void>;
};

export function createRegistrations({
  records,
  place,
  isKnown,
  now,
  pendingLimit = PENDING_LIMIT,
}: {
  records: Records<Application>;
  place: Place;
  /** whether the chain knows this key */
  isKnown: (keyId: string) => boolean;
  /** Unix time, s */
  now: () => number;
  pendingLimit?: number;
}): Registrations {
  const hasRoom = createRoom(records, pendingLimit, timestampIn);
  const listed = ({ from: _, ...application }: Application): ListedApplication => ({
    ...application,
    status: isKnown(application.keyId) ? "registered" : "pending",
  });
  const isOld = (application: Application) => timestampIn(application) + BASELINE_AGE < now();

  /** In the registry's order. */
  async function check(registration: Registration): Promise<Refusal | undefined> {
    const { capacity, source, baseline } = registration;
    const publicKey = fromHex(registration.publicKey);
    const keyId = keyIdOf(publicKey);
    if (isKnown(toHex(keyId))) return refusal("key already used", "this key is registered");
    if (capacity === 0) return refusal("capacity zero", "an installation has a capacity above 0 W");
    if (source > 0x1f) return refusal("reserved bits", "a source has bits 0 to 4", { source });
    if (!isSize(baseline.size)) return refusal("size out of range", "a log has 1 to 2^40 - 1 readings");
    const signed = await verifyClaim(registration, place);
    if (!signed.ok) return refusal(signed.failure, "the key did not sign this claim for this owner and this baseline");
    return checkBaseline(fromHex(baseline.reading), source);
  }

  function checkBaseline(reading: Uint8Array, source: number): Refusal | undefined {
    const timestamp = timestampOf(reading);
    const no = (rule: Rule, message: string) => refusal(rule, message, { timestamp, now: now() });
    if (timestamp > now() + CLOCK_TOLERANCE) return no("time ahead", "the baseline is more than five minutes ahead");
    if (timestamp + BASELINE_AGE < now()) return no("baseline too old", "the baseline is more than a week old");
    const conditions = conditionsOf(reading);
    if ((conditions & ~HARMLESS_CONDITIONS) !== 0) {
      return refusal("conditions block", "the baseline's clock drifts or its enclosure was opened", { conditions });
    }
    if (sourceOf(reading) !== source) {
      return refusal("source mismatch", "the baseline is of another channel or register", {
        source: sourceOf(reading),
        registered: source,
      });
    }
    return undefined;
  }

  return {
    async apply(registration, from) {
      const refused = await check(registration);
      if (refused) return { ok: false, refusal: refused };
      const keyId = toHex(keyIdOf(fromHex(registration.publicKey)));
      const application = { keyId, ...registration, from };
      const other = await records.get(keyId);
      if (other && timestampIn(other) > timestampIn(application)) {
        return { ok: false, refusal: refusal("time not forward", "a newer application of this key is waiting") };
      }
      // those that the chain knows wait no more, and go within the week
      if (
        !other &&
        !(await hasRoom(
          from,
          (await records.ids()).filter((id) => !isKnown(id)),
        ))
      ) {
        return { ok: false, refusal: refusal("too many registrations", "too many applications are waiting") };
      }
      await records.put(keyId, application);
      return { ok: true, value: listed(application) };
    },
    list: async () => (await records.all()).map(listed),
    async tidy() {
      for (const application of await records.all()) if (isOld(application)) await records.remove(application.keyId);
    },
  };
}

const timestampIn = ({ baseline }: Registration): number => timestampOf(fromHex(baseline.reading));
