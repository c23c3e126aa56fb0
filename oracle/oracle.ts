/** The oracle without its HTTP face: storage, what it knows of the chain, and settlement. */
import type { Logger } from "pino";
import { domain, READING_LENGTH } from "../protocol/index.ts";
import { createEquivocations, type Equivocations, type KeptEquivocation } from "./accepting/equivocations.ts";
import { createAcceptance } from "./accepting/readings.ts";
import { type Application, createRegistrations, type Registrations } from "./accepting/registrations.ts";
import type { Chain } from "./chain/chain.ts";
import type { Follower } from "./chain/follower.ts";
import { createFollowing } from "./chain/following.ts";
import type { Config } from "./config.ts";
import type { Outlet } from "./publishing/outlet.ts";
import { createPublisher } from "./publishing/publisher.ts";
import { createSaid } from "./said.ts";
import { createEvents, type Events } from "./serving/events.ts";
import { createInstallations, type Installations } from "./serving/installations.ts";
import { createTroubles } from "./serving/troubles.ts";
import { tellingOfPosts, tellOfEquivocation, watchChain } from "./serving/watching.ts";
import { type FundsWatch, watchFunds } from "./settling/funds.ts";
import { createPruning } from "./settling/pruning.ts";
import type { Settlement } from "./settling/settlement.ts";
import { createSettling } from "./settling/settling.ts";
import { createTally, type Tally } from "./settling/tally.ts";
import { type Store, StoreDamaged } from "./store/store.ts";
import { createTerms } from "./store/terms.ts";
import { keptNoteKey } from "./tlog/logs.ts";
import type { NoteKey } from "./tlog/note.ts";

export type OracleConfig = Pick<
  Config,
  "fromBlock" | "settleEvery" | "retryAfter" | "alignment" | "batchLimit" | "confirmations" | "attestation"
> & {
  /** whether there is an operator's key to settle with */
  settles: boolean;
  /** whether heads stay that nothing needs any more; not unless told */
  keepsHeads?: boolean;
};

export type Oracle = {
  /** the block from which the chain is followed: the deployment's first */
  fromBlock: number;
  store: Store;
  follower: Follower;
  registrations: Registrations;
  installations: Installations;
  equivocations: Equivocations;
  settlement: Settlement | undefined;
  /** what settling has cost, and when the DON answered */
  tally: Tally;
  /** what settling is paid with, where there is an operator */
  funds: FundsWatch | undefined;
  /** what it signs checkpoints with */
  noteKey: NoteKey;
  /** what happens here, as it happens */
  events: Events;
  /** the oracle's clock: Unix time, s */
  now(): number;
  /** when the chain was last looked at, by that clock; undefined = never yet */
  lookedAt(): number | undefined;
  /** Why it cannot keep what is posted, or did not see the chain at the last looks, a sentence each. */
  troubles(): string[];
  accept: ReturnType<typeof createAcceptance>;
  /**
   * Looks at the chain and, where this oracle leads, does everything that can be done now. Throws where chain or store
   * cannot be asked.
   */
  tick(): Promise<void>;
};

export async function createOracle({
  config,
  store,
  chain,
  logger,
  publishing,
  ...given
}: {
  config: OracleConfig;
  store: Store;
  chain: Chain;
  /** Unix time, s; the chain's where none is given: what counts is what a block will say */
  now?: () => number;
  logger: Logger;
  /** where batches and logs are put, and from which URLs they are fetched; absent: only this oracle serves them */
  publishing?: { outlets: readonly Outlet[]; publicUrls: readonly string[] };
}): Promise<Oracle> {
  const { fromBlock, settleEvery, retryAfter, alignment, batchLimit, confirmations } = config;
  const place = { chainId: chain.chainId, registry: chain.registry };
  const headDomain = domain("head", place);
  const terms = createTerms(store);
  const follower = await createFollowing({ terms, chain, fromBlock, confirmations, logger });
  const { meterOf } = follower;
  const now = given.now ?? follower.now;
  const isKnown = (keyId: string) => meterOf(keyId) !== undefined;
  const registrations = createRegistrations({
    records: await store.records<Application>("registrations"),
    place,
    isKnown,
    now,
  });
  const installations = await createInstallations({ store, place, isKnown, now });
  const noteKey = await keptNoteKey(store);
  const publisher = publishing && createPublisher({ ...publishing, store, place, oracleKey: noteKey, retryAfter, now });
  const events = createEvents();
  const equivocations = await createEquivocations({
    ...{ records: await store.records<KeptEquivocation>("equivocations"), headDomain, now, logger },
    onKept: (kept) => tellOfEquivocation(events, kept),
  });
  let accepted = 0;
  events.subscribe(({ kind, data }) => {
    if (kind === "reading") accepted += Number(data["count"]) * READING_LENGTH;
  });
  // a log that meets no head at a full hour for two settlements settles where it can
  const patience = 2 * Math.max(settleEvery, alignment);
  const tally = createTally();
  const { subscriptionId } = config.attestation ?? {};
  const funds = config.settles ? watchFunds({ chain, subscriptionId, now, logger }) : undefined;
  const settlement = config.settles
    ? await createSettling({
        ...{
          terms,
          chain,
          follower,
          headDomain,
          settleEvery,
          retryAfter,
          confirmations,
          tally,
          now,
          logger,
        },
        rules: { batchLimit, alignment, patience },
        attestation: config.attestation,
        publisher,
        accepted: () => accepted,
      })
    : undefined;

  const prune = config.keepsHeads ? undefined : createPruning(store.logs, follower, logger);
  const tellOfChain = watchChain(events, follower, settlement);
  const troubles = createTroubles(store);
  const said = createSaid();
  /** An application that cannot be read, which anyone may have left, stops nothing. */
  const tidy = () =>
    registrations.tidy().catch((error) => {
      if (!(error instanceof StoreDamaged)) throw error;
      if (said.isNew("registrations", error.message)) logger.error({ reason: error.message }, "a file is damaged");
    });
  let lookedAt: number | undefined;
  let ticking: Promise<void> = Promise.resolve();
  async function tick(): Promise<void> {
    await follower.follow();
    lookedAt = now();
    if ((await terms.now()).leads) await tidy();
    await funds?.look();
    await settlement?.step();
    if (settlement) await follower.follow();
    if ((await terms.now()).leads) await prune?.();
    await tellOfChain();
  }

  return {
    ...{ fromBlock, store, follower, registrations, installations, equivocations, settlement, tally, funds },
    ...{ noteKey, events, now },
    lookedAt: () => lookedAt,
    troubles: troubles.told,
    accept: troubles.ofPosts(
      tellingOfPosts(events, createAcceptance({ logs: store.logs, headDomain, meterOf, now, equivocations })),
    ),
    tick() {
      ticking = ticking.catch(() => {}).then(() => troubles.ofLook(tick));
      return ticking;
    },
  };
}
