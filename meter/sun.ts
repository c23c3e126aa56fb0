/**
 * The power of a solar installation under a modelled sky: the sun's position (suncalc), Haurwitz's clear sky, and clouds
 * that a seed decides. The same seed gives the same sky, in whatever order its moments are asked for.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { getPosition } from "suncalc";
import { concat, u32, utf8, view } from "../protocol/bytes.ts";
import type { PowerAt } from "./meter.ts";

export type Installation = {
  /** degrees north */
  latitude: number;
  /** degrees east */
  longitude: number;
  /** W */
  capacity: number;
  /** decides the clouds */
  seed: string;
};

/** W/m², at which an installation gives its capacity */
const STANDARD_IRRADIANCE = 1000;
/** s; clouds of each size pass within such a time */
const CLOUD_PERIODS = [300, 3600, 6 * 3600];
/** share of the light that the thickest cloud takes */
const THICKEST = 0.85;

/** Power of `installation` over time: 0 at night, never above its capacity. */
export const sunPower =
  (installation: Installation): PowerAt =>
  (timestamp) => {
    const share = clearSky(installation, timestamp) * (1 - THICKEST * cloudCover(installation.seed, timestamp));
    return BigInt(Math.floor(installation.capacity * 1000 * share));
  };

/** Share of the capacity, 0 to 1, that a cloudless sky gives (Haurwitz 1945: global irradiance on the level). */
export function clearSky({ latitude, longitude }: Installation, timestamp: number): number {
  const { altitude } = getPosition(new Date(timestamp * 1000), latitude, longitude);
  const height = Math.sin((altitude * Math.PI) / 180);
  if (height <= 0) return 0;
  return Math.min(1, (1098 * height * Math.exp(-0.059 / height)) / STANDARD_IRRADIANCE);
}

/** 0 (clear) to 1 (overcast): noise of several periods, multiplied, so that some hours and some days stay clear. */
export function cloudCover(seed: string, timestamp: number): number {
  return CLOUD_PERIODS.reduce((cover, period) => cover * noise(seed, period, timestamp), 1) ** 0.5;
}

/** Smooth between values, 0 to 1, that the seed gives to the multiples of `period`. */
function noise(seed: string, period: number, timestamp: number): number {
  const place = Math.floor(timestamp / period);
  const along = timestamp / period - place;
  const weight = along * along * (3 - 2 * along);
  return valueAt(seed, period, place) * (1 - weight) + valueAt(seed, period, place + 1) * weight;
}

const valueAt = (seed: string, period: number, place: number): number =>
  view(sha256(concat(u32(period), u32(place), utf8(seed)))).getUint32(0) / 0xffff_ffff;
