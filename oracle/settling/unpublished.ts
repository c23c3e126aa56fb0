/** Batches that settled before they could be published: published as soon as they can be, and nothing waits for them. */
import type { Logger } from "pino";
import type { LogOfKey, Publisher } from "../publishing/publisher.ts";
import { createSaid, firstLine } from "../said.ts";
import type { Records } from "../store/store.ts";
import type { Job } from "./jobs.ts";

export type UnpublishedBatch = { digest: string; logs: LogOfKey[] };

export type Unpublished = {
  /** Resolves once it is durable that the batch of a job is to be published. */
  add(job: Job): Promise<void>;
  /** Publishes what can be; after one that cannot, the next has its turn with the next step. */
  step(): Promise<void>;
  /** Why it waits, if any does. */
  obstacles(): string[];
};

export async function createUnpublished({
  records,
  publisher,
  logger,
}: {
  records: Records<UnpublishedBatch>;
  publisher: Publisher;
  logger: Logger;
}): Promise<Unpublished> {
  const said = createSaid();
  /** in the order of their turns */
  const waiting = new Map((await records.all()).map((batch) => [batch.digest, batch]));
  let obstacle: string | undefined;

  /** Whether it was; said once where not. */
  async function publish({ digest, logs }: UnpublishedBatch): Promise<boolean> {
    try {
      const publication = await publisher.publish(digest, logs);
      if (publication.isPublished) return true;
      obstacle = publication.reason ?? obstacle;
    } catch (error) {
      obstacle = firstLine(error);
    }
    if (obstacle !== undefined && said.isNew(digest, obstacle)) {
      logger.warn({ batch: digest, reason: obstacle }, "publishing a settled batch waits");
    }
    return false;
  }

  return {
    async add({ digest, items }) {
      const logs = items.map(({ keyId, epoch, publicKey }) => ({ keyId, epoch, publicKey }));
      await records.put(digest, { digest, logs });
      waiting.set(digest, { digest, logs });
    },
    async step() {
      for (const [digest, batch] of [...waiting]) {
        waiting.delete(digest);
        if (!(await publish(batch))) {
          waiting.set(digest, batch);
          return;
        }
        await records.remove(digest);
        said.over(digest);
        logger.info({ batch: digest }, "batch published after it settled");
      }
      obstacle = undefined;
    },
    obstacles: () =>
      waiting.size > 0 && obstacle !== undefined
        ? [`batches that are settled (${waiting.size}) wait to be published: ${obstacle}`]
        : [],
  };
}
