import assert from "node:assert/strict";
import { toHex } from "../../../protocol/index.ts";
import { folderOutlet } from "../../publishing/folder.ts";
import type { Outlet } from "../../publishing/outlet.ts";
import { type Host, hostOf } from "../publishing/places.ts";
import { newMeter, newWorld, removeDirectories, START, silent, temporaryDirectory, type World } from "../support.ts";

describe("the oracle's settlement, where it publishes", () => {
  let host: Host;
  let outlet: Outlet;
  let isFull: boolean;

  beforeEach(async () => {
    const folder = await temporaryDirectory();
    host = await hostOf(folder);
    isFull = false;
    const own = folderOutlet("FOLDER", folder);
    outlet = { ...own, put: async (file) => (isFull ? "ENOSPC" : own.put(file)) };
  });
  afterEach(async () => {
    host.close();
    await removeDirectories();
  });

  /** A world with a meter that has something to settle. */
  async function newWorldWith(rules = {}): Promise<World> {
    const publicUrls = [host.url];
    const attestation = { subscriptionId: 7n, publicUrls };
    const world = await newWorld({ confirmations: 1, attestation, ...rules }, { outlets: [outlet], publicUrls });
    const meter = await world.newMeter();
    await world.live(meter, START + 600);
    return world;
  }

  const asked = (world: World) => world.chain.calls().filter((call) => call.to === "attestor");
  const jobs = async (world: World) => (await world.app.inject("/health")).json().jobs;

  it("asks for no attestation of what it could not put, and says why", async () => {
    isFull = true;
    const world = await newWorldWith();
    for (let i = 0; i < 3; i++) {
      await world.oracle.tick();
      world.now += 3600;
    }
    assert.deepEqual(world.chain.mined(), ["register"]);
    const [job] = await jobs(world);
    assert.equal(job.stage, "sealed");
    assert.equal(job.reason, "FOLDER cannot be published to: ENOSPC");
    isFull = false;
    await world.oracle.tick();
    assert.deepEqual(world.chain.mined(), ["register", "attestor", "wattWitness"]);
    assert.deepEqual(await jobs(world), []);
  });

  it("says once in the log why it waits", async () => {
    const said: string[] = [];
    const { warn } = silent;
    silent.warn = (values: { reason?: string }) => void said.push(values.reason ?? "");
    try {
      isFull = true;
      const world = await newWorldWith();
      for (let i = 0; i < 3; i++) {
        await world.oracle.tick();
        world.now += 3600;
      }
    } finally {
      silent.warn = warn;
    }
    assert.deepEqual(said, ["FOLDER cannot be published to: ENOSPC"]);
  });

  it("asks for no attestation of what is served otherwise", async () => {
    const world = await newWorldWith();
    host.up = false;
    await world.oracle.tick();
    const [{ digest, reason }] = await jobs(world);
    assert.equal(reason, `${host.url}/batches/${digest} answers 503`);
    host.up = true;
    host.forged.set(`/batches/${digest}`, Buffer.from("forged"));
    world.now += 60;
    await world.oracle.tick();
    assert.equal((await jobs(world))[0].reason, `${host.url}/batches/${digest} serves other bytes`);
    assert.deepEqual(asked(world), []);
    host.forged.clear();
    world.now += 120;
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    assert.deepEqual(await jobs(world), []);
  });

  it("asks once it is there, with the URLs that it was fetched from", async () => {
    const world = await newWorldWith();
    await world.oracle.tick();
    const [request] = asked(world);
    assert.ok(request?.to === "attestor");
    assert.deepEqual(request.urls, [`${host.url}/batches/${request.digest}`]);
    assert.deepEqual(host.asked, [`/batches/${request.digest}`]);
    const [log] = await world.oracle.store.logs.of(world.oracle.follower.meters()[0]?.keyId as string);
    const checkpoint = await fetch(`${host.url}/tlog/${log?.keyId}/1/checkpoint`);
    assert.equal((await checkpoint.text()).split("\n")[1], String(log?.size));
  });

  it("goes on where it was interrupted between putting and asking", async () => {
    const world = await newWorldWith();
    world.chain.crash = "before";
    await world.oracle.tick();
    assert.deepEqual(asked(world), []);
    await world.restart();
    world.chain.crash = undefined;
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    // it was written down that it is there
    assert.equal(host.asked.length, 1);
  });

  it("goes on where it was interrupted while it was putting", async () => {
    isFull = true;
    const world = await newWorldWith();
    await world.oracle.tick();
    isFull = false;
    // a new process waits for nothing that the last one did
    await world.restart();
    assert.equal(asked(world).length, 1);
  });

  it("publishes again what the DON could not fetch", async () => {
    const world = await newWorldWith();
    world.chain.don = { state: "refused", reason: "no batch" };
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    host.up = false;
    world.now += 60;
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    assert.match((await jobs(world))[0].reason, /answers 503$/);
    host.up = true;
    world.chain.don = { state: "attested" };
    world.now += 60;
    await world.oracle.tick();
    assert.equal(asked(world).length, 2);
    assert.deepEqual(await jobs(world), []);
  });

  it("holds up nothing that needs no attestation, and publishes it until it is final", async () => {
    isFull = true;
    const world = await newWorldWith({ attestation: undefined, confirmations: 3 });
    world.chain.unattestedAfter = 0;
    await world.oracle.tick();
    assert.deepEqual(world.chain.mined(), ["register", "wattWitness"]);
    const [{ digest, reason }] = await jobs(world);
    assert.equal(reason, "FOLDER cannot be published to: ENOSPC");
    isFull = false;
    world.now += 60;
    await world.oracle.tick();
    assert.equal((await fetch(`${host.url}/batches/${digest}`)).status, 200);
    assert.equal((await jobs(world))[0].reason, undefined);
  });

  const readiness = async (world: World) => (await world.app.inject("/ready")).json().reasons as string[];

  it("waits for a public URL that is dead, says so, tries more and more seldom, and asks once it is back", async () => {
    const world = await newWorldWith();
    let puts = 0;
    const { put } = outlet;
    outlet.put = async (file) => {
      if (file.path.startsWith("batches/")) puts += 1;
      return put(file);
    };
    await host.die();
    await world.oracle.tick();
    const [{ digest }] = await jobs(world);
    const dead = `${host.url}/batches/${digest} does not answer: ECONNREFUSED`;
    assert.deepEqual(await readiness(world), [dead]);
    const attempts: number[] = [];
    for (let minute = 1; minute <= 16; minute++) {
      const before = puts;
      world.now += 60;
      await world.oracle.tick();
      if (puts > before) attempts.push(minute);
      assert.deepEqual(await readiness(world), [dead]);
    }
    assert.deepEqual(attempts, [1, 3, 7, 15]);
    assert.deepEqual(asked(world), []);
    await host.comeBack();
    world.now += 15 * 60;
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    assert.deepEqual(await readiness(world), []);
    assert.deepEqual(await jobs(world), []);
  });

  it("holds back only the batch that cannot be fetched", async () => {
    const world = await newWorldWith();
    host.up = false;
    await world.oracle.tick();
    const [{ digest }] = await jobs(world);
    host.up = true;
    host.forged.set(`/batches/${digest}`, Buffer.from("forged"));
    const other = newMeter();
    other.advance(world.now);
    await world.register(other.device);
    await world.live(other, world.now + 600);
    await world.oracle.tick();
    assert.equal(asked(world).length, 1);
    assert.notEqual(asked(world)[0]?.to === "attestor" && asked(world)[0]?.digest, digest);
    assert.equal(world.chain.settled(toHex(other.device.keyId)).size, other.device.size);
    assert.deepEqual(
      (await jobs(world)).map((job: { digest: string }) => job.digest),
      [digest],
    );
    assert.deepEqual(await readiness(world), [`${host.url}/batches/${digest} serves other bytes`]);
  });

  it("publishes what could not be before it was final, once it can be, also after a restart", async () => {
    const world = await newWorldWith({ attestation: undefined });
    world.chain.unattestedAfter = 0;
    await host.die();
    const digests: string[] = [];
    const meters = [newMeter(), newMeter()];
    for (const meter of meters) {
      meter.advance(world.now);
      await world.register(meter.device);
      await world.live(meter, world.now + 600);
      await world.oracle.tick();
      digests.push(...(await finished(world)));
      // what is settled is settled, and the next goes its way
      assert.deepEqual(await jobs(world), []);
      assert.equal(world.chain.settled(toHex(meter.device.keyId)).size, meter.device.size);
    }
    assert.equal(new Set(digests).size, 3);
    const waiting = /^batches that are settled \(\d\) wait to be published: http\S+ does not answer: ECONNREFUSED$/;
    assert.match((await readiness(world)).join(), waiting);
    await world.restart();
    await world.oracle.tick();
    assert.match((await readiness(world)).join(), waiting);
    await host.comeBack();
    for (let i = 0; i < 4; i++) {
      world.now += 3600;
      await world.oracle.tick();
    }
    for (const digest of digests) assert.equal((await fetch(`${host.url}/batches/${digest}`)).status, 200);
    assert.deepEqual(await readiness(world), []);
    assert.deepEqual(await (await world.oracle.store.records("unpublished")).ids(), []);
  });

  const finished = async (world: World) => (await world.oracle.store.records("jobs-finished")).ids();
});
