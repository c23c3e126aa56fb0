/**
 * Devices that announced themselves: a name and the Shelly's MAC, which are nobody's business on chain, and the small
 * number that the hackathon original's users know them by, given in the order of announcing and never again.
 *
 * That a device announces itself is proven by a signed head which nobody has seen yet: one that is stored here is
 * public, and whoever shows it may be anyone.
 */
import {
  decodeReading,
  domain,
  encodeHead,
  type Head,
  isSize,
  keyIdOf,
  type Place,
  toHex,
  verify,
} from "../../protocol/index.ts";
import { type Refusal, refusal } from "../accepting/refusal.ts";
import { createRoom, type Left } from "../accepting/room.ts";
import type { Store } from "../store/store.ts";
import { macIn } from "./shelly.ts";

/** Announcements of meters that the chain does not know, kept at once: anyone can make a key. */
const PENDING_LIMIT = 1000;
/** s after which such an announcement makes room for others */
const PENDING_AGE = 7 * 86_400;
/** Controls, unpaired surrogates, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/u;

export type Announcement = {
  name: string;
  publicKey: Uint8Array;
  /** base64 of the Shelly's JSON */
  shellyPayload: string;
  /** Unix time, s */
  bootTimestamp?: number | undefined;
  head: Head;
  signature: Uint8Array;
};

export type Installation = Left & {
  id: number;
  keyId: string;
  publicKey: string;
  name: string;
  shellyMac: string;
  /** Unix time, s */
  bootTimestamp?: number;
  /** Unix time of the first announcement, s */
  createdAt: number;
  /** that it was announced with last */
  head: { epoch: number; size: number };
};

export type Installations = {
  /** `from`: the address that it came from. */
  announce(
    announcement: Announcement,
    from: string,
  ): Promise<{ ok: true; value: Installation } | { ok: false; refusal: Refusal }>;
  /** By its number or its key id. */
  get(id: string): Promise<Installation | undefined>;
  /** In the order of announcing. */
  list(): Promise<Installation[]>;
};

export async function createInstallations({
  store,
  place,
  isKnown,
  now,
  pendingLimit = PENDING_LIMIT,
}: {
  store: Pick<Store, "records" | "document" | "logs">;
  place: Place;
  /** whether the chain knows this key */
  isKnown: (keyId: string) => boolean;
  /** Unix time, s */
  now: () => number;
  pendingLimit?: number;
}): Promise<Installations> {
  const headDomain = domain("head", place);
  const records = await store.records<Installation>("installations");
  const numbers = await store.records<{ keyId: string }>("installation-numbers");
  const counter = await store.document("installation-counter", { next: 1 });

  /** One after the other: a number is given once. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const result = turn.then(act);
    turn = result.catch(() => {});
    return result;
  };

  async function check({ publicKey, head, signature, name }: Announcement): Promise<Refusal | undefined> {
    if (UNPRINTABLE.test(name) || name.trim() === "") return refusal("malformed", "a name is of printable characters");
    if (!isSize(head.size)) return refusal("size out of range", "a log has 1 to 2^40 - 1 readings");
    const reading = decodeReading(head.reading);
    if (!reading.ok) return refusal(reading.failure, "the head's reading is none");
    const signed = await verify(encodeHead(headDomain, head), signature, publicKey);
    if (!signed.ok) return refusal(signed.failure, "the key did not sign this head for this chain and registry");
    const newest = (await store.logs.of(toHex(keyIdOf(publicKey)))).at(-1);
    if (newest && !isAfter(head, newest)) {
      return refusal("size not forward", "this head is public: announce with one that was not posted yet", {
        epoch: newest.epoch,
        size: newest.size,
      });
    }
    return undefined;
  }

  async function nextNumber(keyId: string): Promise<number> {
    let id = counter.data.next;
    // taken as after a crash, or where another oracle on this store gave it
    while (!(await numbers.add(String(id), { keyId }))) id += 1;
    counter.data = { next: id + 1 };
    await counter.write();
    return id;
  }

  const hasRoomFor = createRoom(records, pendingLimit, ({ createdAt }) => createdAt);

  /** Whether there is room for one more that the chain does not know. */
  async function hasRoom(from: string): Promise<boolean> {
    const pending = (await records.ids()).filter((keyId) => !isKnown(keyId));
    if (pending.length < pendingLimit) return true;
    let removed = 0;
    for (const keyId of pending) {
      const installation = await records.get(keyId);
      if (!installation || installation.createdAt + PENDING_AGE >= now()) continue;
      await records.remove(keyId);
      removed += 1;
    }
    return removed > 0 || hasRoomFor(from, pending);
  }

  async function keep(announcement: Announcement, shellyMac: string, from: string) {
    const { name, publicKey, bootTimestamp } = announcement;
    const { epoch, size } = announcement.head;
    const keyId = toHex(keyIdOf(publicKey));
    const known = await records.get(keyId);
    if (known && isAfter(known.head, { epoch, size })) {
      const message = "it was announced with a later head";
      return { ok: false as const, refusal: refusal("size not forward", message, known.head) };
    }
    if (!known && !isKnown(keyId) && !(await hasRoom(from))) {
      const message = "too many announced installations wait to be registered";
      return { ok: false as const, refusal: refusal("too many installations", message) };
    }
    const first = known ?? {
      ...{ id: await nextNumber(keyId), keyId, publicKey: toHex(publicKey), shellyMac, from, createdAt: now() },
    };
    const boot = bootTimestamp === undefined ? {} : { bootTimestamp };
    const value: Installation = { ...first, name, ...boot, head: { epoch, size } };
    await records.put(keyId, value);
    return { ok: true as const, value };
  }

  return {
    async announce(announcement, from) {
      const refused = await check(announcement);
      if (refused) return { ok: false, refusal: refused };
      const mac = macIn(announcement.shellyPayload);
      if (mac === undefined) {
        return {
          ok: false,
          refusal: refusal("malformed", "shelly_payload is not base64 of a Shelly's JSON with its MAC"),
        };
      }
      return inTurn(() => keep(announcement, mac, from));
    },
    async get(id) {
      if (id.startsWith("0x")) return records.get(id);
      const number = await numbers.get(id);
      const installation = number && (await records.get(number.keyId));
      return installation?.id === Number(id) ? installation : undefined;
    },
    list: async () => (await records.all()).sort((a, b) => a.id - b.id),
  };
}

const isAfter = (a: { epoch: number; size: number }, b: { epoch: number; size: number }): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.size > b.size);
