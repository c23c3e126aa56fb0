import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { MAIN, wattwitness } from "../../cli/test/support.ts";
import { readConfig } from "../../oracle/config.ts";
import { needs, pathOf, run, textOf, unknownAmong, variablesIn } from "./support.ts";

const UNIT = "systemd/wattwitness.service";
const DEVICE_UNIT = "systemd/wattwitness-device.service";
/** of 10 that systemd counts, where 0 is a service that can do nothing at all */
const EXPOSURE = "16";
/** it has devices, and asks about the clock */
const DEVICE_EXPOSURE = "21";

/** Values of a setting of the unit, in order. */
const valuesOf = (name: string, unit = UNIT): string[] =>
  [...textOf(unit).matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

describe("an oracle's settings, as the example has them", () => {
  const variables = variablesIn(textOf("wattwitness.env"));

  it("are all settings of an oracle", () => {
    assert.ok(variables.length > 5);
    assert.deepEqual(unknownAmong(variables.map(([name]) => name)), []);
  });

  it("are understood as they are written, once what is empty is filled in", () => {
    const { config, ...problems } = readConfigOf({ ...Object.fromEntries(variables.filter(([, value]) => value)) });
    assert.deepEqual(problems, { ok: true });
    assert.equal(config?.trustProxy, true);
  });

  function readConfigOf(given: Record<string, string>): { config?: { trustProxy: boolean }; ok: boolean } {
    return readConfig({
      ...{ WATTWITNESS_RPC_URL: "http://127.0.0.1:8545", WATTWITNESS_REGISTRY: `0x${"5f".repeat(20)}` },
      ...{ WATTWITNESS_WATTWITNESS: `0x${"66".repeat(20)}`, ...given },
    });
  }
});

describe("the service for systemd", () => {
  it("sets nothing that an oracle does not know", () => {
    const names = valuesOf("Environment").map((value) => value.split("=")[0] as string);
    assert.deepEqual(names, ["WATTWITNESS_DATA_DIR", "WATTWITNESS_OPERATOR_KEY_FILE"]);
    assert.deepEqual(unknownAmong(names), []);
  });

  it("shows the oracle the credential that it loads", () => {
    const [credential = ""] = valuesOf("LoadCredential");
    const [name] = credential.split(":");
    assert.ok(valuesOf("Environment").includes(`WATTWITNESS_OPERATOR_KEY_FILE=%d/${name}`));
  });

  it("keeps everything in the folder that is its own", () => {
    const [directory] = valuesOf("StateDirectory");
    assert.ok(valuesOf("Environment").includes(`WATTWITNESS_DATA_DIR=%S/${directory}`));
  });

  it("runs a command that there is", async () => {
    const [program = "", ...args] = (valuesOf("ExecStart")[0] ?? "").split(" ");
    assert.match(program, /^\/.*\/wattwitness$/);
    const { code, out, err } = await wattwitness([...args, "--help"]);
    assert.equal(code, 0, err);
    assert.match(out, /^Usage: wattwitness node start/);
  });

  describeBySystemd(UNIT, `${process.execPath} ${MAIN}`, EXPOSURE);
});

describe("the device's service for systemd", () => {
  it("gives the program options that it has", () => {
    const source = textOf("../firmware/pc/main.c");
    const [program = "", ...args] = (valuesOf("ExecStart", DEVICE_UNIT)[0] ?? "").split(" ");
    assert.match(program, /^\/.*\/wattwitness-device$/);
    const options = args.filter((arg) => arg.startsWith("--"));
    assert.deepEqual(options, ["--settings", "--data", "--chip"]);
    for (const option of options) assert.ok(source.includes(`{"${option.slice(2)}", required_argument`), option);
  });

  it("keeps everything in the folder that is its own", () => {
    const [directory] = valuesOf("StateDirectory", DEVICE_UNIT);
    assert.match(valuesOf("ExecStart", DEVICE_UNIT)[0] ?? "", new RegExp(` --data %S/${directory} `));
  });

  it("leaves it the bus, the head, and the question whether the clock is kept right", () => {
    assert.deepEqual(valuesOf("DevicePolicy", DEVICE_UNIT), ["closed"]);
    assert.ok(valuesOf("DeviceAllow", DEVICE_UNIT).includes("char-i2c rw"));
    assert.ok(valuesOf("DeviceAllow", DEVICE_UNIT).includes("char-ttyUSB rw"));
    assert.deepEqual(valuesOf("PrivateDevices", DEVICE_UNIT), ["no"]);
    assert.deepEqual(valuesOf("ProtectClock", DEVICE_UNIT), ["no"]);
    assert.deepEqual(valuesOf("CapabilityBoundingSet", DEVICE_UNIT), [""]);
    assert.match(valuesOf("SystemCallFilter", DEVICE_UNIT).join(" "), /clock_adjtime/);
  });

  describeBySystemd(DEVICE_UNIT, process.execPath, DEVICE_EXPOSURE);
});

/** `program`: one that is installed, in the place of the unit's. */
function describeBySystemd(unit: string, program: string, exposure: string): void {
  describe("by systemd itself", () => {
    needs("systemd-analyze", "systemd", "--offline");
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "wattwitness-unit-"));
    });
    after(() => folder && rmSync(folder, { recursive: true }));

    it("is understood, every line of it", () => {
      const file = join(folder, basename(unit));
      writeFileSync(file, textOf(unit).replace(/^ExecStart=\S+/m, `ExecStart=${program}`));
      const { code, said } = run("systemd-analyze", "verify", "--man=no", file);
      assert.deepEqual([code, said], [0, ""]);
    });

    it("may do little beyond its work", () => {
      const options = ["--offline=true", `--threshold=${exposure}`, "--no-pager"];
      const { code, said } = run("systemd-analyze", "security", ...options, pathOf(unit));
      assert.equal(code, 0, said);
    });
  });
}
