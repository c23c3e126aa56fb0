import assert from "node:assert/strict";
import type { Device } from "../../../meter/device.ts";
import { domain, encodeHead, generatePrivateKey, sign, toHex } from "../../../protocol/index.ts";
import { type Announcement, createInstallations, type Installations } from "../../serving/installations.ts";
import type { Store } from "../../store/store.ts";
import { newMeter, openStore, PLACE, removeDirectories, START, temporaryDirectory } from "../support.ts";

const PAYLOAD = Buffer.from('{"mac":"EC64C9C05E97"}').toString("base64");

const [HOME, ELSEWHERE] = ["192.0.2.1", "192.0.2.66"];

describe("installations", () => {
  let store: Store;
  let installations: Installations;
  let known: Set<string>;
  let now: number;
  let pendingLimit: number;

  const open = () =>
    createInstallations({ store, place: PLACE, isKnown: (keyId) => known.has(keyId), now: () => now, pendingLimit });

  beforeEach(async () => {
    store = await openStore(await temporaryDirectory());
    [known, now, pendingLimit] = [new Set(), START, 2];
    installations = await open();
  });
  afterEach(async () => {
    await store.close();
    await removeDirectories();
  });

  function newDevice(): Device {
    const meter = newMeter();
    meter.advance(START + 100);
    return meter.device;
  }
  function announcementOf(device: Device, more: Partial<Announcement> = {}): Announcement {
    const { signature, ...head } = device.head();
    return { name: "roof", publicKey: device.publicKey, shellyPayload: PAYLOAD, head, signature, ...more };
  }
  async function assertRefused(announcement: Announcement, rule: string, from = HOME): Promise<void> {
    const answer = await installations.announce(announcement, from);
    assert.equal(answer.ok ? "accepted" : answer.refusal.body.rule, rule);
  }
  async function announced(announcement: Announcement, from = HOME) {
    const answer = await installations.announce(announcement, from);
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value;
  }

  it("refuses a name that cannot be read", async () => {
    for (const name of ["  ", "a\u0000", "a\nb", "\u202eevil", "\ud800"]) {
      await assertRefused(announcementOf(newDevice(), { name }), "malformed");
    }
  });

  it("refuses a head that the key did not sign, or signed for another registry", async () => {
    const device = newDevice();
    await assertRefused(announcementOf(device, { publicKey: newDevice().publicKey }), "bad signature");
    const { signature: _, ...head } = device.head();
    await assertRefused(announcementOf(device, { head: { ...head, epoch: 2 } }), "bad signature");
    const elsewhere = domain("head", { ...PLACE, chainId: 1 });
    const signature = sign(encodeHead(elsewhere, head), generatePrivateKey());
    await assertRefused(announcementOf(device, { signature }), "bad signature");
    assert.deepEqual(await installations.list(), []);
  });

  it("refuses a head that is public: whoever shows it may be anyone", async () => {
    const device = newDevice();
    const log = await store.logs.open(toHex(device.keyId), device.epoch);
    await log.append([...device.readings], device.head().signature, 0n);
    await assertRefused(announcementOf(device), "size not forward");
  });

  it("refuses a payload that names no Shelly", async () => {
    await assertRefused(announcementOf(newDevice(), { shellyPayload: "e30=" }), "malformed");
  });

  it("refuses more than it keeps of those that the chain does not know, until the old ones made room", async () => {
    const registered = newDevice();
    known.add(toHex(registered.keyId));
    await announced(announcementOf(newDevice()));
    await announced(announcementOf(newDevice()));
    await assertRefused(announcementOf(newDevice()), "too many installations");
    await announced(announcementOf(registered));
    now += 8 * 86_400;
    await announced(announcementOf(newDevice()));
    assert.deepEqual(
      (await installations.list()).map(({ id }) => id),
      [3, 4],
    );
  });

  it("are not crowded out by those that one address makes up", async () => {
    pendingLimit = 20;
    installations = await open();
    const made = [];
    for (let i = 0; i < 20; i++, now++) made.push(await announced(announcementOf(newDevice()), ELSEWHERE));
    await assertRefused(announcementOf(newDevice()), "too many installations", ELSEWHERE);
    installations = await open();
    const real = await announced(announcementOf(newDevice()));
    await assertRefused(announcementOf(newDevice()), "too many installations", ELSEWHERE);
    const ids = (await installations.list()).map(({ id }) => id);
    assert.deepEqual(ids, [...made.slice(1).map(({ id }) => id), real.id]);
  });

  it("gives numbers in the order of announcing, also over a restart", async () => {
    known = { has: () => true } as never;
    const devices = [newDevice(), newDevice(), newDevice()];
    const ids: number[] = [];
    for (const device of devices) {
      ids.push((await announced(announcementOf(device))).id);
      installations = await open();
    }
    assert.deepEqual(ids, [1, 2, 3]);
    const keyId = toHex((devices[1] as Device).keyId);
    assert.equal((await installations.get("2"))?.keyId, keyId);
    assert.equal((await installations.get(keyId))?.id, 2);
    assert.equal(await installations.get("4"), undefined);
  });

  it("gives no number twice, also to those that announce themselves at once", async () => {
    known = { has: () => true } as never;
    const devices = Array.from({ length: 8 }, newDevice);
    const all = await Promise.all(devices.map((device) => announced(announcementOf(device))));
    assert.deepEqual(all.map(({ id }) => id).sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("takes a new name and boot time of one that announces itself again, and nothing else", async () => {
    const meter = newMeter();
    meter.advance(START + 100);
    const first = await announced(announcementOf(meter.device, { bootTimestamp: START }));
    const old = announcementOf(meter.device, { name: "old" });
    meter.advance(START + 200);
    now += 100;
    const other = Buffer.from('{"mac":"AAAAAAAAAAAA"}').toString("base64");
    const again = announcementOf(meter.device, { name: "barn", bootTimestamp: START + 150, shellyPayload: other });
    const { head: _, ...second } = await announced(again);
    const { head: __, ...before } = first;
    assert.deepEqual(second, { ...before, name: "barn", bootTimestamp: START + 150 });
    await assertRefused(old, "size not forward");
  });
});
