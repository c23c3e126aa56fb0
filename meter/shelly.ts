/**
 * A Shelly in software: an HTTP server that answers as one of its models (MODELS), at a time that its driver sets.
 * Production flows through the export register of channel 0, as the clamp points in the demo: a Shelly counts consumption
 * positive, so production is negative power and counts into `total_returned`. A second channel is idle. A plug of the first
 * generation does not know directions: its power is positive, and its one register counts it.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PowerAt } from "./meter.ts";
import { createRegister, type Register } from "./register.ts";

const HOST = "127.0.0.1";
/** mV */
const VOLTAGE = 230_000n;

export type Generation = 1 | 2;

/** What it is: an EM, a Pro EM, a plug of the first generation, a Plug S Gen3 (a switch that measures) or a PM Mini Gen3. */
export type Model = "em" | "pro-em" | "plug" | "plug-s" | "pm-mini";

export type ShellyOptions = {
  powerAt: PowerAt;
  /** Unix time that it begins at, s */
  start: number;
  /** a Pro EM unless told */
  model?: Model;
  /** any unless told */
  port?: number;
  /** s for which it takes power to be the same; counting is the same in whatever steps time goes on by */
  step?: number;
};

export type Shelly = {
  readonly url: string;
  /** 12 hexadecimal digits */
  readonly mac: string;
  /** Unix time that it has come to, s */
  readonly now: number;
  /** mW then, production positive; 0 where it is not known */
  readonly power: bigint;
  /** of production */
  readonly register: Register;
  /** how often it was asked for what it measures */
  readonly asked: number;
  /** Goes on to `until` (s), counting. */
  advance: (until: number) => void;
  /** Sets the register to zero, as anybody with the app can. */
  reset: () => void;
  /** Puts another meter in its place, with another MAC address and a register of its own. */
  swap: () => void;
  /** Whether it says that what it measures is valid; true unless told. */
  setValid: (valid: boolean) => void;
  /** Whether it hangs up instead of answering. It also does while its power is not known. */
  setSilent: (silent: boolean) => void;
  stop: () => Promise<void>;
};

export async function startShelly({
  powerAt,
  start,
  model = "pro-em",
  port = 0,
  step = 10,
}: ShellyOptions): Promise<Shelly> {
  let now = start;
  let register = createRegister();
  let mac = newMac();
  let valid = true;
  let silent = false;
  let asked = 0;

  const { generation, identity, status } = MODELS[model];
  const server = createServer((request, response) => {
    const power = powerAt(now);
    if (silent || power === undefined) return void request.socket.destroy();
    const answer = (text: string) => response.writeHead(200, { "content-type": "application/json" }).end(text);
    if (request.url === "/shelly") return void answer(identity(mac));
    if (request.url !== PATHS[generation]) return void response.writeHead(404).end("Not Found");
    asked += 1;
    return void answer(status({ mac, now, power, valid, energy: register.energy }));
  });
  server.listen(port, HOST);
  await once(server, "listening");

  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    get mac() {
      return mac;
    },
    get now() {
      return now;
    },
    get power() {
      return powerAt(now) ?? 0n;
    },
    get register() {
      return register;
    },
    get asked() {
      return asked;
    },
    advance(until) {
      while (now < until) {
        const next = Math.min(until, (Math.floor(now / step) + 1) * step);
        register.add(powerAt(now - (now % step)) ?? 0n, next - now);
        now = next;
      }
    },
    reset: () => register.reset(),
    swap() {
      register = createRegister();
      mac = newMac();
    },
    setValid(is) {
      valid = is;
    },
    setSilent(is) {
      silent = is;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where each generation tells what it measures. */
const PATHS: Record<Generation, string> = { 1: "/status", 2: "/rpc/Shelly.GetStatus" };

const newMac = (): string => randomBytes(6).toString("hex").toUpperCase();

/* WHAT IT SAYS */

type Shown = { mac: string; now: number; power: bigint; valid: boolean; energy: bigint };

/** A number that stands in the text as it is: JSON.stringify would lead it through a double. */
const NUMBERS = /"number:(-?[\d.]+)"/g;
const number = (thousandths: bigint): string => `number:${thousandthsOf(thousandths)}`;
const toText = (value: unknown): string => JSON.stringify(value).replace(NUMBERS, "$1");

/** Thousandths of a unit as decimal, exactly: 4311237300n is 4311237.3. */
export function thousandthsOf(value: bigint): string {
  const size = value < 0n ? -value : value;
  const fraction = String(size % 1000n)
    .padStart(3, "0")
    .replace(/0{1,2}$/, "");
  return `${value < 0n ? "-" : ""}${size / 1000n}.${fraction}`;
}

/** mA */
const currentOf = (power: bigint): bigint => ((power < 0n ? -power : power) * 1000n) / VOLTAGE;

const timeOf = (now: number): string => new Date(now * 1000).toISOString().slice(11, 16);

const gen1Identity =
  (type: string, meters: object) =>
  (mac: string): string =>
    toText({ type, mac, auth: false, fw: "20230913-114150/v1.14.0-gcb84623", num_outputs: 1, ...meters });

const gen2Identity =
  (name: string, model: string, gen: number, app: string) =>
  (mac: string): string =>
    toText({
      ...{ name: null, id: `${name}-${mac.toLowerCase()}`, mac, slot: 0, model, gen },
      ...{ fw_id: "20240223-141905/1.2.2-g2c8e5b1", ver: "1.2.2", app, auth_en: false, auth_domain: null },
    });

function gen1Status({ mac, now }: Shown, measured: object): string {
  return toText({
    wifi_sta: { connected: true, ssid: "solar", ip: "192.168.1.40", rssi: -61 },
    ...{ time: timeOf(now), unixtime: now, has_update: false, mac },
    relays: [{ ison: false, has_timer: false, overpower: false, is_valid: true, source: "input" }],
    ...measured,
    uptime: 1_234_567,
  });
}

function gen2Status({ mac, now }: Shown, measured: object): string {
  const sys = { mac, restart_required: false, time: timeOf(now), unixtime: now, uptime: 28_980 };
  return toText({ ...measured, sys });
}

const errors = (valid: boolean) => (valid ? {} : { errors: ["power_meter_failure"] });

function emStatus(shown: Shown): string {
  const channel = (watts: bigint, returned: bigint, is_valid: boolean) => ({
    ...{ power: number(-watts), reactive: 0, pf: 1, voltage: number(VOLTAGE), is_valid },
    ...{ total: number(0n), total_returned: number(returned) },
  });
  return gen1Status(shown, { emeters: [channel(shown.power, shown.energy, shown.valid), channel(0n, 0n, true)] });
}

function proEmStatus(shown: Shown): string {
  const live = (id: number, watts: bigint) => ({
    ...{ id, current: number(currentOf(watts)), voltage: number(VOLTAGE), act_power: number(-watts) },
    ...{ pf: 1, freq: 50, calibration: "factory" },
  });
  const counted = (id: number, returned: bigint) => ({
    ...{ id, total_act_energy: number(0n), total_act_ret_energy: number(returned) },
  });
  return gen2Status(shown, {
    "em1:0": { ...live(0, shown.power), ...errors(shown.valid) },
    "em1:1": live(1, 0n),
    "em1data:0": counted(0, shown.energy),
    "em1data:1": counted(1, 0n),
  });
}

/** Its register is in whole Watt-minutes. */
function plugStatus(shown: Shown): string {
  const power = shown.power < 0n ? -shown.power : shown.power;
  const total = Number((shown.energy * 60n) / 1000n);
  const counters = [0, 0, 0];
  return gen1Status(shown, {
    meters: [{ power: number(power), overpower: 0, is_valid: shown.valid, timestamp: shown.now, counters, total }],
  });
}

/** What flowed back is in `aenergy`, too, as such models count. */
function pmStatus(component: string, more: object) {
  return (shown: Shown): string => {
    const counter = { total: number(shown.energy), by_minute: [0, 0, 0], minute_ts: shown.now - (shown.now % 60) };
    return gen2Status(shown, {
      [component]: {
        ...{ id: 0, ...more, apower: number(-shown.power), voltage: number(VOLTAGE), freq: 50 },
        ...{ current: number(currentOf(shown.power)), aenergy: counter, ret_aenergy: counter },
        ...errors(shown.valid),
      },
    });
  };
}

const MODELS: Record<
  Model,
  { generation: Generation; identity: (mac: string) => string; status: (shown: Shown) => string }
> = {
  em: { generation: 1, identity: gen1Identity("SHEM", { num_meters: 2 }), status: emStatus },
  "pro-em": {
    generation: 2,
    identity: gen2Identity("shellyproem50", "SPEM-002CEBEU50", 2, "ProEM50"),
    status: proEmStatus,
  },
  plug: { generation: 1, identity: gen1Identity("SHPLG-S", { num_meters: 1 }), status: plugStatus },
  "plug-s": {
    generation: 2,
    identity: gen2Identity("shellyplugsg3", "S3PL-00112EU", 3, "PlugSG3"),
    status: pmStatus("switch:0", { source: "init", output: true }),
  },
  "pm-mini": {
    generation: 2,
    identity: gen2Identity("shellypmminig3", "S3PM-001PCEU16", 3, "MiniPMG3"),
    status: pmStatus("pm1:0", {}),
  },
};
