/** What the original's routes are asked with: installations by number or key id, moments in s or RFC 3339. */
import { type Refusal, refusal } from "../../../accepting/refusal.ts";
import type { Oracle } from "../../../oracle.ts";

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
