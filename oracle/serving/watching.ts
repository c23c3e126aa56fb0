/** Tells of what posts bring and of what a look at the chain has changed, as events. */
import type { KeptEquivocation } from "../accepting/equivocations.ts";
import type { Accepted, Post } from "../accepting/readings.ts";
import type { Refusal } from "../accepting/refusal.ts";
import type { Follower } from "../chain/follower.ts";
import type { Meter } from "../chain/view.ts";
import type { Settlement } from "../settling/settlement.ts";
import type { Events } from "./events.ts";

type Answer = { ok: true; value: Accepted } | { ok: false; refusal: Refusal };

/** Batches whose attestation was told of, remembered at once. */
const REMEMBERED = 1000;

/** `accept`, telling of readings that are new and of refusals. */
export function tellingOfPosts(events: Events, accept: (post: Post) => Promise<Answer>) {
  /** by key id: where the newest that was told of ends */
  const told = new Map<string, { epoch: number; size: number }>();
  return async (post: Post): Promise<Answer> => {
    const { keyId: key_id, epoch, size } = post;
    const answer = await accept(post);
    if (!answer.ok) {
      events.publish("refusal", { key_id, epoch, size, rule: answer.refusal.body.rule });
      return answer;
    }
    const before = told.get(key_id);
    const isNew = !before || epoch > before.epoch || (epoch === before.epoch && size > before.size);
    if (!isNew || size < answer.value.size) return answer;
    told.set(key_id, { epoch, size });
    events.publish("reading", {
      ...{ key_id, epoch, size, count: post.readings.length, reading: post.readings.at(-1) as string },
    });
    return answer;
  };
}

export function tellOfEquivocation(events: Events, { keyId: key_id, epoch, equivocation }: KeptEquivocation): void {
  const { first, second, one } = equivocation;
  events.publish("equivocation", {
    ...{ key_id, epoch, index: one.index, first_size: first.size, second_size: second.size },
  });
}

/** Call it after every look at the chain; the first time is where it begins. */
export function watchChain(
  events: Events,
  follower: Pick<Follower, "meters" | "marksOf">,
  settlement: Pick<Settlement, "jobs"> | undefined,
): () => Promise<void> {
  let seen: Map<string, Meter> | undefined;
  const attested = new Set<string>();

  function tellOfAttestation(root: string): void {
    if (attested.has(root)) return;
    attested.add(root);
    const [oldest] = attested;
    if (attested.size > REMEMBERED && oldest !== undefined) attested.delete(oldest);
    events.publish("attestation", { root });
  }

  async function tellOfSettlements(meter: Meter, before: Meter | undefined): Promise<void> {
    for (const [epoch, { size }] of Object.entries(meter.logs)) {
      const since = before?.logs[Number(epoch)]?.size ?? 0;
      if (size <= since) continue;
      for (const mark of await follower.marksOf(meter.keyId, Number(epoch))) {
        if (mark.size <= since) continue;
        if (mark.attestation !== undefined) tellOfAttestation(mark.attestation);
        events.publish("settlement", {
          ...{ key_id: meter.keyId, epoch: Number(epoch), from_size: mark.fromSize, size: mark.size },
          ...{ produced_mwh: mark.produced, transaction: mark.transaction, block: mark.block },
        });
      }
    }
  }

  return async () => {
    const meters = new Map(follower.meters().map((meter) => [meter.keyId, meter]));
    const before = seen;
    seen = meters;
    if (!before) return;
    for (const job of settlement?.jobs() ?? []) {
      if (job.attested && ["attested", "settling", "settled"].includes(job.stage)) tellOfAttestation(job.root);
    }
    for (const meter of meters.values()) {
      const known = before.get(meter.keyId);
      if (known !== meter) await tellOfSettlements(meter, known);
    }
  };
}
