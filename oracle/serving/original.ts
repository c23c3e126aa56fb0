/** The hackathon original's way to post one reading: in watts and watt-hours, encoded here to the 32 bytes that a device signs. */
import { encodeReading, keyIdOf, PUBLIC_KEY_LENGTH, toHex } from "../../protocol/index.ts";
import type { Post } from "../accepting/readings.ts";

export type OriginalReading = {
  /** W */
  power: number;
  /** Wh */
  total: number;
  /** Unix time, s */
  timestamp: number;
  signature: string;
  public_key: string;
  epoch: number;
  /** of the log with this reading */
  size: number;
  /** V, A, °C */
  voltage?: number | undefined;
  current?: number | undefined;
  temperature?: number | undefined;
  source?: number | undefined;
  conditions?: number | undefined;
};

/** Bytes in hexadecimal, with or without 0x, or in base64; undefined where they are not `length`. */
export function bytesIn(text: string, length: number): Uint8Array | undefined {
  const digits = text.replace(/^0[xX]/, "");
  const isHex = digits.length === 2 * length && /^[0-9a-fA-F]*$/.test(digits);
  const bytes = isHex ? Buffer.from(digits, "hex") : Buffer.from(text, "base64");
  const isBytes = isHex || bytes.toString("base64") === text;
  return isBytes && bytes.length === length ? new Uint8Array(bytes) : undefined;
}

/** x ‖ y, also where the uncompressed point's 0x04 stands before it. */
export function publicKeyIn(text: string): Uint8Array | undefined {
  const point = bytesIn(text, PUBLIC_KEY_LENGTH + 1);
  return point?.[0] === 4 ? point.slice(1) : bytesIn(text, PUBLIC_KEY_LENGTH);
}

/** `sourceOf`: what a meter is registered with. Undefined where the values fit no reading. */
export function postOf(original: OriginalReading, sourceOf: (keyId: string) => number | undefined): Post | undefined {
  const publicKey = publicKeyIn(original.public_key);
  const signature = bytesIn(original.signature, 64);
  if (!publicKey || !signature) return undefined;
  const keyId = toHex(keyIdOf(publicKey));
  const { epoch, size } = original;
  const reading = encoded(original, original.source ?? sourceOf(keyId) ?? 0);
  return reading && { keyId, epoch, size, readings: [toHex(reading)], signature: toHex(signature) };
}

function encoded(original: OriginalReading, source: number): Uint8Array | undefined {
  const { timestamp, power, total, voltage, current, temperature, conditions = 0 } = original;
  const parts = (value: number | undefined, per: number) => (value === undefined ? undefined : Math.round(value * per));
  try {
    return encodeReading({
      ...{ timestamp, source, conditions },
      energy: BigInt(Math.round(total * 1000)),
      power: BigInt(Math.round(power * 1000)),
      voltage: parts(voltage, 1000),
      current: parts(current, 1000),
      temperature: parts(temperature, 100),
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
