/** The device on a PC beside an optical head, from what a household's meter was recorded to send to a token on chain. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { meterRegistryAbi, productionTokenAbi } from "../../contracts/abi.ts";
import { deployWattWitness, grant, ROLES } from "../../contracts/deploy.ts";
import { publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import { whyNoFirmware } from "../../firmware/toolchain.ts";
import { decodeReading, fromHex, type Place } from "../../protocol/index.ts";
import { startChain } from "../chain.ts";
import { ACCOUNTS, deployerOf } from "../deployment.ts";
import { type DeviceSettings, settingsText, startDevice } from "../firmware/device-process.ts";
import { buildDevice } from "../firmware/index.ts";
import { RECORDED_REGISTER, telegramWith } from "../firmware/telegram.ts";
import { startOracle } from "../processes/oracle.ts";
import { freePort } from "../processes/process.ts";
import { createStops, type Stops } from "../processes/stop.ts";

const RECORDED = fileURLToPath(new URL("../../firmware/fuzz/corpus/sml/dzg-exporting", import.meta.url));
/** 2026-03-20T08:00:00Z */
const START = 1_773_993_600;
const QUARTER_HOUR = 900;
const ALL_PHASES_EXPORT = 0x1f;
const PLACE: Place = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
/** ms */
const PATIENCE = 30_000;

const reason = whyNoFirmware();

describe(`the device beside an optical head${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(120_000);
  let program: string;
  let folder: string;
  let stops: Stops;
  before(async function () {
    if (reason) return this.skip();
    program = await buildDevice();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-sml-test-"));
    stops = createStops();
  });
  afterEach(async () => {
    await stops.stopAll();
    await rm(folder, { recursive: true, force: true });
  });

  const settingsWith = (changed: Partial<DeviceSettings> = {}): DeviceSettings => ({
    ...{ place: PLACE, owner: `0x${"70".repeat(20)}`, capacity: 5000, source: ALL_PHASES_EXPORT },
    ...{ interval: QUARTER_HOUR, uploadEvery: 1, oracle: "http://127.0.0.1:1", shelly: "http://127.0.0.1:1" },
    ...changed,
  });
  const start = (path: string, settings = settingsWith()) =>
    startDevice({ program, folder: join(folder, "data"), settings, options: ["--meter", `sml:${path}`] }, stops);
  /** A pipe into which a meter sends. */
  async function head() {
    const path = join(folder, "head");
    const [code] = await once(spawn("mkfifo", [path]), "close");
    assert.equal(code, 0);
    const pipe = await open(path, "r+");
    stops.add(() => pipe.close());
    return { path, send: (bytes: Uint8Array) => pipe.write(bytes) };
  }
  /** What it prints on stderr before it ends with 1. */
  async function refusal(text: string, meter: string): Promise<string> {
    const settings = join(folder, "settings");
    await writeFile(settings, text);
    const child = spawn(program, ["--settings", settings, "--data", join(folder, "data"), "--meter", meter]);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, "close");
    assert.equal(code, 1, said);
    return said;
  }
  const readingOf = (bytes: Uint8Array | undefined) => {
    const decoded = decodeReading(bytes ?? assert.fail("no reading was taken"));
    assert.ok(decoded.ok);
    return decoded.value;
  };

  it("changes nothing in a recorded telegram but what it is asked to", async () => {
    const recorded = (await readFile(RECORDED)).subarray(1);
    assert.deepEqual([...telegramWith(RECORDED_REGISTER, 10_550)], [...recorded]);
  });

  it("does not start with a meter that there is not, a channel that it has not, or a Shelly's setting missing", async () => {
    const text = settingsText(settingsWith());
    assert.match(await refusal(text, "p1:/dev/null"), /--meter p1:.*give sml: and a serial port/);
    assert.match(await refusal(text, "sml:"), /--meter sml:.*give sml: and a serial port/);
    assert.match(await refusal(text, `sml:${folder}/none`), /none: No such file .*plugged in/);
    assert.match(await refusal(text.replace("channel all", "channel 0"), "sml:/dev/null"), /set `channel all`/);
    assert.match(await refusal(text.replace(/^owner .*\n/m, ""), "sml:/dev/null"), /owner is missing/);
  });

  it("takes no reading of noise, nor of a telegram that was misheard", async () => {
    const { path, send } = await head();
    const device = await start(path);
    const wrong = telegramWith(RECORDED_REGISTER, 100);
    wrong[195] = (wrong[195] as number) ^ 1;
    await send(Uint8Array.of(0x1b, 0x1b, 0xff, 0x00, 0x1b, 0x1b, 0x1b, 0x1b, 0x01));
    await send(wrong);
    const { reading, error } = await device.goOn(START);
    assert.equal(reading, undefined);
    assert.match(error ?? "", /the meter does not answer/);
    await send(telegramWith(RECORDED_REGISTER, 100));
    assert.ok((await device.goOn(START + QUARTER_HOUR)).reading);
  });

  it("takes no reading of a telegram that tells its register in another unit, nor the one before for it", async () => {
    const { path, send } = await head();
    const device = await start(path);
    await send(telegramWith(RECORDED_REGISTER, 100));
    assert.ok((await device.goOn(START)).reading);
    await send(telegramWith(RECORDED_REGISTER + 10, 100, 27));
    assert.equal((await device.goOn(START + QUARTER_HOUR)).reading, undefined);
  });

  it("reads what was recorded, through the export register, and needs no Shelly in its settings", async () => {
    const { path, send } = await head();
    await send((await readFile(RECORDED)).subarray(1));
    const device = await start(path, settingsWith({ shelly: "" }));
    const { reading, energy } = await device.goOn(START);
    const { power, source, conditions, voltage } = readingOf(reading);
    assert.deepEqual([power, source, conditions, voltage], [105_500n, ALL_PHASES_EXPORT, 0, undefined]);
    assert.equal(energy, 0n);
    await send(telegramWith(RECORDED_REGISTER + 1234, 20_000));
    assert.equal((await device.goOn(START + QUARTER_HOUR)).energy, 123_400n);
  });

  it("takes the telegrams of a recording one after the other, and then none", async () => {
    const path = join(folder, "recording");
    await writeFile(path, [0, 10, 30].map((more) => telegramWith(RECORDED_REGISTER + more, 100)).reduce(concat));
    const device = await start(path);
    const energies = [];
    for (let i = 0; i < 3; i++) energies.push((await device.goOn(START + i * QUARTER_HOUR)).energy);
    assert.deepEqual(energies, [0n, 1000n, 3000n]);
    assert.equal((await device.goOn(START + 3 * QUARTER_HOUR)).reading, undefined);
  });

  it("mints what the meter counted, to the mWh, and not a unit more", async () => {
    const chain = await startChain(0, START);
    stops.add(() => chain.stop());
    const admin = deployerOf(chain, ACCOUNTS.admin);
    const registrar = chain.wallet(ACCOUNTS.registrar);
    const deployment = await deployWattWitness(admin, { unattestedAfter: 0 });
    await grant(admin, deployment.authority, ROLES.registrar, registrar.account.address);
    const port = await freePort();
    const environment = {
      ...{ PORT: String(port), WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: deployment.registry },
      ...{ WATTWITNESS_WATTWITNESS: deployment.wattWitness, WATTWITNESS_DATA_DIR: join(folder, "oracle") },
      ...{ WATTWITNESS_OPERATOR_KEY: chain.key(ACCOUNTS.operator), WATTWITNESS_SETTLE_EVERY: "1800" },
      ...{ WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "1", LOG_LEVEL: "warn" },
    };
    const oracle = await startOracle(environment, join(folder, "oracle.log"), stops);
    const { path, send } = await head();
    const place = { chainId: chain.publicClient.chain?.id as number, registry: deployment.registry };
    const owner = chain.wallet(ACCOUNTS.firstOwner).account.address;
    const device = await start(path, settingsWith({ place, owner, oracle: oracle.url }));
    const passTo = async (time: number) => {
      await chain.mineAt(time);
      await until(async () => (await healthOf(oracle.url)).block >= Number(await chain.publicClient.getBlockNumber()));
    };

    await passTo(START + QUARTER_HOUR);
    await send(telegramWith(RECORDED_REGISTER, 10_550));
    await device.goOn(START + QUARTER_HOUR);
    const { publicKey, claim, baseline, ...terms } = await device.registration(new Uint8Array(32));
    const key = publicKeyParts(fromHex(publicKey));
    const first = { ...baseline, size: BigInt(baseline.size) };
    const hash = await registrar.writeContract({
      ...{ address: deployment.registry, abi: meterRegistryAbi, functionName: "register", chain: registrar.chain },
      args: [{ ...terms, key, baseline: first, claim: signatureParts(fromHex(claim)) }],
    });
    assert.equal((await chain.publicClient.waitForTransactionReceipt({ hash })).status, "success");

    // a quarter of a kWh each quarter of an hour, but for the last, which is some 0.1 Wh more
    const steps = [2500, 2500, 2500, 2507];
    let register = RECORDED_REGISTER;
    for (const [i, step] of steps.entries()) {
      const time = START + (2 + i) * QUARTER_HOUR;
      register += step;
      await passTo(time);
      await send(telegramWith(register, 30_000));
      await device.goOn(time);
    }
    const supplyOf = async () =>
      (await chain.publicClient.readContract({
        ...{ address: deployment.token, abi: productionTokenAbi, functionName: "totalSupply" },
      })) as bigint;
    const expected = 1_000_700n * 10n ** 12n; // 1.0007 kWh
    let time = START + 6 * QUARTER_HOUR;
    await until(async () => {
      const supply = await supplyOf();
      assert.ok(supply <= expected);
      if (supply === expected) return true;
      time += QUARTER_HOUR;
      await passTo(time);
      await send(telegramWith(register, 0));
      await device.goOn(time);
      return false;
    });
    assert.equal(await supplyOf(), expected);
  });
});

const concat = (one: Uint8Array, other: Uint8Array): Uint8Array => Uint8Array.of(...one, ...other);

const healthOf = async (url: string) => (await (await fetch(new URL("/health", url))).json()) as { block: number };

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const sleep = promisify(setTimeout);
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(50)) if (await isSo()) return;
  assert.fail("it did not come to that in time");
}
