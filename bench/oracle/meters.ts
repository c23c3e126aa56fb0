/** Meters that have signed already what they post, so that signing is not measured. */
import { createPrivateKey, sign as signWith } from "node:crypto";
import { createDevice, type Device } from "../../meter/device.ts";
import {
  createLog,
  domain,
  encodeHead,
  encodeReading,
  keyIdOf,
  normaliseS,
  publicKeyOf,
  toHex,
} from "../../protocol/index.ts";

export const PLACE = { chainId: 31337, registry: `0x${"5f".repeat(20)}` } as const;
/** Unix time, s */
export const START = 1_773_964_800;
/** the oracle's clock: later than any reading */
export const END = START + 10 * 365 * 86_400;
const INTERVAL = 10;
/** mWh a reading */
const ENERGY = 2000n;

const headDomain = domain("head", PLACE);

const privateKeyOf = (meter: number): Uint8Array => {
  const key = new Uint8Array(32).fill(1);
  new DataView(key.buffer).setUint32(28, meter + 1);
  return key;
};

/** A meter as it is registered: with one reading. */
export function deviceOf(meter: number): Device {
  const privateKey = privateKeyOf(meter);
  const device = createDevice({ privateKey, epoch: 1, interval: INTERVAL, source: 0, place: PLACE });
  device.synchronise(START);
  device.take(START, { power: 0n, register: 0n });
  return device;
}

const readingAt = (index: number): Uint8Array =>
  encodeReading({
    ...{ timestamp: START + index * INTERVAL, energy: BigInt(index) * ENERGY },
    ...{ power: index === 0 ? 0n : 720_000n, source: 0, conditions: 0 },
  });

/** Readings of a meter from an index on. */
export const readingsOf = (from: number, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => readingAt(from + i));

/** Of a meter's own: an address has a limit, which many meters behind one would meet. */
const addressOf = (meter: number): string => `10.${meter >> 16}.${(meter >> 8) & 255}.${meter & 255}`;

/** All posts of a meter, `perPost` readings each, as requests of HTTP/1.1 that a proxy hands on. */
export function requestsOf(meter: number, posts: number, perPost: number): Buffer[] {
  const privateKey = privateKeyOf(meter);
  const publicKey = publicKeyOf(privateKey);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const key = createPrivateKey({
    format: "jwk",
    key: {
      ...{ kty: "EC", crv: "P-256", d: base64(privateKey) },
      ...{ x: base64(publicKey.subarray(0, 32)), y: base64(publicKey.subarray(32)) },
    },
  });
  const keyId = toHex(keyIdOf(publicKey));
  const log = createLog();
  return Array.from({ length: posts }, () => {
    const readings = readingsOf(log.size, perPost);
    for (const reading of readings) log.append(reading);
    const head = { epoch: 1, size: log.size, reading: readings.at(-1) as Uint8Array, root: log.root() };
    const signature = signWith("sha256", encodeHead(headDomain, head), { key, dsaEncoding: "ieee-p1363" });
    const body = JSON.stringify({
      ...{ keyId, epoch: 1, size: log.size, readings: readings.map(toHex) },
      signature: toHex(normaliseS(signature)),
    });
    return Buffer.from(
      `POST /readings HTTP/1.1\r\nhost: oracle\r\nx-forwarded-for: ${addressOf(meter)}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
}
