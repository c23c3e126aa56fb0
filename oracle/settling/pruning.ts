/**
 * Lets go of heads that nothing needs any more: those before the newest final settlement of their log, but the ones that
 * settlements ended at. Readings and proofs stay, and so does every head of a log that is not the one on chain: it is
 * evidence.
 */
import type { Logger } from "pino";
import { equal, fromHex } from "../../protocol/index.ts";
import type { Follower } from "../chain/follower.ts";
import { createSaid, firstLine } from "../said.ts";
import type { Logs } from "../store/store.ts";

/** Prunes what became final since it did last. A log that cannot be read is said once, and stops no other. */
export function createPruning(
  logs: Logs,
  follower: Pick<Follower, "meters" | "marksOf">,
  logger: Logger,
): () => Promise<void> {
  const said = createSaid();
  /** size of the newest settlement that was looked at, by log */
  const looked = new Map<string, number>();

  async function prune(keyId: string, epoch: number): Promise<boolean> {
    const marks = await follower.marksOf(keyId, epoch);
    const newest = marks.at(-1);
    const final = marks.findLast(({ confirmed }) => confirmed);
    const log = await logs.get(keyId, epoch);
    if (final && log && final.size <= log.size && equal(await log.hashOf(0, final.size), fromHex(final.root))) {
      await log.prune(
        final.size,
        marks.map(({ size }) => size),
      );
    }
    return newest === final;
  }

  return async () => {
    for (const { keyId, logs: settled } of follower.meters()) {
      for (const [epoch, { size }] of Object.entries(settled)) {
        const name = `${keyId}/${epoch}`;
        if (looked.get(name) === size) continue;
        try {
          if (await prune(keyId, Number(epoch))) looked.set(name, size);
        } catch (error) {
          const reason = firstLine(error);
          if (said.isNew(name, reason)) logger.warn({ keyId, epoch, reason }, "heads could not be forgotten");
        }
      }
    }
  };
}
