/**
 * How many requests are answered: so many an address, and more of what a registered meter posts. A meter has its own count
 * at an address once a signature of its was accepted from there; its name alone, which anyone knows, gives nobody more.
 */
import { setTimeout as delay } from "node:timers/promises";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { askerOf } from "./addresses.ts";
import type { App } from "./app.ts";

export type Limits = {
  /** requests of one address in `window` */
  perAddress: number;
  /** posts of one registered meter in `window` */
  perMeter: number;
  /** s */
  window: number;
  /** ms that who asks more waits for being told so: a flood that waits for answers takes no time from others */
  holds: number;
};

export const DEFAULT_LIMITS: Limits = { perAddress: 3000, perMeter: 12_000, window: 60, holds: 1000 };

/** Addresses that are counted, and meters remembered, at once; what was longest unheard of is forgotten. */
const REMEMBERED = 20_000;

/** Meters by the address that an accepted post of theirs came from. */
export type KnownMeters = {
  has(keyId: string, address: string): boolean;
  add(keyId: string, address: string): void;
};

export function createKnownMeters(limit: number = REMEMBERED): KnownMeters {
  const known = new Set<string>();
  const nameOf = (keyId: string, address: string) => `${keyId} ${address}`;
  return {
    has: (keyId, address) => known.has(nameOf(keyId, address)),
    add(keyId, address) {
      const name = nameOf(keyId, address);
      known.delete(name);
      known.add(name);
      const [oldest] = known;
      if (known.size > limit && oldest !== undefined) known.delete(oldest);
    },
  };
}

export function registerLimits(app: App, { perAddress, window, holds }: Limits): void {
  app.addHook("onSend", async (_request, reply, payload) => {
    if (reply.statusCode === 429) await delay(holds);
    return payload;
  });
  app.register(rateLimit, {
    max: perAddress,
    timeWindow: window * 1000,
    cache: REMEMBERED,
    keyGenerator: ({ ip }) => askerOf(ip),
    errorResponseBuilder: (_request, { ttl }) =>
      Object.assign(new Error(`too many requests: go on in ${Math.ceil(ttl / 1000)} s`), { statusCode: 429 }),
  });
}

/** For the `config` of a route that meters post to. `keyIdOf` names the meter in a body that nobody has checked yet. */
export const limitOfPosts = (
  { perAddress, perMeter, window }: Limits,
  meters: KnownMeters,
  keyIdOf: (body: unknown) => string | undefined,
) => {
  const meterOf = (request: FastifyRequest): string | undefined => {
    const keyId = keyIdOf(request.body);
    return keyId !== undefined && meters.has(keyId, request.ip) ? keyId : undefined;
  };
  return {
    rateLimit: {
      hook: "preValidation" as const,
      groupId: "posts",
      timeWindow: window * 1000,
      keyGenerator: (request: FastifyRequest) => `${meterOf(request) ?? "address"} ${askerOf(request.ip)}`,
      max: (request: FastifyRequest) => (meterOf(request) ? perMeter : perAddress),
    },
  };
};
