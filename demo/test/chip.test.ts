/**
 * The device on a Linux machine with a secure element on its I2C bus. No bus and no chip are needed: the program's own system
 * calls on one are answered by the simulated chip (firmware/test/simulated_i2c.c, preloaded), with P-256 by Mbed TLS. The same
 * again as a program of arm64, in QEMU.
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BUILDS, build, FOR_TESTS, whyNoFirmware, whyNoToolchain } from "../../firmware/toolchain.ts";
import { startShelly } from "../../meter/shelly.ts";
import {
  domain,
  encodeClaim,
  encodeHead,
  fromHex,
  headHash,
  keyIdOf,
  type Place,
  toHex,
  verify,
} from "../../protocol/index.ts";
import { type DeviceSettings, settingsText, startDevice } from "../firmware/device-process.ts";
import { createStops, type Stops } from "../processes/stop.ts";

const BUS = "/dev/i2c-7";
/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const INTERVAL = 60;
const EXPORT_CHANNEL_0 = 0x10;
const PLACE: Place = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const OWNER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
/** of the simulated chip */
const SERIAL = "01236a5b4c3d2e1fee";
/** errno */
const [EACCES, EBUSY] = [13, 16];
/** ms */
const PATIENCE = 20_000;

type Machine = {
  name: string;
  isNative: boolean;
  why: string | undefined;
  build: () => Promise<string>;
  /** what a shell is told to run the program with a library preloaded */
  command: (program: string, library: string) => string;
};

const notLinux = process.platform === "linux" ? undefined : "An I2C bus is a thing of Linux.";
const TARGETS = ["wattwitness-device", "simulated_i2c"];
const MACHINES: Machine[] = [
  {
    ...{ name: "on this machine", isNative: true },
    why: notLinux ?? whyNoFirmware(),
    build: () => build(BUILDS.device, TARGETS),
    command: (program, library) => `LD_PRELOAD=${library} exec ${program}`,
  },
  {
    ...{ name: "on arm64, in QEMU", isNative: false },
    why: notLinux ?? whyNoToolchain(FOR_TESTS.arm64),
    build: () => build(BUILDS.arm64, TARGETS),
    command: (program, library) => `exec qemu-aarch64 -E LD_PRELOAD=${library} ${program}`,
  },
];

for (const machine of MACHINES) {
  describe(`the device beside a secure element, ${machine.name}${machine.why ? ` (skipped: ${machine.why})` : ""}`, function () {
    this.timeout(180_000);
    let built: string;
    let folder: string;
    let stops: Stops;
    before(async function () {
      if (machine.why) return this.skip();
      built = join(await machine.build(), "pc");
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "wattwitness-chip-test-"));
      stops = createStops();
    });
    afterEach(async () => {
      await stops.stopAll();
      await rm(folder, { recursive: true, force: true });
    });

    /** A program that is the device on a machine with the bus, as the simulated chip is told to be. */
    async function deviceWith(told: Record<string, string | number> = {}): Promise<string> {
      const file = join(folder, "wattwitness-device");
      const values = Object.entries({ SIMULATED_CHIP: join(folder, "chip"), ...told });
      const environment = values.map(([name, value]) => `export ${name}=${value}\n`).join("");
      const command = machine.command(join(built, "wattwitness-device"), join(built, "libsimulated_i2c.so"));
      await writeFile(file, `#!/bin/sh\n${environment}${command} "$@"\n`);
      await chmod(file, 0o755);
      return file;
    }
    async function run(program: string, ...args: string[]): Promise<{ code: number; said: string }> {
      const child = spawn(program, args);
      child.stdin.end();
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk) => {
          said += chunk;
        });
      }
      const [code] = await once(child, "close");
      return { code, said };
    }
    const doctor = async (told: Record<string, string | number> = {}, bus = BUS) =>
      run(await deviceWith(told), "--doctor", "--chip", bus);

    const settingsWith = (changed: Partial<DeviceSettings> = {}): DeviceSettings => ({
      ...{ place: PLACE, owner: OWNER, capacity: 5000, source: EXPORT_CHANNEL_0, interval: INTERVAL, uploadEvery: 1 },
      ...{ oracle: "http://127.0.0.1:1", shelly: "http://127.0.0.1:1" },
      ...changed,
    });
    const settingsFile = async (settings: DeviceSettings) => {
      const file = join(folder, "settings");
      await writeFile(file, settingsText(settings));
      return file;
    };
    const argumentsOf = (settings: string) => ["--settings", settings, "--data", join(folder, "data"), "--chip", BUS];

    /** A person at the console: types a line, and reads what it answers up to the next prompt. */
    async function openConsole(settings: string, ...more: string[]): Promise<(line: string) => Promise<string>> {
      const child: ChildProcessWithoutNullStreams = spawn(await deviceWith(), [
        ...[...argumentsOf(settings), "--console", "--trust-clock", ...more],
      ]);
      stops.add(async () => {
        child.stdin.end();
        if (child.exitCode === null) await once(child, "close");
      });
      let said = "";
      child.stdout.on("data", (chunk) => {
        said += chunk;
      });
      const answered = async () => {
        for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(10)) {
          if (said.endsWith("> ")) return said;
        }
        return assert.fail(`no prompt: ${said}`);
      };
      await answered();
      return async (line) => {
        said = "";
        child.stdin.write(`${line}\n`);
        return answered();
      };
    }
    /** Without settings, so that no device starts beside it. */
    async function provision(): Promise<void> {
      const type = await openConsole(join(folder, "no-settings"));
      assert.match(await type("chip"), /next +chip configure/);
      assert.match(await type("chip configure"), /Next: chip lock-configuration/);
      assert.match(await type("chip lock-configuration"), /IRREVERSIBLE/);
      assert.match(await type(SERIAL), /Next: chip make-key/);
      assert.match(await type("chip make-key"), /Next: chip lock-data/);
      await type("chip lock-data");
      assert.match(await type(SERIAL.slice(-4)), /Next: chip lock-key/);
      await type("chip lock-key");
      assert.match(await type(SERIAL), /Next: nothing, it is ready/);
      await stops.stopAll();
      stops = createStops();
    }

    describe("is told by --doctor what is amiss, and what to do:", () => {
      const told = async (state: Record<string, string | number>, ...expected: RegExp[]) => {
        const { code, said } = await doctor(state);
        assert.equal(code, 1, said);
        for (const each of expected) assert.match(said, each);
      };

      it("a bus that may not be used", async () => {
        await told({ SIMULATED_OPEN: EACCES }, /Permission denied: be in the group .*adduser \$USER i2c/);
      });

      it("a bus that there is not, or that is none", async () => {
        const { code, said } = await doctor({}, "/dev/i2c-99");
        assert.equal(code, 1);
        assert.match(said, /No such file or directory: is I2C switched on\? .*raspi-config/);
        // QEMU answers for what it does not know by itself
        const none = machine.isNative ? /it is no I2C bus/ : /Function not implemented/;
        assert.match((await doctor({}, "/dev/null")).said, none);
      });

      it("a chip that the kernel has", async () => {
        await told({ SIMULATED_BIND: EBUSY }, /a driver of the kernel has the chip/);
      });

      it("a bus on which nothing answers", async () => {
        await told({ SIMULATED_SILENT: 1 }, /nothing answers at 0x60/, /look at its wiring/);
      });

      it("a chip that was locked at the factory", async () => {
        await told({ SIMULATED_ADDRESS: 0x36 }, /nothing answers at 0x60/, /locked at the factory.*Take a blank/);
        await told({ SIMULATED_ADDRESS: 0x35 }, /locked at the factory/);
      });

      it("a chip that is another one", async () => {
        await told({ SIMULATED_REVISION: 0x50 }, /0x00005002, which is no ATECC608/, /take a blank ATECC608A or B/);
      });

      it("a chip that is new", async () => {
        await told({}, /0x00006002, an ATECC608A/, /locked +no/, /key made +no/, /counter +0 of 2097151/, /--console/);
      });
    });

    it("does not sign with a chip that is no meter's yet", async () => {
      const settings = await settingsFile(settingsWith());
      const { code, said } = await run(await deviceWith(), ...argumentsOf(settings));
      assert.equal(code, 1);
      assert.match(said, /secure element is not provisioned\. .*--doctor says more/);
    });

    it("has no console without a chip", async () => {
      const settings = await settingsFile(settingsWith());
      const args = ["--settings", settings, "--data", join(folder, "data"), "--console"];
      assert.match((await run(await deviceWith(), ...args)).said, /--console goes with --chip/);
    });

    it("lets settings be made at the console, and saves them", async () => {
      const settings = join(folder, "new-settings");
      const type = await openConsole(settings);
      assert.match(await type("status"), /the setting chain-id is missing/);
      for (const line of settingsText(settingsWith()).trim().split("\n")) await type(`set ${line}`);
      assert.match(await type("save"), /^.*Saved\./s);
      assert.match(await readFile(settings, "utf8"), /^chain-id 31337\n/);
      assert.doesNotMatch(await type("wifi roof secret-secret"), /secret/);
    });

    it("demands no Shelly in the settings beside an optical head", async () => {
      const settings = join(folder, "new-settings");
      const lines = settingsText(settingsWith({ shelly: "" }))
        .trim()
        .split("\n");
      const withShelly = await openConsole(settings);
      for (const line of lines) await withShelly(`set ${line}`);
      assert.match(await withShelly("save"), /Not saved: the setting shelly is missing/);
      await stops.stopAll();
      stops = createStops();
      const type = await openConsole(settings, "--meter", "sml:/dev/null");
      for (const line of lines) await type(`set ${line}`);
      assert.match(await type("save"), /Saved\./);
      assert.doesNotMatch(await readFile(settings, "utf8"), /shelly/);
    });

    it("is provisioned at the console, signs by the chip, and goes on with its epoch after a start", async () => {
      await provision();
      const shelly = await startShelly({ powerAt: () => 3_600_000n, start: START });
      stops.add(shelly.stop);
      const settings = settingsWith({ shelly: shelly.url });
      const ready = await doctor();
      assert.equal(ready.code, 0, ready.said);
      assert.match(ready.said, /key locked +yes\n/);
      const [, keyId] = /key id +(0x[0-9a-f]{64})/.exec(ready.said) as string[] as [string, string];

      const options = ["--chip", BUS];
      const begin = async () =>
        startDevice({ program: await deviceWith(), folder: join(folder, "data"), settings, options }, stops);
      const device = await begin();
      assert.equal((await device.goOn(START)).epoch, 1);
      shelly.advance(START + INTERVAL);
      const { energy, reading } = await device.goOn(START + INTERVAL);
      assert.equal(energy, 60_000n);
      const { publicKey, claim, baseline, owner } = await device.registration(new Uint8Array(32));
      const key = fromHex(publicKey);
      assert.equal(toHex(keyIdOf(key)), keyId);
      assert.equal(baseline.reading, toHex(reading as Uint8Array));
      const head = { ...baseline, reading: fromHex(baseline.reading), root: fromHex(baseline.root) };
      const statement = encodeClaim(domain("claim", PLACE), {
        ...{ meter: keyIdOf(key), keyId: keyIdOf(key), owner },
        headHash: headHash(encodeHead(domain("head", PLACE), head)),
      });
      assert.ok((await verify(statement, fromHex(claim), key)).ok);

      assert.match((await doctor()).said, /another wattwitness-device has it/);
      await device.stop();
      assert.match((await doctor()).said, /counter +1 of 2097151/);
      const resumed = await begin();
      const { epoch, size } = await resumed.goOn(START + 2 * INTERVAL);
      assert.deepEqual([epoch, size], [1, 3]);
    });
  });
}
