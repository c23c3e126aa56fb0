import assert from "node:assert/strict";
import type { LightMyRequestResponse as Response } from "fastify";
import type { Meter } from "../../../meter/meter.ts";
import {
  batchDigest,
  decodeReading,
  domain,
  encodeHead,
  energyOf,
  fromHex,
  toHex,
  verify,
  verifyInclusion,
} from "../../../protocol/index.ts";
import { COLUMNS } from "../../serving/history.ts";
import { newMeter, newWorld, PLACE, postOf, removeDirectories, START, type World } from "../support.ts";

const NOWHERE = `0x${"0f".repeat(32)}`;
const PAYLOAD = Buffer.from('{"mac":"EC64C9C05E97"}').toString("base64");

describe("the original's routes", () => {
  let world: World;
  let meter: Meter;
  let keyId: string;

  /** 80 readings, the first 60 settled. */
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meter = await world.newMeter();
    keyId = toHex(meter.device.keyId);
    for (const until of [START + 600, START + 800]) {
      await world.live(meter, until);
      if (until === START + 600) await world.oracle.tick();
    }
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  const ask = (path: string, headers: Record<string, string> = {}) =>
    world.app.inject({ url: `/api/v1${path}`, headers });
  const send = (path: string, payload: object) => world.app.inject({ method: "POST", url: `/api/v1${path}`, payload });

  async function assertRefused(path: string, status: number, rule: string): Promise<void> {
    const response = await ask(path);
    assert.equal(response.json().rule, rule, path);
    assert.equal(response.statusCode, status, path);
  }

  /** With the next reading, which it has not posted. */
  function announcement(name = "roof") {
    world.now += 10;
    meter.advance(world.now);
    const { signature, epoch, size, reading, root } = meter.device.head();
    return {
      ...{ name, shelly_payload: PAYLOAD, boot_timestamp: START },
      public_key: toHex(meter.device.publicKey).slice(2),
      head: { epoch, size, reading: toHex(reading), root: toHex(root) },
      signature: toHex(signature).toUpperCase().slice(2),
    };
  }

  it("answer each request that their users know, over HTTP, with and without the slash at its end", async () => {
    const base = `${await world.app.listen({ host: "127.0.0.1", port: 0 })}/api/v1`;
    const announced = await send("/installations/", announcement());
    assert.equal(announced.statusCode, 200, announced.body);
    const { id } = announced.json();
    const [batch] = (await ask("/batches/")).json();
    const row = [
      ...["id", "installation_id", "power_w", "total_wh", "timestamp", "signature", "is_verified"],
      ...["verification_timestamp", "is_on_chain", "blockchain_tx_hash", "blockchain_block_number", "created_at"],
      ...["epoch", "index", "voltage", "current", "temperature", "conditions"],
    ];
    const installation = [
      ...["id", "name", "shelly_mac", "public_key", "last_boot_timestamp", "created_at", "is_active"],
      ...["meter_id", "owner", "capacity", "registry", "watt_witness", "registration_tx_hash"],
    ];
    const answersTo: [path: string, query: string, names: string[]][] = [
      ["/installations", "", installation],
      [`/installations/${id}`, "", installation],
      [`/installations/${keyId}`, "", installation],
      [`/readings/${id}`, "", row],
      [`/readings/${id}`, `?start_time=${START}&end_time=${START + 900}&limit=5&cursor=1/70`, row],
      [`/readings/${keyId}`, "?start_time=2026-03-20T00:00:00Z&limit=1", row],
      [`/readings/latest/${id}`, "", row],
      ["/readings/pending", "", row],
      ...["hour", "day", "week", "month", "year"].map((frame): (typeof answersTo)[0] => [
        ...([`/readings/${id}/chart`, `?time_frame=${frame}&time_zone=Europe/Zurich`] as const),
        ["data_points", "time_frame", "total_energy"],
      ]),
      [`/readings/${id}/1/25/proof`, "", ["reading", "signed", "settled", "head_domain", "public_key"]],
      ["/batches", "", ["digest", "state", "path"]],
    ];
    for (const [path, query, names] of answersTo) {
      for (const slash of ["", "/"]) {
        const response = await fetch(`${base}${path}${slash}${query}`);
        const body = (await response.json()) as object | object[];
        assert.equal(response.status, 200, `${path}${slash}${query}: ${JSON.stringify(body)}`);
        const told = Array.isArray(body) ? body[0] : body;
        for (const name of names) assert.ok(told && name in told, `${path}${slash}${query} without ${name}`);
      }
    }
    for (const slash of ["", "/"]) {
      const all = await fetch(`${base}/readings/${id}/all${slash}`);
      assert.equal((await all.text()).trimEnd().split("\n").length, 80);
      const octets = await fetch(`${base}/batches/${batch.digest}${slash}`);
      assert.equal(toHex(batchDigest(new Uint8Array(await octets.arrayBuffer()))), batch.digest);
      const posts: [string, object, number][] = [
        ["/installations", announcement("roof again"), 200],
        ["/readings", { ...unsigned(), signature: "ab".repeat(64) }, 422],
        ["/readings/mark-on-chain", { reading_ids: [1] }, 410],
      ];
      for (const [path, body, status] of posts) {
        const headers = { "content-type": "application/json" };
        const response = await fetch(`${base}${path}${slash}`, { method: "POST", headers, body: JSON.stringify(body) });
        assert.equal(response.status, status, `${path}${slash}: ${await response.text()}`);
      }
    }
  });

  /** What the original posts: its signature is what its users had for one. */
  const unsigned = () => ({
    ...{ power: 16.6, total: 21_700, timestamp: world.now, shelly_payload: PAYLOAD, epoch: 1, size: 81 },
    public_key: toHex(meter.device.publicKey).slice(2),
  });

  describe("installations", () => {
    it("refuse an announcement that the key did not sign, or that says what is not asked", async () => {
      const good = announcement();
      for (const [more, status] of [
        [{ signature: "00".repeat(64) }, 422],
        [{ signature: "zz" }, 400],
        [{ public_key: "aa" }, 400],
        [{ name: "" }, 400],
        [{ id: 7 }, 400],
      ] as const) {
        assert.equal((await send("/installations/", { ...good, ...more })).statusCode, status, JSON.stringify(more));
      }
      await assertRefused("/installations/1", 404, "unknown installation");
      await assertRefused(`/installations/${keyId}`, 404, "unknown installation");
      await assertRefused("/installations/01", 400, "malformed");
    });

    it("tell of one by number and by key what it said and what the chain says", async () => {
      const response = await send("/installations/", announcement());
      assert.equal(response.statusCode, 200, response.body);
      const told = response.json();
      const { created_at, registration_tx_hash, ...rest } = told;
      assert.deepEqual(rest, {
        ...{ id: 1, name: "roof", shelly_mac: "EC64C9C05E97", public_key: toHex(meter.device.publicKey) },
        ...{ key_id: keyId, last_boot_timestamp: START, is_active: true, status: "active", meter_id: keyId },
        ...{ owner: `0x${"ab".repeat(20)}`, capacity: 5000, chain_id: PLACE.chainId, registry: PLACE.registry },
        watt_witness: null,
      });
      assert.match(registration_tx_hash, /^0x[0-9a-f]{64}$/);
      assert.equal(Date.parse(created_at) / 1000, world.now);
      for (const path of ["/installations/1", "/installations/1/", `/installations/${keyId.toUpperCase()}`]) {
        assert.deepEqual((await ask(path)).json(), told, path);
      }
      assert.deepEqual((await ask("/installations/")).json(), [told]);
    });

    it("wait until the chain knows the meter", async () => {
      meter = newMeter();
      const { status, is_active, meter_id } = (await send("/installations", announcement())).json();
      assert.deepEqual([status, is_active, meter_id], ["pending", false, null]);
    });
  });

  describe("posting", () => {
    /** The next reading, as the original says it. */
    function original() {
      world.now += 10;
      meter.advance(world.now);
      const { device } = meter;
      const reading = decodeReading(device.readings.at(-1) as Uint8Array);
      assert.ok(reading.ok);
      const { energy, power, timestamp, voltage, current, temperature } = reading.value;
      return {
        ...{ power: Number(power) / 1000, total: Number(energy) / 1000, timestamp, shelly_payload: PAYLOAD },
        ...(voltage !== undefined && { voltage: voltage / 1000 }),
        ...(current !== undefined && { current: current / 1000 }),
        ...(temperature !== undefined && { temperature: temperature / 100 }),
        public_key: toHex(device.publicKey).slice(2),
        signature: Buffer.from(device.head().signature).toString("base64"),
        ...{ epoch: device.epoch, size: device.size },
      };
    }

    it("refuses what the device did not sign, whatever it claims", async () => {
      const body = original();
      for (const [more, status, rule] of [
        [{ total: body.total + 0.001 }, 422, "bad signature"],
        [{ power: body.power + 1, is_verified: true }, 422, "bad signature"],
        [{ source: 1 }, 422, "source mismatch"],
        [{ total: -1 }, 400, "malformed"],
        [{ total: 1e300 }, 400, "malformed"],
        [{ voltage: 1e9 }, 400, "malformed"],
        [{ signature: "aa" }, 400, "malformed"],
        [{ total: "1" }, 400, "malformed"],
        [{ public_key: "11".repeat(64) }, 404, "unknown meter"],
      ] as const) {
        const response = await send("/readings/", { ...body, ...more });
        assert.equal(response.json().rule, rule, JSON.stringify(more));
        assert.equal(response.statusCode, status);
      }
    });

    it("takes the original's body for the reading that the device signed", async () => {
      const response = await send("/readings/", original());
      assert.equal(response.statusCode, 200, response.body);
      const { size, index, is_verified, is_on_chain } = response.json();
      assert.deepEqual([size, index, is_verified, is_on_chain], [81, 80, true, false]);
      const log = await world.oracle.store.logs.get(keyId, 1);
      assert.deepEqual(log?.last, meter.device.readings.at(-1));
    });

    it("takes the oracle's own body", async () => {
      world.now += 20;
      meter.advance(world.now);
      const post = meter.device.nextPost();
      assert.ok(post);
      assert.deepEqual((await send("/readings/", post)).json(), { size: post.size });
      const forged = postOf(meter.device, [...meter.device.readings]);
      assert.equal((await send("/readings", { ...forged, size: 90 })).statusCode, 422);
    });

    it("leaves what is on chain to the chain", async () => {
      const response = await send("/readings/mark-on-chain/", { reading_ids: [1] });
      assert.equal(response.statusCode, 410);
      assert.equal(response.json().rule, "decided by the chain");
      assert.match(response.json().see, /readings/);
    });
  });

  describe("readings", () => {
    it("are of no installation that is not known, and of no time that is none", async () => {
      for (const path of ["", "/all", "/chart?time_frame=day"]) {
        await assertRefused(`/readings/7${path}`, 404, "unknown installation");
        await assertRefused(`/readings/${NOWHERE}${path}`, 404, "unknown installation");
      }
      await assertRefused("/readings/latest/7", 404, "unknown installation");
      for (const query of [
        "start_time=noon",
        "end_time=2026-13-01T00:00:00Z",
        "limit=0",
        "limit=1001",
        "cursor=1",
        "page=2",
      ]) {
        await assertRefused(`/readings/${keyId}?${query}`, 400, "malformed");
      }
    });

    it("come newest first, with everything that is known of them", async () => {
      const rows = (await ask(`/readings/${keyId}/`)).json();
      assert.deepEqual(
        rows.map(({ index }: { index: number }) => index),
        Array.from({ length: 80 }, (_, i) => 79 - i),
      );
      const [newest, settled] = [rows[0], rows[79 - 25]];
      assert.deepEqual(Object.keys(newest), COLUMNS as string[]);
      const reading = decodeReading(meter.device.readings[79] as Uint8Array);
      assert.ok(reading.ok);
      assert.equal(newest.total_mwh, String(reading.value.energy));
      assert.equal(Math.round(newest.total_wh * 1000), Number(reading.value.energy));
      assert.equal(newest.power_w, Number(reading.value.power) / 1000);
      assert.equal(newest.timestamp, reading.value.timestamp);
      assert.deepEqual(
        [newest.is_on_chain, newest.blockchain_tx_hash, newest.blockchain_block_number],
        [false, null, null],
      );
      assert.deepEqual([settled.is_on_chain, settled.is_verified], [true, true]);
      const [, mark] = await world.oracle.follower.marksOf(keyId, 1);
      assert.deepEqual([settled.blockchain_tx_hash, settled.blockchain_block_number], [mark?.transaction, mark?.block]);
      const log = meter.device.log;
      const head = { epoch: 1, size: 80, reading: meter.device.readings[79] as Uint8Array, root: log.root(80) };
      const signed = await verify(
        encodeHead(domain("head", PLACE), head),
        fromHex(newest.signature),
        meter.device.publicKey,
      );
      assert.ok(signed.ok);
      assert.deepEqual((await ask(`/readings/latest/${keyId}`)).json(), newest);
    });

    it("come page by page, also over an epoch", async () => {
      meter.device.loseRegister();
      meter.device.synchronise(world.now);
      world.now += 100;
      meter.advance(world.now);
      await world.upload(meter.device);
      const all = (await ask(`/readings/${keyId}?limit=1000`)).json();
      const paged = [];
      let path: string | undefined = `/api/v1/readings/${keyId}?limit=7`;
      while (path) {
        const response: Response = await world.app.inject(path);
        paged.push(...response.json());
        path = /<(.*)>; rel="next"/.exec(String(response.headers["link"]))?.[1];
      }
      assert.deepEqual(paged, all);
      assert.ok(new Set(all.map(({ epoch }: { epoch: number }) => epoch)).size === 2);
    });

    it("are of the time asked for, both ends included, in seconds or as a date", async () => {
      const [start, end] = [START + 100, START + 200];
      const rows = (await ask(`/readings/${keyId}?start_time=${start}&end_time=${end}`)).json();
      const times = rows.map(({ timestamp }: { timestamp: number }) => timestamp);
      assert.deepEqual([times[0], times.at(-1), times.length], [end, start, 11]);
      const iso = (time: number) => encodeURIComponent(new Date(time * 1000).toISOString());
      assert.deepEqual((await ask(`/readings/${keyId}?start_time=${iso(start)}&end_time=${iso(end)}`)).json(), rows);
    });

    it("stream as NDJSON and as CSV, oldest first", async () => {
      const newest = (await ask(`/readings/${keyId}?limit=1000`)).json();
      const ndjson = await ask(`/readings/${keyId}/all`);
      assert.match(String(ndjson.headers["content-type"]), /^application\/x-ndjson/);
      const rows = ndjson.body
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(rows, newest.reverse());
      const csv = await ask(`/readings/${keyId}/all?format=csv`);
      assert.match(String(csv.headers["content-type"]), /^text\/csv/);
      const [names, first, ...others] = csv.body.trimEnd().split("\r\n");
      assert.equal(names, COLUMNS.join(","));
      assert.equal(first, COLUMNS.map((column) => rows[0][column] ?? "").join(","));
      assert.equal(others.length, 79);
      assert.equal((await ask(`/readings/${keyId}/all/`, { accept: "text/csv" })).body, csv.body);
    });

    it("that are not on chain wait in pages, until they are", async () => {
      const rows = (await ask("/readings/pending")).json();
      assert.deepEqual(
        rows.map(({ index }: { index: number }) => index),
        Array.from({ length: 20 }, (_, i) => 60 + i),
      );
      const first = await ask("/readings/pending/?limit=15");
      const link = /<(.*)>; rel="next"/.exec(String(first.headers["link"]))?.[1];
      assert.deepEqual([...first.json(), ...(await world.app.inject(link as string)).json()], rows);
      for (let i = 0; i < 3; i++) await world.oracle.tick();
      assert.deepEqual((await ask("/readings/pending")).json(), []);
      assert.equal((await ask(`/readings/latest/${keyId}`)).json().is_on_chain, true);
    });

    it("make a chart of differences of the register", async () => {
      await assertRefused(`/readings/${keyId}/chart`, 400, "malformed");
      await assertRefused(`/readings/${keyId}/chart?time_frame=decade`, 400, "malformed");
      await assertRefused(`/readings/${keyId}/chart?time_frame=day&time_zone=Mars`, 400, "malformed");
      const { readings } = meter.device;
      const produced = energyOf(readings.at(-1) as Uint8Array) - energyOf(readings[0] as Uint8Array);
      const chart = (await ask(`/readings/${keyId}/chart?time_frame=hour&time_zone=Europe/Berlin`)).json();
      assert.equal(chart.data_points.length, 12);
      assert.equal(chart.total_energy_mwh, String(produced));
      assert.deepEqual(
        chart.data_points.map(({ value }: { value: number | null }) => value === null),
        [false, false, false, ...Array(9).fill(true)],
      );
      const energyAt = ({ index }: { index: number }) => energyOf(readings[index] as Uint8Array);
      for (const { value, from, to } of chart.data_points) {
        assert.equal(value, from && Number(energyAt(to) - energyAt(from)) / 1000);
      }
      assert.ok(Math.abs(chart.total_energy - Number(produced) / 1000) < 1e-9);
    });

    it("prove themselves with all that a verifier needs", async () => {
      await assertRefused(`/readings/${keyId}/1/80/proof`, 404, "unknown reading");
      await assertRefused(`/readings/${keyId}/2/0/proof`, 404, "unknown log");
      const proof = (await ask(`/readings/${keyId}/1/25/proof`)).json();
      assert.deepEqual([proof.chain_id, proof.registry], [PLACE.chainId, PLACE.registry]);
      assert.equal(proof.public_key, toHex(meter.device.publicKey));
      assert.equal(proof.head_domain, toHex(domain("head", PLACE)));
      for (const { size, root, proof: path } of [proof.signed, proof.settled]) {
        assert.ok(verifyInclusion(fromHex(proof.reading), 25, size, path.map(fromHex), fromHex(root)).ok);
      }
    });
  });

  describe("batches", () => {
    it("are listed with what became of them, and served whole, in part, or not again", async () => {
      const [batch] = (await ask("/batches")).json();
      assert.equal(batch.state, "settled");
      const path = `/batches/${batch.digest}`;
      const whole = await ask(path);
      assert.equal(toHex(batchDigest(new Uint8Array(whole.rawPayload))), batch.digest);
      const length = whole.rawPayload.length;
      const etag = String(whole.headers["etag"]);
      assert.equal((await ask(path, { "if-none-match": etag })).statusCode, 304);
      for (const [range, first, last] of [
        ["bytes=0-3", 0, 3],
        ["bytes=10-", 10, length - 1],
        ["bytes=-5", length - 5, length - 1],
        [`bytes=0-${length * 2}`, 0, length - 1],
      ] as const) {
        const part = await ask(path, { range });
        assert.equal(part.statusCode, 206, range);
        assert.equal(part.headers["content-range"], `bytes ${first}-${last}/${length}`);
        assert.deepEqual(part.rawPayload, whole.rawPayload.subarray(first, last + 1), range);
      }
      for (const range of [`bytes=${length}-`, "bytes=-0"]) {
        const none = await ask(path, { range });
        assert.equal(none.json().rule, "range not satisfiable", range);
        assert.equal(none.headers["content-range"], `bytes */${length}`);
      }
      for (const range of ["bytes=3-1", "bytes=0-1,3-4", "lines=0-1", "bytes=-"]) {
        assert.equal((await ask(path, { range })).statusCode, 200, range);
      }
      assert.equal((await ask(path, { range: "bytes=0-3", "if-range": '"other"' })).statusCode, 200);
    });
  });
});
