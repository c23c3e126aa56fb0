import assert from "node:assert/strict";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { batchDigest, toHex } from "../../../protocol/index.ts";
import { newWorld, removeDirectories, START, type World } from "../support.ts";

const DECODED = { br: brotliDecompressSync, gzip: gunzipSync };
type Coding = keyof typeof DECODED;

describe("answers in a coding", () => {
  let world: World;
  let batch: string;
  let bundle: string;
  let log: string;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    const meter = await world.newMeter();
    await world.live(meter, START + 6000);
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    const [{ digest }] = (await world.app.inject("/api/v1/batches")).json();
    batch = `/batches/${digest}`;
    log = `${toHex(meter.device.keyId)}/1`;
    bundle = `/tlog/${log}/tile/entries/000`;
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  const ask = (url: string, headers: Record<string, string> = {}) => world.app.inject({ url, headers });
  const accepting = (url: string, accepted: string, more = {}) => ask(url, { "accept-encoding": accepted, ...more });

  it("are not sent to who takes none, and caches are told that others might", async () => {
    for (const accepted of ["identity", "deflate", "gzip;q=0, br;q=0", "*;q=0", ""]) {
      const { headers, rawPayload } = await accepting(bundle, accepted);
      assert.equal(headers["content-encoding"], undefined, accepted);
      assert.match(String(headers["vary"]), /accept-encoding/);
      assert.equal(headers["etag"], `"${log}/tile/entries/000"`);
      assert.equal(rawPayload.length, 256 * 34);
    }
    assert.equal((await ask(bundle)).headers["content-encoding"], undefined);
  });

  it("are not sent of a batch: the DON's sandbox asks for them, and fails over them", async () => {
    for (const url of [batch, `/api/v1${batch}`]) {
      const { headers, rawPayload } = await accepting(url, "gzip,br");
      assert.equal(headers["content-encoding"], undefined);
      assert.equal(headers["etag"], `"${toHex(batchDigest(new Uint8Array(rawPayload)))}"`);
    }
  });

  it("are not sent of what is short, does not get shorter, is a part, or must arrive at once", async () => {
    const all = "gzip, br";
    for (const [url, more, status] of [
      [`/api/v1/readings/latest/${log.split("/")[0]}`, {}, 200],
      ["/tlog/key", {}, 200],
      [`/tlog/${log}/tile/0/000`, {}, 200],
      [bundle, { range: "bytes=0-1999" }, 206],
      ["/batches/1", {}, 400],
    ] as const) {
      const response = await accepting(url, all, more);
      assert.equal(response.statusCode, status, url);
      assert.equal(response.headers["content-encoding"], undefined, url);
    }
    const base = await world.app.listen({ host: "127.0.0.1", port: 0 });
    const stream = await fetch(`${base}/api/v1/stream`, { headers: { "accept-encoding": all } });
    assert.equal(stream.headers.get("content-encoding"), null);
    await stream.body?.cancel();
  });

  for (const coding of ["br", "gzip"] as Coding[]) {
    it(`are the same bytes, and much fewer of them: ${coding}`, async () => {
      for (const url of [
        bundle,
        `/logs/${log}/readings?limit=500`,
        `/api/v1/readings/${log.split("/")[0]}/all`,
        `/api/v1/readings/${log.split("/")[0]}/all?format=csv`,
        "/metrics",
        "/docs/json",
      ]) {
        const [plain, coded] = [await ask(url), await accepting(url, coding.toUpperCase())];
        assert.equal(coded.headers["content-encoding"], coding, url);
        assert.match(String(coded.headers["vary"]), /accept-encoding/, url);
        assert.equal(coded.headers["content-type"], plain.headers["content-type"]);
        const decoded = DECODED[coding](coded.rawPayload);
        if (url !== "/metrics") assert.deepEqual(decoded, plain.rawPayload, url);
        assert.ok(coded.rawPayload.length < 0.6 * decoded.length, `${url}: ${coded.rawPayload.length}`);
      }
    });

    it(`have a tag of their own, by which they are asked for again: ${coding}`, async () => {
      const plain = String((await ask(bundle)).headers["etag"]);
      const coded = String((await accepting(bundle, coding)).headers["etag"]);
      assert.equal(coded, `${plain.slice(0, -1)};${coding}"`);
      for (const tag of [plain, coded, `"other", W/${coded}`]) {
        const { statusCode, headers } = await accepting(bundle, coding, { "if-none-match": tag });
        assert.deepEqual([statusCode, headers["etag"]], [304, tag.includes("other") ? coded : tag]);
        assert.match(String(headers["vary"]), /accept-encoding/);
      }
      // what was broken off in a coding goes on only as a whole
      const range = { range: "bytes=100-", "if-range": coded };
      assert.equal((await accepting(bundle, coding, range)).statusCode, 200);
      assert.equal((await accepting(bundle, coding, { ...range, "if-range": plain })).statusCode, 206);
    });
  }

  it("are of the coding that is liked best", async () => {
    const codingOf = async (accepted: string) => (await accepting(bundle, accepted)).headers["content-encoding"];
    assert.equal(await codingOf("gzip, deflate, br"), "br");
    assert.equal(await codingOf("gzip;q=1, br;q=0.5"), "gzip");
    assert.equal(await codingOf("br;q=0, gzip"), "gzip");
  });
});
