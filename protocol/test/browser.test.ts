import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { vectors } from "./load-vectors.ts";

const CHROMIUM = "/usr/bin/chromium";
const INDEX = fileURLToPath(new URL("../index.ts", import.meta.url));

/** The protocol as one script for a browser; fails on an import that only Node has. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [INDEX],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "protocol",
  });
  return outputFiles[0]?.text as string;
}

describe("the protocol in a browser", () => {
  it("imports nothing that only Node has", async () => {
    assert.match(await bundle(), /var protocol/);
  });

  it(
    existsSync(CHROMIUM) ? "judges every batch vector as in Node" : `skipped: there is no ${CHROMIUM}`,
    async function () {
      if (!existsSync(CHROMIUM)) return this.skip();
      const script = await bundle();
      const server = createServer((request, response) => {
        const body = request.url === "/protocol.js" ? script : `<script src="/protocol.js"></script>`;
        response.setHeader("content-type", request.url === "/protocol.js" ? "text/javascript" : "text/html");
        response.end(body);
      });
      const origin = await listen(server);
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
      });
      try {
        const page = await browser.newPage();
        // a page on loopback is a secure context: WebCrypto is there
        await page.goto(origin);
        const cases = vectors.batch.map(({ bytes, root, failure }) => ({ bytes, root, failure }));
        const outcomes = await page.evaluate(async (list) => {
          const { verifyBatch, fromHex, toHex } = (globalThis as unknown as { protocol: typeof import("../index.ts") })
            .protocol;
          return Promise.all(
            list.map(async ({ bytes }) => {
              const result = await verifyBatch(fromHex(bytes));
              return result.ok ? { root: toHex(result.value.root) } : { failure: result.failure };
            }),
          );
        }, cases);
        for (const [i, { root, failure }] of cases.entries()) {
          assert.deepEqual(outcomes[i], failure ? { failure } : { root }, vectors.batch[i]?.name);
        }
      } finally {
        await browser.close();
        server.close();
      }
    },
  );
});

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
