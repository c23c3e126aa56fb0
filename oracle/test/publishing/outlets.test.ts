import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { folderOutlet } from "../../publishing/folder.ts";
import type { Outlet } from "../../publishing/outlet.ts";
import { openOutlets } from "../../publishing/outlets.ts";
import { s3Outlet } from "../../publishing/s3.ts";
import { removeDirectories, temporaryDirectory } from "../support.ts";
import { ACCOUNT, bucketIn, type TestBucket } from "./s3rver.ts";

const file = (path: string, text: string, changes = false) => ({ path, bytes: Buffer.from(text), changes });
const textAt = async (outlet: Outlet, path: string) => {
  const got = await outlet.get(path);
  assert.ok(got.ok);
  return got.bytes && Buffer.from(got.bytes).toString();
};

describe("an outlet", () => {
  afterEach(removeDirectories);

  describe("in a folder", () => {
    let directory: string;
    let outlet: Outlet;

    beforeEach(async () => {
      directory = await temporaryDirectory();
      outlet = folderOutlet("FOLDER", directory);
    });

    it("says why it cannot be written to, and not where it is", async () => {
      await writeFile(join(directory, "batches"), "a file");
      assert.match(String(await outlet.put(file("batches/0x01", "batch"))), /^E(NOTDIR|EXIST)$/);
      assert.deepEqual(await outlet.get("batches/0x01"), { ok: false, reason: "ENOTDIR" });
    });

    it("has nothing where nothing was put", async () => {
      assert.deepEqual(await outlet.get("batches/0x01"), { ok: true, bytes: undefined });
    });

    it("has what was put last, and nothing beside it", async () => {
      for (const text of ["first", "second"]) await outlet.put(file("tlog/0x01/1/checkpoint", text, true));
      assert.equal(await textAt(outlet, "tlog/0x01/1/checkpoint"), "second");
      assert.deepEqual(await readdir(join(directory, "tlog/0x01/1")), ["checkpoint"]);
      assert.equal(await readFile(join(directory, "tlog/0x01/1/checkpoint"), "utf8"), "second");
    });

    it("has a full tile beside the folder of its partial ones", async () => {
      await outlet.put(file("tile/0/000.p/5", "part"));
      await outlet.put(file("tile/0/000", "full"));
      assert.deepEqual((await readdir(join(directory, "tile/0"))).sort(), ["000", "000.p"]);
    });

    it("is made again where somebody took it away", async () => {
      await outlet.put(file("a/b", "first"));
      await rm(join(directory, "a"), { recursive: true });
      assert.equal(await outlet.put(file("a/b", "second")), "ENOENT");
      assert.equal(await outlet.put(file("a/b", "second")), undefined);
      assert.equal(await textAt(outlet, "a/b"), "second");
    });

    it("goes on over what an interruption left", async () => {
      await mkdir(join(directory, "a"));
      await writeFile(join(directory, "a/b.unfinished"), "half");
      await outlet.put(file("a/b", "whole"));
      assert.deepEqual(await readdir(join(directory, "a")), ["b"]);
    });
  });

  describe("in an S3-compatible store", () => {
    let bucket: TestBucket;
    let outlet: Outlet;

    beforeEach(async () => {
      bucket = await bucketIn(await temporaryDirectory());
      outlet = s3Outlet("STORE", { url: bucket.url, ...ACCOUNT });
    });
    afterEach(() => bucket.close());

    it("says in S3's words why it is refused, and no secret", async () => {
      const other = s3Outlet("STORE", { url: bucket.url, keyId: "somebody", secret: "hidden" });
      const reason = "it answers 403 InvalidAccessKeyId";
      assert.equal(await other.put(file("a", "b")), reason);
      assert.deepEqual(await other.get("a"), { ok: false, reason });
      const nowhere = s3Outlet("STORE", { url: `${bucket.url}-not-there`, ...ACCOUNT });
      assert.equal(await nowhere.put(file("a", "b")), "it answers 404 NoSuchBucket");
    });

    it("says that it does not answer", async () => {
      await bucket.close();
      assert.equal(await outlet.put(file("a", "b")), "ECONNREFUSED");
      assert.deepEqual(await outlet.get("a"), { ok: false, reason: "ECONNREFUSED" });
      bucket = await bucketIn(await temporaryDirectory());
    });

    it("has nothing where nothing was put", async () => {
      assert.deepEqual(await outlet.get("batches/0x01"), { ok: true, bytes: undefined });
    });

    it("has what was put last, for everybody", async () => {
      for (const text of ["first", "second"]) await outlet.put(file("tlog/0x01/1/checkpoint", text, true));
      assert.equal(await textAt(outlet, "tlog/0x01/1/checkpoint"), "second");
      const response = await fetch(`${bucket.url}/tlog/0x01/1/checkpoint`);
      assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(await response.text(), "second");
    });

    it("has it below a folder of the bucket", async () => {
      for (const url of [`${bucket.url}/site`, `${bucket.url}/site/`]) {
        await s3Outlet("STORE", { url, ...ACCOUNT }).put(file("a/b", url));
        assert.equal(await (await fetch(`${bucket.url}/site/a/b`)).text(), url);
      }
    });

    it("is opened beside a folder", async () => {
      const s3 = { url: bucket.url, ...ACCOUNT };
      const opening = await openOutlets({ directory: await temporaryDirectory(), s3, publicUrls: [] });
      assert.ok(opening.ok);
      assert.deepEqual(
        opening.outlets.map(({ name }) => name),
        ["WATTWITNESS_PUBLISH_DIR", "WATTWITNESS_PUBLISH_S3_URL"],
      );
      for (const each of opening.outlets) {
        assert.equal(await each.put(file("a/b", "put")), undefined);
        assert.equal(await textAt(each, "a/b"), "put");
      }
    });

    it("is asked with a signature over what is put, and how long it may be kept", async () => {
      const headers: NodeJS.Dict<string | string[]>[] = [];
      const server = createServer((request, response) => {
        headers.push(request.headers);
        request.resume().once("end", () => response.end());
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/meters`;
      const there = s3Outlet("STORE", { url, keyId: "name", secret: "hidden", region: "eu-central-2" });
      await there.put(file("a", "abc"));
      await there.put(file("a", "abc", true));
      server.close();
      const [fixed, changing] = headers;
      assert.equal(fixed?.["x-amz-content-sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
      assert.match(
        String(fixed?.["authorization"]),
        /^AWS4-HMAC-SHA256 Credential=name\/\d{8}\/eu-central-2\/s3\/aws4_request, SignedHeaders=.*x-amz-content-sha256/,
      );
      assert.ok(!JSON.stringify(headers).includes("hidden"));
      assert.match(String(fixed?.["cache-control"]), /immutable/);
      assert.equal(changing?.["cache-control"], "public, max-age=5");
    });
  });
});
