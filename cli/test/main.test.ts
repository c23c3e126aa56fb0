import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAddress, type Hex } from "viem";
import { meterRegistryAbi } from "../../contracts/abi.ts";
import { ACCOUNTS } from "../../demo/deployment.ts";
import type { Device } from "../../meter/device.ts";
import type { Meter } from "../../meter/meter.ts";
import { toHex } from "../../protocol/index.ts";
import { CAPACITY, createSystem, createTestMeter, type System } from "../../test/support.ts";
import { MAIN, wattwitness } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const NOBODY = `0x${"00".repeat(31)}01`;
const STRANGER = ACCOUNTS.firstOwner + 3;

describe("the command line", () => {
  it("says what there is, with examples, and ends well", async () => {
    const { code, out } = await wattwitness(["--help"]);
    assert.equal(code, 0);
    for (const text of ["meter", "token", "Examples:", "--json"]) assert.ok(out.includes(text), text);
  });

  it("refuses what it does not know, and says where the help is", async () => {
    for (const args of [["metre"], ["meter", "lists"], ["meter", "list", "--rpc", "x"], ["token", "balance"]]) {
      const { code, out, err } = await wattwitness(args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(out, "");
      assert.match(err, /^error: .*/);
    }
  });

  for (const [what, args, problem] of [
    ["no node", ["meter", "list", "--registry", `0x${"5f".repeat(20)}`], /No node of the chain is named: --rpc-url/],
    ["no contracts", ["meter", "list", "--rpc-url", "http://127.0.0.1:1"], /Which contracts\? --network .* --registry/],
    [
      "a node that is none",
      ["meter", "list", "--network", "localhost", "--rpc-url", "http://127.0.0.1:1"],
      /The node at --rpc-url does not answer/,
    ],
    ["a URL that is none", ["meter", "list", "--network", "localhost", "--rpc-url", "secret-word"], /is no URL/],
    [
      "a network that the table does not have",
      ["meter", "list", "--network", "moon", "--rpc-url", "http://127.0.0.1:1"],
      /has no network moon\. It has: localhost/,
    ],
    [
      "a registry with a typing error",
      ["meter", "list", "--registry", "0x12", "--rpc-url", "http://127.0.0.1:1"],
      /--registry 0x12 is no address/,
    ],
  ] as const) {
    it(`says what is missing where it is told of ${what}`, async () => {
      const { code, err } = await wattwitness(args);
      assert.equal(code, 1);
      assert.match(err, problem);
      assert.doesNotMatch(err, /secret-word|\n/);
    });
  }

  it("has what completes it in a shell", async () => {
    const { code, out } = await wattwitness(["completion", "bash"]);
    assert.equal(code, 0);
    const complete = (...words: string[]) => {
      const script = `${out}\nCOMP_WORDS=(wattwitness ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _wattwitness; echo "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split(" ");
    };
    assert.deepEqual(complete("me"), ["meter"]);
    assert.deepEqual(complete("meter", "de"), ["decommission"]);
    assert.deepEqual(complete("--json", "token", "re"), ["retire"]);
    assert.deepEqual(complete("token", "retire", "--pu"), ["--purpose"]);
    assert.equal((await wattwitness(["completion", "tcsh"])).code, 2);
  });

  it("ends quietly where who reads has read enough", () => {
    const script = `"${process.execPath}" "${MAIN}" --help | head -1`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    assert.match(stdout, /^Usage: wattwitness/);
    assert.equal(stderr, "");
  });

  it("tells programs of a problem, too", async () => {
    const { code, out } = await wattwitness(["meter", "list", "--json"]);
    assert.equal(code, 1);
    assert.match(JSON.parse(out).error, /Which contracts\?/);
  });

  describe("beside a chain", function () {
    this.timeout(120_000);
    let system: System;
    let roof: Meter;
    let meter: string;
    let oracle: string;
    let folder: string;
    const keys: Record<string, string> = {};

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "wattwitness-cli-"));
      system = await createSystem(START);
      for (const [name, account] of Object.entries({
        registrar: ACCOUNTS.registrar,
        owner: ACCOUNTS.firstOwner,
        stranger: STRANGER,
      })) {
        keys[name] = system.chain.key(account);
      }
      await system.app.listen({ host: "127.0.0.1", port: 0 });
      oracle = `http://127.0.0.1:${(system.app.server.address() as AddressInfo).port}`;
      roof = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
      meter = toHex(roof.device.keyId);
      await system.at(START + 600);
      roof.advance(START + 600);
    });
    after(async () => {
      await system?.close();
      await rm(folder, { recursive: true, force: true });
    });

    const ownerOf = (account: number) => getAddress(system.chain.wallet(account).account.address);
    const applied = () =>
      roof.device.registration({
        owner: ownerOf(ACCOUNTS.firstOwner),
        capacity: CAPACITY,
        details: new Uint8Array(32),
      });
    /** By somebody whose key is in the environment. */
    const by = (who: string, ...args: string[]) =>
      wattwitness([...args], { ...chain(), WATTWITNESS_KEY: keys[who] ?? "" });
    const chain = () => ({ WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry });
    const read = (...args: string[]) => wattwitness(args, chain());
    const refused = async (ended: ReturnType<typeof wattwitness>, why: RegExp) => {
      const { code, out, err } = await ended;
      assert.equal(code, 1, err);
      assert.equal(out, "");
      assert.match(err, why);
    };

    /** Lets the roof apply at the oracle, as a device does now and then. */
    async function applies(): Promise<void> {
      const { status, body } = await system.inject("/registrations", applied());
      assert.equal(status, 200, JSON.stringify(body));
    }
    let isRegistered = false;
    async function registered(): Promise<void> {
      if (isRegistered) return;
      await applies();
      const { code, err } = await by("registrar", "meter", "register", "--oracle", oracle, "--yes");
      assert.equal(code, 0, err);
      isRegistered = true;
      await system.oracle.tick();
    }

    it("finds no meter where none is registered", async () => {
      assert.match((await read("meter", "list")).out, /No meter is registered yet/);
      await refused(read("meter", "show", NOBODY), /No meter 0x0+1 is registered/);
    });

    it("registers nothing that nobody applied for", async () => {
      await refused(by("registrar", "meter", "register"), /Which application\? --oracle URL/);
      await refused(by("registrar", "meter", "register", "--oracle", oracle), /Nothing waits for registration/);
      await refused(by("registrar", "meter", "register", "--oracle", "http://127.0.0.1:1"), /does not answer as one/);
      await refused(by("registrar", "meter", "register", "--oracle", system.chain.url), /does not answer as one/);
    });

    for (const [what, change, why] of [
      ["is no JSON", () => "{", /is no JSON/],
      ["is none", () => '{"publicKey": "0x12"}', /is no application for registration/],
      [
        "was made for another owner",
        () => JSON.stringify({ ...applied(), owner: ownerOf(STRANGER) }),
        /ClaimInvalid .*: the claim is not signed by the key that it names/,
      ],
      [
        "has more than the ceiling",
        () => JSON.stringify({ ...applied(), capacity: 200_000 }),
        /CapacityAboveCeiling \(200000, 100000\): a meter is registered with more than the ceiling/,
      ],
    ] as const) {
      it(`registers no application that ${what}`, async () => {
        const file = join(folder, "application.json");
        await writeFile(file, change());
        await refused(by("registrar", "meter", "register", "--application", file, "--yes"), why);
      });
    }

    it("registers nothing for who is no registrar, and says so before anything is sent", async () => {
      await applies();
      await refused(
        by("stranger", "meter", "register", "--oracle", oracle, "--yes"),
        /AccessManagedUnauthorized .*: the account has not the role that this needs/,
      );
    });

    it("sends nothing that nobody agreed to, and nothing in a dry run, which says what it would cost", async () => {
      await applies();
      await refused(
        by("registrar", "meter", "register", "--oracle", oracle),
        /There is no terminal to ask on: with --yes nobody is asked/,
      );
      const { code, out, err } = await by("registrar", "meter", "register", "--oracle", oracle, "--dry-run");
      assert.equal(code, 0);
      assert.match(out, /Nothing was sent/);
      assert.match(err, /does\s+registers the meter .*\nfrom\s.*\ncalls\s+register of .*\ncosts\s+[\d,]+ gas, at most/);
      assert.match((await read("meter", "list")).out, /No meter is registered yet/);
    });

    it("registers what waits at an oracle", async () => {
      await applies();
      const { code, out, err } = await by("registrar", "meter", "register", "--oracle", oracle, "--yes", "--json");
      assert.equal(code, 0, err);
      const told = JSON.parse(out);
      isRegistered = true;
      assert.equal(told.meter, meter);
      const shown = JSON.parse((await read("meter", "show", meter, "--json")).out);
      assert.equal(shown.owner, ownerOf(ACCOUNTS.firstOwner));
      assert.equal(shown.capacity, CAPACITY);
      assert.equal(shown.status, "active");
      assert.deepEqual(shown.proposals, []);
      await system.oracle.tick();
      await refused(by("registrar", "meter", "register", "--oracle", oracle, "--yes"), /Nothing waits/);
    });

    it("registers a fleet, goes on after what was wrong, and sends nothing twice", async () => {
      await registered();
      const file = join(folder, "fleet.csv");
      const fleet = (...more: string[]) =>
        by("registrar", "meter", "register", "--file", file, "--oracle", oracle, "--yes", ...more);
      await refused(fleet(), /fleet\.csv cannot be read \(ENOENT\)/);
      await writeFile(file, "name\nroof\n");
      await refused(fleet(), /line 2: it must have either an application or a key/);
      const devices = [2, 3, 4].map((seed) => {
        const each = createTestMeter(system, { powerAt: () => 1_000_000n, start: START, seed });
        each.advance(START + 600);
        return each.device;
      });
      const owner = ownerOf(ACCOUNTS.firstOwner);
      const [first, second, third] = devices.map((device) =>
        device.registration({ owner, capacity: CAPACITY, details: new Uint8Array(32) }),
      );
      await writeFile(join(folder, "first.json"), JSON.stringify(first));
      await writeFile(join(folder, "second.json"), JSON.stringify({ ...second, owner: ownerOf(STRANGER) }));
      assert.equal((await system.inject("/registrations", third as object)).status, 200);
      const [, , thirdDevice] = devices;
      const lines = ["name,application,key", `roof,,${meter}`, "a,first.json,", "b,second.json,"];
      await writeFile(file, [...lines, `c,,${toHex((thirdDevice as Device).keyId)}`, "d,missing.json,", ""].join("\n"));
      await refused(fleet(), /2 registered, 1 were known already, 2 failed\nMend these lines/);
      await writeFile(join(folder, "second.json"), JSON.stringify(second));
      await writeFile(join(folder, "missing.json"), JSON.stringify(first));
      const { code, out, err } = await fleet("--json");
      assert.equal(code, 0, err);
      const results = JSON.parse(out).meters.map(({ line, result }: { line: number; result: string }) => [
        line,
        result,
      ]);
      assert.deepEqual(results, [
        [2, "known"],
        [3, "known"],
        [4, "registered"],
        [5, "known"],
        [6, "known"],
      ]);
      assert.equal(JSON.parse((await read("meter", "list", "--json")).out).meters.length, 4);
    });

    it("takes a key from a file, and says what is wrong with one without repeating it", async () => {
      await registered();
      const file = join(folder, "key");
      const withFile = (...more: string[]) =>
        wattwitness(["meter", "payout", meter, ownerOf(STRANGER), "--key-file", file, "--yes", ...more], chain());
      await refused(withFile(), /--key-file .* cannot be read \(ENOENT\)/);
      await writeFile(file, "0xsecret-word");
      const { err } = await withFile();
      assert.match(err, /is no private key: 0x and 64 hexadecimal digits/);
      assert.doesNotMatch(err, /secret-word/);
      await writeFile(file, `${keys["owner"]}\n`);
      const { code, out } = await withFile();
      assert.equal(code, 0);
      assert.match(out, /receives what the meter produces: transaction 0x/);
      assert.equal(JSON.parse((await read("meter", "show", meter, "--json")).out).payout, ownerOf(STRANGER));
    });

    it("lets nobody decide about a meter but its owner", async () => {
      await registered();
      for (const args of [
        ["payout", meter, ownerOf(STRANGER)],
        ["transfer", meter, ownerOf(STRANGER)],
        ["cancel", meter, "owner"],
        ["decommission", meter],
      ]) {
        await refused(by("stranger", "meter", ...args, "--yes"), /The contract refuses it with \w+ \(.*\): /);
      }
    });

    it("tells what is proposed, and cancels it for the owner", async () => {
      await registered();
      const wallet = system.chain.wallet(ACCOUNTS.registrar);
      const request = {
        ...({ address: system.deployment.registry, abi: meterRegistryAbi, functionName: "proposeOwner" } as const),
        ...{ args: [meter as Hex, ownerOf(STRANGER)] as const, chain: wallet.chain },
      };
      await system.done(wallet.writeContract(request));
      const { proposals } = JSON.parse((await read("meter", "proposals", "--json")).out);
      assert.equal(proposals.length, 1);
      assert.equal(proposals[0].meter, meter);
      assert.equal(getAddress(proposals[0].value), ownerOf(STRANGER));
      assert.equal((await by("owner", "meter", "cancel", meter, "owner", "--yes")).code, 0);
      assert.match((await read("meter", "proposals", meter)).out, /Nothing is proposed/);
    });

    it("gives and retires what was minted, to the last digit, and shows the certificate", async () => {
      await registered();
      assert.equal((await by("owner", "meter", "payout", meter, ownerOf(ACCOUNTS.firstOwner), "--yes")).code, 0);
      roof.advance(START + HOUR);
      await system.upload(roof.device);
      await system.settled(roof.device);
      const before = await system.balanceOf(ACCOUNTS.firstOwner);
      assert.ok(before > 10n ** 18n);
      await refused(
        by("owner", "token", "transfer", "1000", ownerOf(STRANGER), "--yes"),
        /ERC20InsufficientBalance .*fewer tokens/,
      );
      assert.equal(
        (await by("owner", "token", "transfer", "0.000000000000000001", ownerOf(STRANGER), "--yes")).code,
        0,
      );
      assert.equal(await system.balanceOf(STRANGER), 1n);
      const purpose = 'charged "a car"\u001b[31m\n\u202eserial 9';
      const retired = await by(
        "owner",
        "token",
        "retire",
        "1.25",
        "--purpose",
        purpose,
        "--name",
        "Ann",
        "--yes",
        "--json",
      );
      assert.equal(retired.code, 0, retired.err);
      assert.equal(JSON.parse(retired.out).serial, "1");
      assert.equal(await system.balanceOf(ACCOUNTS.firstOwner), before - 1n - 125n * 10n ** 16n);
      const { out } = await read("token", "certificate", "1");
      assert.match(out, /^retirement\s+1\namount\s+1\.25 kWh\nname\s+"Ann"\n/);
      // what a stranger wrote stays on its line
      assert.equal(out.split("\n").filter((line) => line.startsWith("serial")).length, 0);
      for (const order of ["\u001b", "\u202e"]) assert.ok(!out.includes(order));
      assert.equal(JSON.parse((await read("token", "certificate", "1", "--json")).out).purpose, purpose);
      await refused(read("token", "certificate", "2"), /There is no retirement 2: there are 1, from 1 on/);
      const balance = JSON.parse((await read("token", "balance", ownerOf(ACCOUNTS.firstOwner), "--json")).out);
      assert.equal(balance.retired_units, "1250000000000000000");
    });

    it("refuses an amount that is none before anything else", async () => {
      for (const amount of ["1e5", "-1", "0x10", "1,5", "1.0000000000000000001", ""]) {
        const { code, err } = await by("owner", "token", "transfer", amount, ownerOf(STRANGER), "--yes");
        assert.equal(code, 2, amount);
        assert.match(err, /It is no amount of kWh|unknown option/);
      }
    });

    it("hands a meter over, after which its owner is another", async () => {
      await registered();
      const { code, err } = await by("owner", "meter", "transfer", meter, ownerOf(STRANGER), "--yes");
      assert.equal(code, 0, err);
      assert.match(err, /what is settled from now on is the new owner's/);
      assert.equal(JSON.parse((await read("meter", "show", meter, "--json")).out).owner, ownerOf(STRANGER));
    });
  });
});
