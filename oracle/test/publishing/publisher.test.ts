import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Meter } from "../../../meter/meter.ts";
import { toHex } from "../../../protocol/index.ts";
import { folderOutlet } from "../../publishing/folder.ts";
import type { Outlet, PublishedFile } from "../../publishing/outlet.ts";
import { createPublisher, type LogOfKey, type Publisher } from "../../publishing/publisher.ts";
import { s3Outlet } from "../../publishing/s3.ts";
import { newWorld, PLACE, removeDirectories, START, temporaryDirectory, type World } from "../support.ts";
import { type Host, hostOf } from "./places.ts";
import { ACCOUNT, bucketIn, type TestBucket } from "./s3rver.ts";

const RETRY_AFTER = 60;

describe("a publisher", () => {
  let world: World;
  let meter: Meter;
  let log: LogOfKey;
  let folder: string;
  let host: Host;
  let digest: string;
  let path: string;

  /** 600 readings stored, and a batch of some bytes. */
  beforeEach(async () => {
    world = await newWorld({ settles: false });
    meter = await world.newMeter();
    await grow(600);
    log = { keyId: toHex(meter.device.keyId), epoch: 1, publicKey: toHex(meter.device.publicKey) };
    folder = await temporaryDirectory();
    host = await hostOf(folder);
    digest = await world.oracle.store.batches.put(randomBytes(100));
    path = `/batches/${digest}`;
  });
  afterEach(async () => {
    host.close();
    await removeDirectories();
  });

  async function grow(size: number): Promise<void> {
    await world.live(meter, START + size * 10);
  }

  function publisherTo(outlets: Outlet[], publicUrls = [host.url], patience?: number): Publisher {
    const { store, noteKey: oracleKey } = world.oracle;
    const now = () => world.now;
    return createPublisher({
      ...{ outlets, publicUrls, store, place: PLACE, oracleKey, retryAfter: RETRY_AFTER, now },
      ...(patience !== undefined && { patience }),
    });
  }

  /** The folder as an outlet that remembers what was put, and fails when it is told to. */
  function recorded() {
    const outlet = folderOutlet("FOLDER", folder);
    const put: string[] = [];
    const state = { fails: (_file: PublishedFile) => false };
    const recording: Outlet = {
      ...outlet,
      async put(file) {
        if (state.fails(file)) return "ENOSPC";
        put.push(file.path);
        return outlet.put(file);
      },
    };
    return { outlet: recording, put, state };
  }

  const inFolder = () => folderOutlet("FOLDER", folder);

  it("says what cannot be written to, and waits for longer each time", async () => {
    const { outlet, put, state } = recorded();
    state.fails = () => true;
    const publisher = publisherTo([outlet]);
    const reason = "FOLDER cannot be published to: ENOSPC";
    for (const wait of [60, 120, 240]) {
      assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: false, reason });
      state.fails = () => false;
      world.now += wait - 1;
      assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: false, reason });
      assert.deepEqual(put, []);
      state.fails = () => true;
      world.now += 1;
    }
    state.fails = () => false;
    assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: true });
  });

  it("throws where what is to be published cannot be read, and tries again later", async () => {
    const { logs, batches } = world.oracle.store;
    let isDamaged = true;
    const store = {
      logs,
      batches: {
        ...batches,
        get: (of: string) => (isDamaged ? Promise.reject(new Error("damaged")) : batches.get(of)),
      },
    };
    const publisher = createPublisher({
      ...{ outlets: [inFolder()], publicUrls: [host.url], store, place: PLACE, now: () => world.now },
      ...{ oracleKey: world.oracle.noteKey, retryAfter: RETRY_AFTER },
    });
    await assert.rejects(publisher.publish(digest, [log]), { message: "damaged" });
    assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: false });
    isDamaged = false;
    world.now += RETRY_AFTER;
    assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: true });
  });

  it("never waits for more than an hour", async () => {
    const { outlet, state } = recorded();
    state.fails = () => true;
    const publisher = publisherTo([outlet]);
    for (let i = 0; i < 50; i++) {
      await publisher.publish(digest, []);
      world.now += 3600;
    }
    state.fails = () => false;
    assert.deepEqual(await publisher.publish(digest, []), { isPublished: true });
  });

  it("says that a public URL serves other bytes, more, or fewer", async () => {
    const batch = (await world.oracle.store.batches.get(digest)) as Uint8Array;
    const publisher = publisherTo([inFolder()]);
    const forged = [randomBytes(100), Buffer.concat([batch, Buffer.of(0)]), batch.subarray(1), randomBytes(1_000_000)];
    for (const bytes of forged) {
      host.forged.set(path, bytes);
      const reason = `${host.url}${path} serves other bytes`;
      assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: false, reason });
      world.now += 3600;
    }
    host.forged.clear();
    assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: true });
  });

  it("says which public URL is down, and goes on once it is up", async () => {
    const publisher = publisherTo([inFolder()], [`${host.url}/`, "http://127.0.0.1:1"]);
    const publication = await publisher.publish(digest, [log]);
    assert.ok(!publication.isPublished);
    assert.match(String(publication.reason), /^http:\/\/127.0.0.1:1\/batches\/0x\w+ does not answer: /);
    const other = publisherTo([inFolder()]);
    host.up = false;
    const reason = `${host.url}${path} answers 503`;
    assert.deepEqual(await other.publish(digest, [log]), { isPublished: false, reason });
    host.up = true;
    assert.deepEqual(await other.publish(digest, [log]), { isPublished: false, reason });
    world.now += RETRY_AFTER;
    assert.deepEqual(await other.publish(digest, [log]), { isPublished: true });
  });

  it("goes on by itself where it takes long", async () => {
    const { outlet } = recorded();
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const put = outlet.put;
    outlet.put = async (file) => {
      await held;
      return put(file);
    };
    const publisher = publisherTo([outlet], [host.url], 20);
    for (let i = 0; i < 3; i++) assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: false });
    goOn();
    let publication = await publisher.publish(digest, [log]);
    for (let i = 0; i < 100 && !publication.isPublished; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      publication = await publisher.publish(digest, [log]);
    }
    assert.deepEqual(publication, { isPublished: true });
    assert.deepEqual(host.asked, [path]);
  });

  it("puts what the oracle's own routes serve, under the same paths", async () => {
    const { outlet, put } = recorded();
    assert.deepEqual(await publisherTo([outlet]).publish(digest, [log]), { isPublished: true });
    assert.equal(put.length, 1 + 2 + 3 + 3 + 1);
    for (const name of put) {
      const [own, there] = [await world.app.inject({ url: `/${name}` }), await fetch(`${host.url}/${name}`)];
      assert.deepEqual([own.statusCode, there.status], [200, 200], name);
      assert.deepEqual(Buffer.from(await there.arrayBuffer()), own.rawPayload, name);
    }
  });

  it("puts full tiles once, and the checkpoint after all that it is about", async () => {
    const { outlet, put } = recorded();
    const prefix = `tlog/${log.keyId}/1/`;
    await publisherTo([outlet]).publish(digest, [log]);
    put.length = 0;
    // another oracle on the same store, as after a restart
    const publisher = publisherTo([outlet]);
    await publisher.publish(digest, [log]);
    assert.deepEqual(put, [`batches/${digest}`]);
    put.length = 0;
    await grow(800);
    await publisher.publish(digest, [log]);
    const paths = put.map((name) => name.replace(prefix, ""));
    assert.deepEqual(paths.slice(-3), ["vkeys", "checkpoint", `batches/${digest}`]);
    assert.deepEqual(paths.slice(0, -3).sort(), [
      "tile/0/002",
      "tile/0/003.p/32",
      "tile/1/000.p/3",
      "tile/entries/002",
      "tile/entries/003.p/32",
    ]);
  });

  it("puts all again where the last time was interrupted before the checkpoint", async () => {
    const { outlet, put, state } = recorded();
    state.fails = ({ path }) => path.endsWith("/checkpoint");
    assert.equal((await publisherTo([outlet]).publish(digest, [log])).isPublished, false);
    assert.ok(!(await readdir(join(folder, "tlog", log.keyId, "1"))).includes("checkpoint"));
    const before = put.splice(0);
    state.fails = () => false;
    assert.deepEqual(await publisherTo([outlet]).publish(digest, [log]), { isPublished: true });
    for (const name of before) assert.ok(put.includes(name), name);
  });

  it("puts all again where the checkpoint there is of another log, or is none", async () => {
    const { outlet, put } = recorded();
    await publisherTo([outlet]).publish(digest, [log]);
    const all = put.splice(0).length;
    const checkpoint = join(folder, "tlog", log.keyId, "1", "checkpoint");
    const origin = `wattwitness/${PLACE.chainId}/${PLACE.registry}/${log.keyId}/1`;
    const root = randomBytes(32).toString("base64");
    for (const text of ["", "checkpoint", `${origin}\n300\n${root}\n\n`, `${origin}\n9000\n${root}\n\n`]) {
      await writeFile(checkpoint, text);
      await publisherTo([outlet]).publish(digest, [log]);
      assert.equal(put.splice(0).length, all, text);
    }
    await rm(checkpoint);
    await publisherTo([outlet]).publish(digest, [log]);
    assert.equal(put.length, all);
  });

  describe("with an S3-compatible store", () => {
    let bucket: TestBucket;
    beforeEach(async () => {
      bucket = await bucketIn(await temporaryDirectory());
    });
    afterEach(() => bucket.close());

    it("publishes to it and to a folder, and fetches from both", async () => {
      const outlets = [inFolder(), s3Outlet("STORE", { url: bucket.url, ...ACCOUNT })];
      const publisher = publisherTo(outlets, [host.url, bucket.url]);
      assert.deepEqual(await publisher.publish(digest, [log]), { isPublished: true });
      for (const name of [path, `/tlog/${log.keyId}/1/checkpoint`, `/tlog/${log.keyId}/1/tile/0/002.p/88`]) {
        const bodies = await Promise.all([host.url, bucket.url].map((base) => fetch(base + name)));
        const [one, other] = await Promise.all(bodies.map((body) => body.arrayBuffer()));
        assert.ok(one && one.byteLength > 0);
        assert.deepEqual(one, other);
      }
    });

    it("says that it refuses", async () => {
      const outlet = s3Outlet("STORE", { url: bucket.url, keyId: "somebody", secret: "hidden" });
      assert.deepEqual(await publisherTo([outlet], [bucket.url]).publish(digest, [log]), {
        isPublished: false,
        reason: "STORE cannot be published to: it answers 403 InvalidAccessKeyId",
      });
    });
  });
});
