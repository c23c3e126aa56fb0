/** The oracle without its HTTP face: storage, what it knows of the chain, and settlement. */
import { join } from "node:path";
import type { Logger } from "pino";
import { domain } from "../protocol/index.ts";
import { createAcceptance } from "./accepting/readings.ts";
import { type Application, createRegistrations, type Registrations } from "./accepting/registrations.ts";
import type { Chain } from "./chain/chain.ts";
import { createFollower, type Follower } from "./chain/follower.ts";
import type { Config } from "./config.ts";
import { createSettlement, type Settlement } from "./settling/settlement.ts";
import { type Batches, openBatches } from "./store/batches.ts";
import { type Logs, openLogs } from "./store/logs.ts";
import { openRecords } from "./store/records.ts";

export type OracleConfig = Pick<
  Config,
  | "dataDirectory"
  | "fromBlock"
  | "settleEvery"
  | "retryAfter"
  | "alignment"
  | "batchLimit"
  | "confirmations"
  | "attestation"
> & {
  /** whether there is an operator's key to settle with */
  settles: boolean;
};

export type Oracle = {
  logs: Logs;
  batches: Batches;
  follower: Follower;
  registrations: Registrations;
  settlement: Settlement | undefined;
  accept: ReturnType<typeof createAcceptance>;
  /** Looks at the chain and does everything that can be done now. Throws where the chain cannot be asked. */
  tick(): Promise<void>;
};

export async function createOracle({
  config,
  chain,
  logger,
  ...given
}: {
  config: OracleConfig;
  chain: Chain;
  /** Unix time, s; the chain's where none is given: what counts is what a block will say */
  now?: () => number;
  logger: Logger;
}): Promise<Oracle> {
  const { dataDirectory: directory, fromBlock, settleEvery, retryAfter, alignment, batchLimit, confirmations } = config;
  const place = { chainId: chain.chainId, registry: chain.registry };
  const headDomain = domain("head", place);
  const logs = await openLogs(join(directory, "logs"));
  const batches = await openBatches(join(directory, "batches"));
  const follower = await createFollower({ directory, chain, fromBlock, confirmations });
  const { meterOf } = follower;
  const now = given.now ?? follower.now;
  const registrations = createRegistrations({
    records: await openRecords<Application>(join(directory, "registrations")),
    place,
    isKnown: (keyId) => meterOf(keyId) !== undefined,
    now,
  });
  // a log that meets no head at a full hour for two settlements settles where it can
  const patience = 2 * Math.max(settleEvery, alignment);
  const settlement = config.settles
    ? await createSettlement({
        ...{
          directory,
          chain,
          follower,
          logs,
          batches,
          headDomain,
          settleEvery,
          retryAfter,
          confirmations,
          now,
          logger,
        },
        rules: { batchLimit, alignment, patience },
        attestation: config.attestation,
      })
    : undefined;

  let ticking: Promise<void> = Promise.resolve();
  async function tick(): Promise<void> {
    await follower.follow();
    await registrations.tidy();
    await settlement?.step();
    if (settlement) await follower.follow();
  }

  return {
    ...{ logs, batches, follower, registrations, settlement },
    accept: createAcceptance({ logs, headDomain, meterOf, now }),
    tick() {
      ticking = ticking.catch(() => {}).then(tick);
      return ticking;
    },
  };
}
