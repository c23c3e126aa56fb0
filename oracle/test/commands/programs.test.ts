/** The commands as an operator runs them: what they tell, where, and how they end. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { toHex } from "../../../protocol/index.ts";
import { type RpcNode, startRpcNode } from "../chain/rpc-node.ts";
import { hostOf } from "../publishing/places.ts";
import { readingsOf, SIGNATURE } from "../store/contract.ts";
import { describeWithServer, PASSWORD } from "../store/postgres/server.ts";
import { newWorld, openStore, PLACE, removeDirectories, START, temporaryDirectory } from "../support.ts";

const COMMANDS = new URL("../../commands/", import.meta.url);
const WATT_WITNESS = `0x${"66".repeat(20)}`;

type Ended = { code: number | null; out: string; problem: string };

function run(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const command = fileURLToPath(new URL(`${name}.ts`, COMMANDS));
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended: Ended = { code: null, out: "", problem: "" };
  child.stdout.on("data", (data) => {
    ended.out += data;
  });
  child.stderr.on("data", (data) => {
    ended.problem += data;
  });
  const end = once(child, "close").then(([code]): Ended => ({ ...ended, code }));
  return { child, end };
}

const ran = (name: string, args: readonly string[], env?: Record<string, string>) => run(name, args, env).end;

describe("the oracle's commands", function () {
  this.timeout(60_000);
  let node: RpcNode;
  const children: ChildProcess[] = [];

  before(async () => {
    node = await startRpcNode(({ method }) =>
      method === "eth_chainId" ? { result: `0x${PLACE.chainId.toString(16)}` } : { result: `0x${"00".repeat(64)}` },
    );
  });
  after(() => node.close());
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
    await removeDirectories();
  });

  const settings = (directory: string) => ({
    WATTWITNESS_RPC_URL: node.url,
    WATTWITNESS_REGISTRY: PLACE.registry,
    WATTWITNESS_WATTWITNESS: WATT_WITNESS,
    WATTWITNESS_DATA_DIR: directory,
  });

  /** The folder of an oracle with a meter's 600 readings, that nobody uses. */
  async function usedFolder(): Promise<{ directory: string; keyId: string }> {
    const world = await newWorld({ settles: false, confirmations: 1 });
    const meter = await world.newMeter();
    for (const seconds of [3000, 6000]) await world.live(meter, START + seconds);
    await world.app.close();
    await world.oracle.store.close();
    return { directory: world.directory, keyId: toHex(meter.device.keyId) };
  }

  for (const [name, ...words] of [
    ["copy", "--from STORE", "--to STORE", "goes on where it ended"],
    ["verify", "npm run oracle:verify", "Nothing is changed"],
    ["migrate", "npm run oracle:migrate", "WATTWITNESS_DATABASE_URL"],
    ["repair", "--from URL", "Ends with 0"],
  ] as const) {
    it(`${name} explains itself, and refuses an option that there is not`, async () => {
      const help = await ran(name, ["--help"]);
      assert.deepEqual([help.code, help.problem], [0, ""]);
      for (const word of words) assert.ok(help.out.includes(word), help.out);
      for (const wrong of [["--form", "data"], ["data"], ["--help=yes"]]) {
        const { code, out, problem } = await ran(name, wrong);
        assert.deepEqual([code, out], [1, ""], wrong.join(" "));
        assert.ok(problem.endsWith(help.out) && problem.length > help.out.length, problem);
        assert.doesNotMatch(problem, /at .*\.ts:\d+/);
      }
    });
  }

  describe("copy", () => {
    it("refuses less than two stores, and one twice", async () => {
      for (const args of [[], ["--from", "a"], ["--to", "a"], ["--from", "a", "--to", "a"]]) {
        const { code, problem } = await ran("copy", args);
        assert.equal(code, 1);
        assert.match(problem, /^Copies all that an oracle keeps/);
      }
    });

    it("refuses a folder that no oracle has used, and makes none", async () => {
      const folder = await temporaryDirectory();
      const [from, to] = [join(folder, "form"), join(folder, "to")];
      const { code, problem } = await ran("copy", ["--from", from, "--to", to]);
      assert.deepEqual([code, problem], [1, `There is nothing of an oracle in ${from}.\n`]);
      assert.deepEqual(await readdir(folder), []);
    });

    it("refuses a folder that an oracle uses", async () => {
      const world = await newWorld({ settles: false });
      const { code, problem } = await ran("copy", ["--from", world.directory, "--to", await temporaryDirectory()]);
      assert.equal(code, 1);
      assert.match(problem, new RegExp(`^Another oracle \\(process ${process.pid}\\) keeps its data in .*\\n$`));
    });

    it("ends with the first damaged file, named", async () => {
      const { directory, keyId } = await usedFolder();
      const damaged = join(directory, "logs", keyId, "1", "tile", "entries", "001");
      await writeFile(damaged, "");
      const { code, problem } = await ran("copy", ["--from", directory, "--to", await temporaryDirectory()]);
      assert.equal(code, 1);
      assert.match(problem, new RegExp(`^${damaged} is damaged: it has 0 bytes instead of 8704\\..*\\n$`));
    });

    it("tells what it copied, and of a second run that there was nothing more", async () => {
      const { directory } = await usedFolder();
      const args = ["--from", directory, "--to", join(await temporaryDirectory(), "new")];
      const first = await ran("copy", args);
      assert.equal(first.code, 0, first.problem);
      assert.match(first.out, /^Copied 600 readings of 1 logs, 0 batches and \d+ records\.\n$/);
      assert.match(first.problem, /^100 % of 600 readings\n$/);
      assert.match((await ran("copy", args)).out, /^Copied 0 readings of 1 logs, /);
    });

    it("goes on where it was stopped by Ctrl-C", async () => {
      const directory = await temporaryDirectory();
      const store = await openStore(directory);
      const [KEYS, POSTS, READINGS] = [20, 150, 40];
      await Promise.all(
        Array.from({ length: KEYS }, async (_, key) => {
          const log = await store.logs.open(`0x${key.toString(16).padStart(64, "0")}`, 1);
          for (let i = 0; i < POSTS; i++) await log.append(readingsOf(READINGS, i * READINGS), SIGNATURE, 0n);
        }),
      );
      await store.close();
      const to = join(await temporaryDirectory(), "to");
      const args = ["--from", directory, "--to", to];
      const { child, end } = run("copy", args);
      children.push(child);
      const journal = join(to, "journal", "00000001");
      for (const bound = Date.now() + 30_000; ; await delay(1)) {
        if (existsSync(journal) && (await stat(journal)).size > 50_000) break;
        assert.ok(child.exitCode === null && Date.now() < bound, "it was over before it could be stopped");
      }
      child.kill("SIGINT");
      const { code, problem } = await end;
      assert.equal(code, 130);
      assert.match(problem, /\nStopped\. Run the same again, and it goes on where it ended\.\n$/);

      const again = await ran("copy", args);
      assert.equal(again.code, 0, again.problem);
      const copied = Number(/^Copied (\d+) readings of 20 logs/.exec(again.out)?.[1]);
      const all = KEYS * POSTS * READINGS;
      assert.ok(copied > 0 && copied < all, again.out);
      const [one, other] = [await openStore(directory), await openStore(to)];
      for (const keyId of await one.logs.keys(undefined, 100)) {
        const [source, copy] = [await one.logs.get(keyId, 1), await other.logs.get(keyId, 1)];
        assert.deepEqual([copy?.size, copy?.rootWith([])], [source?.size, source?.rootWith([])]);
        assert.deepEqual(await copy?.headsAfter(0), await source?.headsAfter(0));
      }
    });
  });

  describe("verify", () => {
    it("says in one go what is wrong with the settings", async () => {
      const { code, problem } = await ran("verify", [], { WATTWITNESS_RPC_URL: "x", WATTWITNESS_REGISTRY: "y" });
      assert.equal(code, 1);
      assert.match(problem, /^The oracle is not configured:\n( {2}WATTWITNESS_\w+ .*\n){3}$/);
    });

    it("says that the chain does not answer", async () => {
      const { directory } = await usedFolder();
      const env = { ...settings(directory), WATTWITNESS_RPC_URL: "http://127.0.0.1:1/secret" };
      const { code, problem } = await ran("verify", [], env);
      assert.equal(code, 1);
      assert.match(problem, /^The chain at WATTWITNESS_RPC_URL does not answer: .*\n$/);
      assert.ok(!problem.includes("secret"), problem);
    });

    it("refuses a folder that no oracle has used", async () => {
      const folder = join(await temporaryDirectory(), "date");
      const { code, problem } = await ran("verify", [], settings(folder));
      assert.deepEqual([code, problem], [1, `There is nothing of an oracle in ${folder}.\n`]);
      assert.equal(existsSync(folder), false);
    });

    it("tells what it verified, and the first thing that is wrong", async () => {
      const { directory, keyId } = await usedFolder();
      const whole = await ran("verify", [], settings(directory));
      assert.equal(whole.code, 0, whole.problem);
      assert.match(whole.out, /^Verified 600 readings of 1 logs under \d heads; 0 logs are on chain\.\n$/);
      assert.match(whole.problem, /^100 % of 600 readings\n$/);
      await rm(join(directory, "logs", keyId, "1", "tile", "entries", "001"));
      const { code, problem } = await ran("verify", [], settings(directory));
      assert.equal(code, 1);
      assert.match(problem, /entries\/001 is damaged: it is missing\. It is about readings 256 to 511 of key/);
    });
  });

  describe("repair", () => {
    it("refuses what is no URL, and a database", async () => {
      const { directory } = await usedFolder();
      for (const from of ["ftp://a.example", "data", "http://"]) {
        const { code, problem } = await ran("repair", ["--from", from], settings(directory));
        assert.deepEqual([code, problem], [1, `--from must be a URL (http://… or https://…), not "${from}"\n`]);
      }
      const WATTWITNESS_DATABASE_URL = "postgres://oracle:hidden@127.0.0.1:1/x";
      const { code, problem } = await ran("repair", [], { ...settings(directory), WATTWITNESS_DATABASE_URL });
      assert.equal(code, 1);
      assert.match(problem, /^WATTWITNESS_DATABASE_URL is set: .*\n$/);
    });

    it("tells what is damaged, fetches it, and then finds nothing more", async () => {
      const { directory, keyId } = await usedFolder();
      const path = join("tile", "entries", "001");
      const file = join(directory, "logs", keyId, "1", path);
      const host = await hostOf(await temporaryDirectory());
      try {
        host.forged.set(`/tlog/${keyId}/1/${path}`, await readFile(file));
        await rm(file);
        const told = await ran("repair", [], settings(directory));
        assert.deepEqual([told.code, told.out], [1, "Looked at 600 readings: 0 files were repaired, 1 are damaged.\n"]);
        assert.match(told.problem, /entries\/001 is damaged: it is missing/);
        const repaired = await ran("repair", ["--from", host.url], settings(directory));
        assert.equal(repaired.code, 0, repaired.problem);
        assert.equal(
          repaired.out,
          `Repaired tlog/${keyId}/1/${path}\nLooked at 600 readings: 1 files were repaired, 0 are damaged.\n`,
        );
        for (const command of ["repair", "verify"]) assert.equal((await ran(command, [], settings(directory))).code, 0);
      } finally {
        host.close();
      }
    });
  });
});

describeWithServer("the oracle's commands, with a database", (server) => {
  afterEach(removeDirectories);

  it("make it ready once, copy to it, and say nothing of its password", async () => {
    const env = { WATTWITNESS_DATABASE_URL: await server().newDatabase() };
    const directory = await temporaryDirectory();
    const store = await openStore(directory);
    await (await store.logs.open(`0x${"0a".repeat(32)}`, 1)).append(readingsOf(300), SIGNATURE, 7n);
    await store.close();
    const args = ["--from", directory, "--to", "database"];
    const early = await ran("copy", args, env);
    assert.equal(early.code, 1);
    assert.match(early.problem, /^The database at WATTWITNESS_DATABASE_URL is empty: run npm run oracle:migrate/);
    for (const told of [/^Took the steps 0001-logs, .*\.\n$/, /^The database is as it should be\.\n$/]) {
      const { code, out } = await ran("migrate", [], env);
      assert.equal(code, 0);
      assert.match(out, told);
    }
    for (const readings of [300, 0]) {
      const { code, out, problem } = await ran("copy", args, env);
      assert.equal(code, 0, problem);
      assert.match(out, new RegExp(`^Copied ${readings} readings of 1 logs, `));
    }
    const back = join(await temporaryDirectory(), "back");
    assert.equal((await ran("copy", ["--from", "database", "--to", back], env)).code, 0);
    const again = await openStore(back);
    assert.equal((await again.logs.get(`0x${"0a".repeat(32)}`, 1))?.bucket, 7n);
    const url = new URL(env.WATTWITNESS_DATABASE_URL);
    url.port = "1";
    for (const [name, given] of [
      ["copy", args],
      ["migrate", []],
    ] as const) {
      const { code, problem } = await ran(name, given, { WATTWITNESS_DATABASE_URL: url.href });
      assert.equal(code, 1);
      assert.match(problem, /^The database at WATTWITNESS_DATABASE_URL .*\n$/);
      assert.ok(!problem.includes(PASSWORD), problem);
    }
    for (const name of ["copy", "migrate"]) {
      const { code, problem } = await ran(name, name === "copy" ? args : []);
      assert.equal(code, 1);
      assert.match(problem, /^WATTWITNESS_DATABASE_URL is missing: it must be a URL/);
    }
  }).timeout(60_000);
});
