import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Device } from "../../../../meter/device.ts";
import { toHex } from "../../../../protocol/index.ts";
import { buildApp } from "../../../http/app.ts";
import { createOracle, type Oracle, type OracleConfig } from "../../../oracle.ts";
import type { Store } from "../../../store/store.ts";
import { createFakeChain, type FakeChain } from "../../chain/fake-chain.ts";
import { CAPACITY, DEMO_RULES, newMeter, OWNER, PLACE, START, silent } from "../../support.ts";
import { describeWithServer } from "./server.ts";

type Running = { store: Store; oracle: Oracle; app: ReturnType<typeof buildApp> };

describeWithServer("oracles on one database", (server) => {
  let url: string;
  let chain: FakeChain;
  let now: number;
  let leader: Running;
  let other: Running;
  const apps: Running["app"][] = [];

  async function start(rules: Partial<OracleConfig> = {}): Promise<Running> {
    const store = await server().openStore(url);
    const config = { ...DEMO_RULES, confirmations: 1, ...rules };
    const oracle = await createOracle({ config, store, chain, now: () => now, logger: silent });
    const app = buildApp({ oracle, chain, logger: silent });
    apps.push(app);
    return { store, oracle, app };
  }

  beforeEach(async () => {
    url = await server().newStoreDatabase();
    now = START;
    chain = createFakeChain(PLACE, () => now);
    leader = await start();
    await leader.oracle.tick();
    other = await start();
    await other.oracle.tick();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  function register(device: Device): void {
    now = Math.max(now, device.lastTimestamp);
    chain.register(device.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) }));
  }

  async function post({ app }: Running, payload: object | undefined) {
    const response = await app.inject({ method: "POST", url: "/readings", payload: payload as object });
    return { status: response.statusCode, body: response.json() };
  }

  function measured(until = START + 600) {
    const meter = newMeter();
    meter.advance(START + 100);
    register(meter.device);
    now = until;
    meter.advance(until);
    return meter;
  }

  const kept = async (name: string) => (await leader.store.records(name)).ids();

  it("answer 503 while the database is down, and take the same post when it is back", async () => {
    const { device } = measured();
    for (const { oracle } of [leader, other]) await oracle.tick();
    await server().crash();
    try {
      for (const running of [leader, other]) {
        const { status, body } = await post(running, device.nextPost());
        assert.deepEqual([status, body.rule], [503, "store unavailable"]);
        assert.ok(!JSON.stringify(body).includes("postgres"), JSON.stringify(body));
        await assert.rejects(running.oracle.tick());
      }
    } finally {
      await server().start();
    }
    for (const running of [leader, other]) {
      assert.deepEqual(await post(running, device.nextPost()), { status: 200, body: { size: device.size } });
      await running.oracle.tick();
    }
  });

  it("are not ready while the database is down or takes nothing, and say nothing of where it is", async () => {
    const readiness = async (reason?: RegExp) => {
      for (const end = Date.now() + 20_000; ; await delay(50)) {
        const answers = await Promise.all([leader, other].map(({ app }) => app.inject("/ready")));
        const told = answers.map((answer) => answer.json().reasons.join());
        if (told.every((reasons) => (reason ? reason.test(reasons) : reasons === ""))) return;
        assert.ok(Date.now() < end, told.join());
      }
    };
    await readiness();
    await server().crash();
    try {
      await readiness(/^the database does not answer: ECONNREFUSED$/);
    } finally {
      await server().start();
    }
    await readiness();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("select current_database() as name");
    const readOnly = async (value: "on" | "off") => {
      await client.query("set default_transaction_read_only = off");
      await client.query(`alter database ${rows[0].name} set default_transaction_read_only = ${value}`);
      // those that are connected keep what they began with
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
        [rows[0].name],
      );
    };
    await readOnly("on");
    await readiness(/^the database cannot be written: cannot execute INSERT in a read-only transaction$/);
    await readOnly("off");
    await readiness();
    await client.end();
  });

  it("take posts of any meter, those that do not lead, too, and all serve them", async () => {
    const { device } = measured();
    await other.oracle.tick();
    assert.equal((await post(other, device.nextPost())).status, 200);
    await leader.oracle.tick();
    for (const { app } of [leader, other]) {
      const response = await app.inject(`/logs/${toHex(device.keyId)}/1/readings?limit=1000`);
      assert.deepEqual(response.json().readings, device.readings.map(toHex));
    }
  });

  it("take a meter's posts in turns, and know where to go on", async () => {
    const meter = measured(START + 200);
    for (const { oracle } of [leader, other]) await oracle.tick();
    for (let round = 1; round <= 8; round++) {
      const running = round % 2 === 0 ? leader : other;
      const sent = meter.device.nextPost();
      assert.ok(sent);
      const answer = await post(running, sent);
      assert.deepEqual(answer, { status: 200, body: { size: meter.device.size } });
      meter.device.answered(sent, answer, meter.now);
      now = START + 200 + round * 100;
      meter.advance(now);
    }
  });

  it("store what two of them are sent at once only once", async () => {
    const { device } = measured();
    for (const { oracle } of [leader, other]) await oracle.tick();
    const sent = device.nextPost();
    const answers = await Promise.all([leader, other, leader, other].map((running) => post(running, sent)));
    for (const answer of answers) assert.deepEqual(answer, { status: 200, body: { size: device.size } });
    const log = await leader.store.logs.get(toHex(device.keyId), 1);
    assert.deepEqual(
      (await log?.headsAfter(0))?.map(({ size }) => size),
      [device.size],
    );
  });

  it("take for known what another one stored while a log was to be begun", async () => {
    const { device } = measured();
    for (const { oracle } of [leader, other]) await oracle.tick();
    const sent = device.nextPost();
    assert.equal((await post(leader, sent)).status, 200);
    // as it was when the other looked, a moment before
    const { logs } = other.store;
    const { of } = logs;
    logs.of = async () => {
      logs.of = of;
      return [];
    };
    assert.deepEqual(await post(other, sent), { status: 200, body: { size: device.size } });
  });

  it("know what the chain says, and only the one that leads writes it down", async () => {
    const { device } = measured();
    await other.oracle.tick();
    assert.equal(other.oracle.follower.meterOf(toHex(device.keyId))?.capacity, CAPACITY);
    assert.deepEqual(await kept("meters"), []);
    await leader.oracle.tick();
    assert.deepEqual(await kept("meters"), [toHex(device.keyId)]);
  });

  it("seal and settle once, whoever looks first", async () => {
    const { device } = measured();
    for (const { oracle } of [other, leader]) await oracle.tick();
    assert.equal((await post(other, device.nextPost())).status, 200);
    for (let i = 0; i < 3; i++) for (const { oracle } of [other, leader]) await oracle.tick();
    assert.equal(chain.settled(toHex(device.keyId)).size, device.size);
    assert.deepEqual(chain.mined().slice(1), ["attestor", "wattWitness"]);
    for (const { oracle } of [leader, other]) {
      assert.deepEqual(oracle.settlement?.jobs(), []);
      const [, mark] = await oracle.follower.marksOf(toHex(device.keyId), 1);
      assert.equal(mark?.size, device.size);
    }
  });

  it("go on with what was sealed when the one that leads is gone", async () => {
    const { device } = measured();
    for (const { oracle } of [leader, other]) await oracle.tick();
    assert.equal((await post(other, device.nextPost())).status, 200);
    chain.crash = "before";
    await leader.oracle.tick();
    await other.oracle.tick();
    assert.equal(other.oracle.settlement?.jobs().length, 1);
    assert.equal(chain.settled(toHex(device.keyId)).size, 10);
    await leader.store.close();
    chain.crash = undefined;
    for (let i = 0; i < 3; i++) await other.oracle.tick();
    assert.equal(chain.settled(toHex(device.keyId)).size, device.size);
    assert.deepEqual(chain.mined().slice(1), ["attestor", "wattWitness"]);
    assert.deepEqual(await (await other.store.records("meters")).ids(), [toHex(device.keyId)]);
  });
});
