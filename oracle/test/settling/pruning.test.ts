import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../../protocol/index.ts";
import { newMeter, newWorld, removeDirectories, START, type World } from "../support.ts";

describe("heads that are settled", () => {
  let world: World;
  let meter: ReturnType<typeof newMeter>;
  beforeEach(() => {
    meter = newMeter();
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  /** A meter lives for an hour and posts every 100 s; every ten minutes it is settled, and four blocks pass. */
  async function live(rules: Parameters<typeof newWorld>[0] = {}): Promise<number[]> {
    world = await newWorld({ attestation: undefined, confirmations: 4, ...rules });
    world.chain.unattestedAfter = 0;
    meter.advance(START + 100);
    await world.register(meter.device);
    for (let at = 200; at <= 3600; at += 100) {
      await world.live(meter, START + at);
      if (at % 600 !== 0) continue;
      for (let i = 0; i < 2; i++) await world.oracle.tick();
      world.chain.mine(4);
      await world.oracle.tick();
    }
    return (await world.oracle.follower.marksOf(keyId(), 1)).map(({ size }) => size);
  }
  const keyId = () => toHex(meter.device.keyId);
  const sizes = async (after = 0) => {
    const log = await world.oracle.store.logs.get(keyId(), 1);
    return ((await log?.headsAfter(after)) ?? []).map(({ size }) => size);
  };
  const posted = Array.from({ length: 35 }, (_, i) => 20 + i * 10);

  it("are kept while a reorganisation could take their settlement back", async () => {
    await live({ confirmations: 100 });
    assert.deepEqual((await sizes()).slice(-35), posted);
  });

  it("are kept where their log is damaged, and all else goes on", async () => {
    await live({ confirmations: 100 });
    const log = join(world.directory, "logs", keyId(), "1", "tile", "0", "000");
    await world.oracle.store.close();
    await writeFile(log, "");
    world.chain.mine(100);
    await world.restart();
    await world.oracle.tick();
    assert.deepEqual(
      await sizes(256),
      posted.filter((size) => size > 256),
    );
  });

  it("are kept where a setting says so", async () => {
    await live({ keepsHeads: true });
    world.chain.mine(4);
    await world.oracle.tick();
    assert.deepEqual((await sizes()).slice(-35), posted);
  });

  it("go once it is final, but those that settlements ended at; every reading stays and can be proven", async () => {
    const settled = await live();
    world.chain.mine(4);
    await world.oracle.tick();
    const last = settled.at(-1) as number;
    assert.ok(settled.length > 3);
    assert.deepEqual(
      await sizes(),
      [...new Set([...settled, ...posted.filter((size) => size >= last)])]
        .filter((size) => size > 10)
        .sort((a, b) => a - b),
    );
    for (const index of [0, 5, 100, last - 1]) {
      const { statusCode, body } = await world.app.inject(`/logs/${keyId()}/1/readings/${index}`);
      assert.equal(statusCode, 200);
      assert.ok(JSON.parse(body).settled, body);
    }
  });

  it("stay where the log on chain is another: they are evidence", async () => {
    await live({ confirmations: 100 });
    const before = await sizes();
    const other = newMeter(() => 2_000_000n);
    other.advance(START + 10);
    world.chain.settleAsOther({
      keyId: keyId(),
      device: {
        epoch: 1,
        publicKey: meter.device.publicKey,
        readings: [...other.device.readings.slice(0, 1), ...meter.device.readings.slice(1)],
      },
    });
    world.chain.mine(100);
    await world.oracle.tick();
    assert.deepEqual(await sizes(), before);
  });
});
