/** What the original's routes are asked with: installations by number or key id, moments in s or RFC 3339. */
import { type Refusal, refusal } from "../../../accepting/refusal.ts";
import type { Oracle } from "../../../oracle.ts";
import { isZone } from "../../../serving/calendar.ts";
import type { StoredLog } from "../../../store/store.ts";

/** `number` where the device announced itself. */
export type Asked = { keyId: string; number: number | null };

type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

/** A key is known by announcing, by the chain, or by what is stored of it. */
export async function installationOf(oracle: Oracle, id: string): Promise<Answer<Asked>> {
  const installation = await oracle.installations.get(id);
  if (installation) return { ok: true, value: { keyId: installation.keyId, number: installation.id } };
  const isKey = id.startsWith("0x");
  if (isKey && (oracle.follower.meterOf(id) || (await oracle.store.logs.of(id)).length > 0)) {
    return { ok: true, value: { keyId: id, number: null } };
  }
  return { ok: false, refusal: refusal("unknown installation", "no installation of this number or key is known here") };
}

/** Unix time in s; of fractions the second they are in. Undefined where the calendar has no such moment. */
export function momentIn(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** The same of what may not be given. Refuses what is no moment. */
export function momentsIn(given: Record<string, string | undefined>): Answer<Record<string, number | undefined>> {
  const moments: Record<string, number | undefined> = {};
  for (const [name, text] of Object.entries(given)) {
    if (text === undefined) continue;
    const moment = momentIn(text);
    if (moment === undefined) return { ok: false, refusal: refusal("malformed", `${name} is no moment`) };
    moments[name] = moment;
  }
  return { ok: true, value: moments };
}

/** The logs of an installation, and the moment (Unix time, s) whose period is asked for; now unless told. */
export type AskedPeriod = { logs: StoredLog[]; time_zone: string; time: number };

/** Refuses a zone and a moment that are none, then an installation that is not known. */
export async function periodOf(
  oracle: Oracle,
  id: string,
  { time_zone = "UTC", timestamp }: { time_zone?: string; timestamp?: string },
): Promise<Answer<AskedPeriod>> {
  if (!isZone(time_zone)) return { ok: false, refusal: refusal("malformed", "time_zone is no zone of the IANA's") };
  const moments = momentsIn({ timestamp });
  if (!moments.ok) return moments;
  const asked = await installationOf(oracle, id);
  if (!asked.ok) return asked;
  const logs = await oracle.store.logs.of(asked.value.keyId);
  return { ok: true, value: { logs, time_zone, time: moments.value["timestamp"] ?? oracle.now() } };
}
