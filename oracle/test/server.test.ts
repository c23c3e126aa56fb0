import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encodeAbiParameters, encodeEventTopics, numberToHex, pad, toFunctionSelector } from "viem";
import { meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import type { Device } from "../../meter/device.ts";
import { sendTo } from "../../meter/upload.ts";
import { toHex } from "../../protocol/index.ts";
import { listenTo, startBroker } from "./publishing/broker.ts";
import { CAPACITY, newMeter, OWNER, PLACE, removeDirectories, START, temporaryDirectory } from "./support.ts";

const SERVER = fileURLToPath(new URL("../server.ts", import.meta.url));
const WATT_WITNESS = `0x${"66".repeat(20)}` as const;
const BLOCK = "0x1";
const DAY = 86_400;

/** The registry that WattWitness tells of, and whether it was there before the first block that is looked at. */
type Chosen = { registry?: `0x${string}`; isOld?: boolean };

/**
 * A node that answers the few questions of an oracle that settles nothing: one block, in which `device` was registered.
 */
async function fakeNode(device: Device, { registry = PLACE.registry, isOld = false }: Chosen = {}): Promise<Server> {
  const { epoch, size, reading, root } = device.head();
  const keyId = toHex(device.keyId);
  const hash = `0x${"bb".repeat(32)}`;
  const log = (address: string, topics: unknown, data: string, logIndex: string) => ({
    ...{ address, topics, data, logIndex, blockNumber: BLOCK, blockHash: hash, transactionHash: hash },
    ...{ transactionIndex: "0x0", removed: false },
  });
  const begun = encodeAbiParameters(
    [{ type: "uint32" }, { type: "uint64" }, { type: "uint32" }, { type: "uint64" }, { type: "bytes32" }],
    [epoch, BigInt(size), device.lastTimestamp, device.energy, toHex(root)],
  );
  const registered = encodeAbiParameters(
    [{ type: "bytes32" }, { type: "bytes32" }, { type: "uint32" }, { type: "uint8" }, { type: "bytes32" }],
    [
      toHex(device.publicKey.subarray(0, 32)),
      toHex(device.publicKey.subarray(32)),
      CAPACITY,
      device.source,
      toHex(reading),
    ],
  );
  const begunTopics = encodeEventTopics({ abi: wattWitnessAbi, eventName: "Begun", args: { keyId } });
  const registeredTopics = encodeEventTopics({
    abi: meterRegistryAbi,
    eventName: "MeterRegistered",
    args: { meter: keyId, owner: OWNER as `0x${string}` },
  });
  const calls: Record<string, string> = {
    [toFunctionSelector("wattWitness()")]: pad(WATT_WITNESS),
    [toFunctionSelector("registry()")]: pad(registry),
  };
  const asked = (method: string, params: [{ data: string }, string]): unknown => {
    if (method === "eth_call") return calls[params[0].data.slice(0, 10)] ?? `0x${"00".repeat(32)}`;
    if (method === "eth_getCode") return params[1] === "0x0" && !isOld ? "0x" : "0x01";
    return answers[method];
  };
  const answers: Record<string, unknown> = {
    eth_chainId: `0x${PLACE.chainId.toString(16)}`,
    eth_blockNumber: BLOCK,
    eth_getBlockByNumber: {
      number: BLOCK,
      timestamp: numberToHex(START + DAY),
      hash,
      parentHash: hash,
      transactions: [],
    },
    eth_getLogs: [
      log(PLACE.registry, registeredTopics, registered, "0x0"),
      log(WATT_WITNESS, begunTopics, begun, "0x1"),
    ],
  };
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const answer = ({ id, method, params }: { id: number; method: string; params: [{ data: string }, string] }) => ({
      jsonrpc: "2.0",
      id,
      result: asked(method, params),
    });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(Array.isArray(body) ? body.map(answer) : answer(body)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe("the oracle's process", function () {
  // most of it is starting processes, on machines that may be busy
  this.timeout(60_000);
  const children: ChildProcess[] = [];
  const servers: Server[] = [];

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    await removeDirectories();
  });

  function run(environment: Record<string, string>) {
    const child = spawn(process.execPath, [SERVER], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    const output = { text: "" };
    child.stdout.on("data", (data) => {
      output.text += data;
    });
    child.stderr.on("data", (data) => {
      output.text += data;
    });
    return { child, output };
  }

  /** Waits until it holds, half a minute at most. */
  async function until(holds: () => boolean): Promise<void> {
    for (const end = Date.now() + 30_000; !holds(); await delay(50))
      assert.ok(Date.now() < end, "it never comes to that");
  }

  /** Starts an oracle on a free port, and waits until it says which. */
  async function start(environment: Record<string, string>) {
    const { child, output } = run(environment);
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", () => {
        const listening = /listening at (http:\/\/[\d.:]+)/.exec(output.text);
        if (listening) resolve(listening[1] as string);
      });
      child.once("exit", () => reject(new Error(`the oracle ended: ${output.text}`)));
    });
    return { child, url, output };
  }

  async function environmentFor(device: Device, chosen?: Chosen): Promise<Record<string, string>> {
    const node = await fakeNode(device, chosen);
    servers.push(node);
    return {
      WATTWITNESS_RPC_URL: urlOf(node),
      WATTWITNESS_REGISTRY: PLACE.registry,
      WATTWITNESS_WATTWITNESS: WATT_WITNESS,
      WATTWITNESS_FROM_BLOCK: "1",
      WATTWITNESS_DATA_DIR: await temporaryDirectory(),
      PORT: "0",
    };
  }

  function newMeterAtStart() {
    const meter = newMeter(() => 1_000_000n, START);
    meter.advance(START + 100);
    return { meter };
  }

  it("says in one go what is wrong with its configuration, and exits with 1", async () => {
    const { child, output } = run({ PORT: "0", LOG_LEVEL: "loud" });
    assert.deepEqual(await once(child, "exit"), [1, null]);
    const lines = output.text.trim().split("\n");
    assert.equal(lines.length, 5, output.text);
    assert.match(lines[4] as string, /LOG_LEVEL must be one of/);
  });

  it("says that the chain does not answer, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device);
    servers[0]?.close();
    const { child, output } = run(environment);
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.match(output.text, /^The chain at WATTWITNESS_RPC_URL does not answer: .*\n$/);
  });

  it("says that its contracts do not belong together, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device, { registry: `0x${"99".repeat(20)}` });
    const { child, output } = run(environment);
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.match(output.text, /^The WattWitness 0x66\w+ is of another registry: 0x99\w+\.\n$/);
  });

  it("says that it would begin after the contracts, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const { child, output } = run(await environmentFor(meter.device, { isOld: true }));
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.match(output.text, /^The registry was there before block 1: .*\n$/);
  });

  for (const [block, problem] of [
    ["2", /^WATTWITNESS_FROM_BLOCK is 2, and this chain has blocks up to 1: .*\n$/],
    ["99999999", /^WATTWITNESS_FROM_BLOCK is 99999999, and this chain has blocks up to 1: .*\n$/],
  ] as const) {
    it(`says that there is no block ${block} to begin with, and exits with 1`, async () => {
      const { meter } = newMeterAtStart();
      const environment = await environmentFor(meter.device);
      const { child, output } = run({ ...environment, WATTWITNESS_FROM_BLOCK: block });
      assert.deepEqual(await once(child, "exit"), [1, null]);
      assert.match(output.text, problem);
    });
  }

  it("says that its port is in use, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device);
    const taken = new URL(urlOf(servers[0] as Server)).port;
    const { child, output } = run({ ...environment, PORT: taken, LOG_LEVEL: "silent" });
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.equal(output.text, `Port ${taken} of 127.0.0.1 is in use.\n`);
  });

  for (const [what, settings, problem] of [
    [
      "its folder to publish in",
      { WATTWITNESS_PUBLISH_DIR: "/dev/null/site" },
      /^WATTWITNESS_PUBLISH_DIR cannot be used: /,
    ],
    [
      "the file of its bucket's secret",
      {
        ...{ WATTWITNESS_PUBLISH_S3_URL: "http://127.0.0.1:1/meters", WATTWITNESS_PUBLISH_S3_KEY_ID: "name" },
        WATTWITNESS_PUBLISH_S3_SECRET_FILE: "/dev/null/secret",
      },
      /^The oracle is not configured:\n {2}WATTWITNESS_PUBLISH_S3_SECRET_FILE cannot be read: /,
    ],
  ] as const) {
    it(`says that ${what} cannot be used, and exits with 1`, async () => {
      const { meter } = newMeterAtStart();
      const environment = await environmentFor(meter.device);
      const WATTWITNESS_OPERATOR_KEY = `0x${"22".repeat(32)}`;
      const { child, output } = run({ ...environment, ...settings, WATTWITNESS_OPERATOR_KEY });
      assert.deepEqual(await once(child, "exit"), [1, null]);
      assert.match(output.text, problem);
    });
  }

  it("says that another oracle has its data directory, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device);
    const first = await start(environment);
    const { child, output } = run(environment);
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.match(output.text, new RegExp(`^Another oracle \\(process ${first.child.pid}\\) keeps its data in .*\\n$`));
    first.child.kill("SIGTERM");
    await once(first.child, "exit");
    assert.ok((await start(environment)).url);
  });

  it("says that its database does not answer, without the password, and exits with 1", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device);
    const { child, output } = run({
      ...environment,
      WATTWITNESS_DATABASE_URL: "postgres://oracle:hidden@127.0.0.1:1/x",
    });
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.match(output.text, /^The database at WATTWITNESS_DATABASE_URL does not answer: .*\n$/);
    assert.ok(!output.text.includes("hidden"));
  });

  it("shows no secret, whatever goes wrong, in its log or in an answer", async () => {
    const { meter } = newMeterAtStart();
    const environment = await environmentFor(meter.device);
    const key = "22".repeat(32);
    const { child, url, output } = await start({
      ...environment,
      LOG_LEVEL: "trace",
      WATTWITNESS_RPC_URL: `${environment["WATTWITNESS_RPC_URL"]}/v3/secret-of-rpc?key=secret-of-rpc`,
      WATTWITNESS_OPERATOR_KEY: `0x${key}`,
      WATTWITNESS_POLL_EVERY: "1",
      WATTWITNESS_MQTT_URL: "mqtt://me:secret-of-mqtt@127.0.0.1:1",
      WATTWITNESS_PUBLISH_S3_URL: "http://127.0.0.1:1/meters",
      WATTWITNESS_PUBLISH_S3_KEY_ID: "name-at-s3",
      WATTWITNESS_PUBLISH_S3_SECRET: "secret-of-s3",
    });
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    await until(() => /could not be asked/.test(output.text) && /MQTT/.test(output.text));
    for (const path of ["/", "/health", "/ready", "/metrics", "/registrations"]) {
      output.text += await (await fetch(`${url}${path}`)).text();
    }
    child.kill("SIGTERM");
    await once(child, "exit");
    for (const secret of [key, "secret-of", "name-at-s3"]) assert.ok(!output.text.includes(secret), output.text);
  });

  it("has every reading that it acknowledged after kill -9, and goes on from there", async () => {
    const { meter } = newMeterAtStart();
    const { device } = meter;
    const environment = await environmentFor(device);
    for (let round = 1; round <= 3; round++) {
      const { child, url } = await start(environment);
      meter.advance(START + 100 + round * 1000);
      const post = device.nextPost();
      assert.ok(post);
      const answer = await sendTo(url)(post);
      child.kill("SIGKILL");
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      await once(child, "exit");
      device.answered(post, answer, meter.now);

      const again = await start(environment);
      const stored = await fetch(`${again.url}/logs/${post.keyId}/1/readings?limit=1000`);
      const { readings } = (await stored.json()) as { readings: string[] };
      assert.deepEqual(readings, device.readings.slice(0, post.size).map(toHex));
      again.child.kill("SIGKILL");
      await once(again.child, "exit");
    }
  });

  it("tells an MQTT broker of its meters, and that it ends", async () => {
    const { meter } = newMeterAtStart();
    const broker = await startBroker();
    const home = await listenTo(broker.port);
    const status = `wattwitness/${PLACE.chainId}/${PLACE.registry}/status`;
    const WATTWITNESS_MQTT_URL = `mqtt://127.0.0.1:${broker.port}`;
    const { child } = await start({ ...(await environmentFor(meter.device)), WATTWITNESS_MQTT_URL });
    await home.until(status, (text) => text === "online");
    await home.until(`homeassistant/device/wattwitness_${toHex(meter.device.keyId)}/config`, () => true);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    await home.until(status, (text) => text === "offline");
    await home.close();
    await broker.close();
  });

  it("ends within ten seconds also where a request does not, and answers those that do", async () => {
    const { meter } = newMeterAtStart();
    const { child, url } = await start(await environmentFor(meter.device));
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    const post = "POST /readings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    socket.write(post);
    await delay(200);
    const began = Date.now();
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.ok(Date.now() - began < 10_000);
    socket.destroy();
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends cleanly at ${signal}`, async () => {
      const { meter } = newMeterAtStart();
      const { child } = await start(await environmentFor(meter.device));
      child.kill(signal);
      assert.deepEqual(await once(child, "exit"), [0, null]);
    });
  }
});
