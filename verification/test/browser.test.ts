import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Place } from "../../protocol/index.ts";
import { changed } from "./changing.ts";
import { createWorld, type Served, type World } from "./world.ts";

const CHROMIUM = "/usr/bin/chromium";
const INDEX = fileURLToPath(new URL("../index.ts", import.meta.url));
/** bytes, gzip -9: what a page can spend on it */
const BUDGET = 15_000;

/** The library as one script for a browser, and from where its bytes are; fails on an import that only Node has. */
async function bundle() {
  const { outputFiles, metafile } = await build({
    entryPoints: [INDEX],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "iife",
    globalName: "verification",
  });
  const [output] = Object.values(metafile.outputs);
  return { script: outputFiles[0]?.text as string, inputs: Object.entries(output?.inputs ?? {}) };
}

describe("verification in a browser", () => {
  it("loads no curve, no general ABI coder and nothing of Node or the oracle", async () => {
    const { script, inputs } = await bundle();
    const loaded = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
    assert.deepEqual(
      loaded.filter((file) => /curves|viem|contracts\/|oracle\/|node:/.test(file)),
      [],
    );
    assert.doesNotMatch(script, /\bBuffer\b|\bprocess\.|\bdocument\b|\bwindow\b/);
  });

  it("is small", async () => {
    const { script } = await bundle();
    const size = gzipSync(script, { level: 9 }).length;
    console.log(`      ${script.length} bytes, ${size} gzip`);
    assert.ok(size <= BUDGET, `${size} bytes are more than ${BUDGET}`);
  });

  describe("with a chain that the page asks itself", function () {
    this.timeout(120_000);
    let world: World;
    let browser: Browser;
    let page: Page;
    let close: () => void;

    before(async function () {
      if (!existsSync(CHROMIUM)) {
        console.log(`    skipped: there is no ${CHROMIUM}`);
        return this.skip();
      }
      world = await createWorld();
      const { script } = await bundle();
      const server = createServer((request, response) => {
        const isScript = request.url === "/verification.js";
        response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
        response.end(isScript ? script : `<script src="/verification.js"></script>`);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      close = () => server.close();
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
      });
      page = await browser.newPage();
      // a page on loopback is a secure context: WebCrypto is there
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    after(async () => {
      await browser?.close();
      close?.();
      await world?.close();
    });

    type Asked = { served: Served; place: Place; url: string };
    const judge = (served: Served) =>
      page.evaluate(
        async ({ served, place, url }: Asked) => {
          const library = (globalThis as unknown as { verification: typeof import("../index.ts") }).verification;
          const proof = library.proofFrom(served);
          if (!proof.ok) return { verdict: { is: proof.problem }, ms: 0 };
          const started = performance.now();
          const { verdict } = await library.verifyReading(proof.value, { place, chain: library.rpc(url) });
          return { verdict, ms: performance.now() - started };
        },
        { served, place: world.place, url: world.chainUrl },
      );

    it("refutes a reading with one bit changed", async () => {
      const lied = changed(await world.full(31), ["signed", "signature"], (hex) =>
        (hex as string).replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      );
      assert.equal((await judge(lied)).verdict.is, "refuted");
    });

    it("verifies an honest one", async () => {
      const { verdict, ms } = await judge(await world.full(31));
      console.log(`      in ${ms.toFixed(1)} ms, asking the chain included`);
      assert.deepEqual(verdict, { is: "verified" });
    });
  });
});
