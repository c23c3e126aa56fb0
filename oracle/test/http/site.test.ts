import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { buildApp } from "../../http/app.ts";
import { readSite } from "../../http/site.ts";
import { newWorld, removeDirectories, silent, temporaryDirectory, type World } from "../support.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("pages for people", () => {
  let world: World;
  let app: World["app"];
  beforeEach(async () => {
    world = await newWorld();
    const folder = await temporaryDirectory();
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<!doctype html><title>a page</title>");
    await writeFile(join(folder, "assets/main-1234.js"), "// a script");
    const { oracle, chain } = world;
    app = buildApp({ oracle, chain, logger: silent, site: await readSite(folder) });
  });
  afterEach(async () => {
    await app.close();
    await world.app.close();
    await removeDirectories();
  });

  it("are none where the folder has none: browsers get the list of routes", async () => {
    assert.equal(await readSite(await temporaryDirectory()), undefined);
    assert.match((await world.app.inject({ url: "/", headers: BROWSER })).body, /<h2>Routes/);
    assert.equal((await world.app.inject("/assets/main-1234.js")).statusCode, 404);
  });

  it("are not found beside the assets", async () => {
    for (const url of ["/assets/other.js", "/assets/..%2Findex.html", "/index.html"]) {
      assert.equal((await app.inject(url)).statusCode, 404, url);
    }
  });

  it("stand at / for browsers, and leave programs their JSON and people the list at /routes", async () => {
    const page = await app.inject({ url: "/", headers: BROWSER });
    assert.match(page.body, /a page/);
    assert.match(String(page.headers["content-type"]), /^text\/html/);
    assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'; script-src 'self';/);
    assert.equal(page.headers["cache-control"], "no-cache");
    assert.equal((await app.inject("/")).json().routes[0].path, "/docs");
    assert.match((await app.inject({ url: "/routes", headers: BROWSER })).body, /<h2>Routes/);
  });

  it("are packed for who takes that, kept for ever where the name says the content, and not sent twice", async () => {
    const url = "/assets/main-1234.js";
    const plain = await app.inject(url);
    assert.equal(plain.body, "// a script");
    assert.match(String(plain.headers["cache-control"]), /immutable/);
    const packed = await app.inject({ url, headers: { "accept-encoding": "gzip, br" } });
    assert.equal(String(gunzipSync(packed.rawPayload)), "// a script");
    const again = await app.inject({ url, headers: { "if-none-match": String(plain.headers["etag"]) } });
    assert.equal(again.statusCode, 304);
  });

  it("are plain for who refuses that, and have another tag packed, which is known again, too", async () => {
    const url = "/assets/main-1234.js";
    const plain = await app.inject({ url, headers: { "accept-encoding": "gzip;q=0" } });
    assert.equal(plain.body, "// a script");
    const packed = await app.inject({ url, headers: { "accept-encoding": "gzip" } });
    const tag = String(packed.headers["etag"]);
    assert.notEqual(tag, plain.headers["etag"]);
    assert.equal((await app.inject({ url, headers: { "if-none-match": `"other", W/${tag}` } })).statusCode, 304);
  });
});
