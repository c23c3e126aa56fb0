import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Hex } from "viem";
import { ACCOUNTS } from "../../demo/deployment.ts";
import type { Meter } from "../../meter/meter.ts";
import { sendTo, upload } from "../../meter/upload.ts";
import { createViemChain } from "../../oracle/chain/viem/chain.ts";
import { buildApp } from "../../oracle/http/app.ts";
import { createOracle } from "../../oracle/oracle.ts";
import { openEmbeddedStore } from "../../oracle/store/embedded/store.ts";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { wattwitness } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
/** IWattWitness.Status */
const FROZEN = 2;

type Line = { is: string; rule: string; object: string; place?: string; call?: { to: Hex; data: Hex } };

describe("wattwitness watch", function () {
  this.timeout(180_000);
  let system: System;
  let folder: string;
  let state: string;
  let mirror: string;
  let oracle: string;
  let other: Awaited<ReturnType<typeof startOther>> | undefined;
  let environment: Record<string, string>;
  let roof: Meter;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-watch-"));
    [state, mirror] = [join(folder, "seen"), join(folder, "mirror")];
    system = await createSystem(START);
    await system.app.listen({ host: "127.0.0.1", port: 0 });
    oracle = `http://127.0.0.1:${(system.app.server.address() as AddressInfo).port}/`;
    environment = { WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry };
    roof = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    await system.at(START + 600);
    roof.advance(START + 600);
    await system.register(roof.device);
    await advance(HOUR);
    await system.settled(roof.device);
    other = await startOther();
    const { code } = await wattwitness(["mirror", "--from", oracle, "--to", mirror], environment);
    assert.equal(code, 0);
  });
  after(async () => {
    await other?.close();
    await system.close();
    await rm(folder, { recursive: true });
  });

  async function advance(seconds: number): Promise<void> {
    roof.advance(START + seconds);
    await system.upload(roof.device);
  }

  /** Another oracle of the same contracts, which settles nothing. */
  async function startOther() {
    const logger = pino({ level: "silent" });
    const { chain: node, deployment } = system;
    const { registry, wattWitness } = deployment;
    const operatorKey = node.key(ACCOUNTS.operator);
    const chain = await createViemChain({
      ...{ rpcUrl: node.url, registry, wattWitness, operatorKey, attestor: undefined, maxGasPrice: 50_000_000_000n },
    });
    const opening = await openEmbeddedStore(join(folder, "other"), logger);
    if (!opening.ok) throw new Error(opening.problem);
    const config = {
      ...{ fromBlock: 0, settleEvery: 86_400, retryAfter: 1, alignment: 0, batchLimit: 2_000_000, confirmations: 2 },
      ...{ attestation: undefined, settles: false },
    };
    const own = await createOracle({ config, store: opening.store, chain, logger });
    await own.tick();
    const app = buildApp({ oracle: own, chain, wattWitness, logger });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return {
      url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`,
      tick: () => own.tick(),
      async close() {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  }

  /** Of the same key, which tells another story from after what is settled on. */
  const createLiar = () =>
    createTestMeter(system, {
      powerAt: (time) => (time <= START + HOUR + 1200 ? 3_000_000n : 1_000_000n),
      start: START,
    });

  async function look(places: readonly string[], at = state) {
    const named = places.flatMap((place) => ["--oracle", place]);
    const args = ["watch", ...named, "--state", at, "--once", "--json"];
    const { code, out, err } = await wattwitness(args, environment);
    const lines = out
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
    return { code, lines, err, rules: lines.map(({ rule }) => rule) };
  }

  /** What an oracle served before, as often as it is asked. */
  async function startPast(answers: ReadonlyMap<string, Buffer>) {
    const server = createServer((request, response) => {
      const bytes = answers.get(request.url as string);
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return { url, close: () => new Promise((resolve) => server.close(resolve)) };
  }

  const tlog = () => `/tlog/${toHex(roof.device.keyId)}/1`;
  const served = async (path: string) => Buffer.from(await (await fetch(new URL(path, oracle))).arrayBuffer());

  it("ends with 2 where it could not look: no node, no oracle, an oracle that does not answer, another's state", async () => {
    const dead = "http://127.0.0.1:9/";
    assert.equal((await wattwitness(["watch", "--oracle", oracle, "--state", state, "--once"])).code, 2);
    assert.equal((await wattwitness(["watch", "--state", state, "--once"], environment)).code, 2);
    const none = await wattwitness(["watch", "--oracle", oracle, "--state", join(folder, "none"), "--once", "--json"], {
      ...environment,
      WATTWITNESS_RPC_URL: dead,
    });
    assert.deepEqual([none.code, JSON.parse(none.out).rule], [2, "chain unread"]);
    const { code, lines, err } = await look([oracle, dead], join(folder, "half"));
    assert.deepEqual(
      [code, lines.map(({ is, rule, place }) => [is, rule, place])],
      [2, [["unseen", "no answer", dead]]],
    );
    assert.match(err, /^warning: no answer: http:\/\/127.0.0.1:9\//);
    const strange = join(folder, "strange");
    await look([oracle], strange);
    const text = await readFile(join(strange, "watch.json"), "utf8");
    await writeFile(join(strange, "watch.json"), text.replace('"chainId":31337', '"chainId":1'));
    const refused = await wattwitness(["watch", "--oracle", oracle, "--state", strange, "--once"], environment);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /is not what was seen of/);
  });

  it("has nothing to tell where all is well, from one look to the next", async () => {
    const first = await look([oracle, mirror]);
    assert.deepEqual([first.code, first.lines], [0, []], first.err);
    await advance(HOUR + 1200);
    await system.settled(roof.device);
    const second = await look([oracle]);
    assert.deepEqual([second.code, second.lines], [0, []], second.err);
    const { logs } = JSON.parse(await readFile(join(state, "watch.json"), "utf8"));
    const [log] = Object.values(logs) as { head: { size: number }; settled: { size: number } }[];
    assert.deepEqual([log?.head.size, log?.settled.size], [roof.device.size, roof.device.size]);
    const [file] = await readdir(join(state, "readings"));
    assert.equal((await readFile(join(state, "readings", file as string))).length, 32 * roof.device.size);
  });

  it("raises an alarm on a head that the device did not sign", async () => {
    const note = (await served(`${tlog()}/checkpoint`)).toString();
    const size = roof.device.size;
    const bent = Buffer.from(note.replace(`\n${size}\n`, `\n${size + 1}\n`));
    const past = await startPast(new Map([[`${tlog()}/checkpoint`, bent]]));
    const { code, rules } = await look([oracle, past.url]);
    await past.close();
    assert.deepEqual([code, rules], [1, ["head not signed"]]);
  });

  it("raises an alarm on a log that went back, as long as it stays there", async () => {
    const answers = new Map<string, Buffer>();
    const past = await startPast(answers);
    const before = await served(`${tlog()}/checkpoint`);
    answers.set(`${tlog()}/checkpoint`, before);
    assert.deepEqual((await look([oracle, past.url])).rules, []);
    await advance(HOUR + 1800);
    answers.set(`${tlog()}/checkpoint`, await served(`${tlog()}/checkpoint`));
    assert.deepEqual((await look([oracle, past.url])).rules, []);
    answers.set(`${tlog()}/checkpoint`, before);
    for (const _ of [1, 2]) {
      const { code, lines } = await look([oracle, past.url]);
      assert.deepEqual([code, lines.map(({ rule, place }) => [rule, place])], [1, [["log went back", past.url]]]);
    }
    answers.clear();
    assert.deepEqual((await look([oracle, past.url])).rules, ["log went back"]);
    await past.close();
    assert.deepEqual((await look([oracle])).rules, []);
  });

  it("raises an alarm on a settled batch that nobody serves any more, and not on one that it never saw", async () => {
    const only = join(folder, "only");
    await wattwitness(["mirror", "--from", oracle, "--to", only], environment);
    const seen = join(folder, "batches");
    // tiles of a mirror end where the log is settled, and it has no heads
    const all = await look([only], seen);
    assert.ok(!all.rules.includes("no batch"));
    const [digest] = await readdir(join(only, "batches"));
    await unlink(join(only, "batches", digest as string));
    const { code, lines } = await look([only], seen);
    const gone = lines.filter(({ rule }) => rule === "batch gone");
    assert.deepEqual([code, gone.map(({ is, object }) => [is, object])], [1, [["alarm", `batch ${digest}`]]]);
    const never = await look([only], join(folder, "never"));
    assert.deepEqual([never.code, never.rules.includes("no batch")], [2, true]);
    // while another place does not answer, it may be the one that has it
    assert.equal((await look([only, "http://127.0.0.1:9/"], seen)).code, 2);
  });

  it("raises an alarm where one device tells two oracles two stories, and prints what freezes it", async () => {
    const liar = createLiar();
    liar.advance(START + HOUR + 1500);
    const second = other as NonNullable<typeof other>;
    await second.tick();
    const uploaded = await upload(liar.device, sendTo(second.url), () => START + HOUR + 1800);
    assert.equal(uploaded?.answer.status, 200, JSON.stringify(uploaded));
    // neither of the two is wrong by itself
    for (const [i, place] of [oracle, second.url].entries()) {
      const { lines } = await look([place], join(folder, `alone-${i}`));
      assert.ok(!lines.some(({ is }) => is === "alarm"), JSON.stringify(lines));
    }
    const { code, lines, err } = await look([oracle, second.url]);
    assert.equal(code, 1);
    const [alarm] = lines.filter(({ rule }) => rule === "equivocation");
    assert.equal(alarm?.place, second.url);
    const { to, data } = (alarm as Line).call as { to: Hex; data: Hex };
    assert.ok(err.includes(`cast send ${to} ${data}`));

    // told to one oracle, too, it is kept there
    const again = createLiar();
    again.advance(START + HOUR + 1500);
    await upload(again.device, system.send, () => START + HOUR + 1800);
    const kept = await look([oracle], join(folder, "kept"));
    assert.deepEqual([kept.code, kept.rules], [1, ["equivocation"]]);

    const wallet = system.chain.wallet(ACCOUNTS.operator);
    await system.done(wallet.sendTransaction({ to, data, account: wallet.account, chain: wallet.chain }));
    const terms = await system.chain.publicClient.readContract({
      ...system.onWattWitness,
      functionName: "termsOf",
      args: [toHex(roof.device.keyId)],
    });
    assert.equal(terms.status, FROZEN);
    // what is proven is no news
    assert.deepEqual((await look([oracle, second.url])).rules, []);
  });
});
