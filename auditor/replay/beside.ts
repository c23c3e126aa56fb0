/** Certificates and parks played again, over the very events that the audit replays. */
import type { History } from "../chain/history.ts";
import type { Finding } from "../finding.ts";
import { createBook } from "./book.ts";
import { type Certificates, replayCertificates } from "./certificates.ts";
import { type Park, replayParks } from "./parks.ts";

/** Absent = nobody named their contract. */
export type ReplayedBeside = {
  certificates?: Certificates | undefined;
  parks?: ReadonlyMap<`0x${string}`, Park> | undefined;
  findings: Finding[];
};

export function replayBeside({ events, blocks, deployment, beside }: ReplayedHistory): ReplayedBeside {
  const book = createBook({ blocks });
  const certificates = beside.certificates && replayCertificates(beside.certificates, book);
  const parks = beside.factory && replayParks(deployment.token, book);
  if (!certificates && !parks) return { findings: [] };
  let transaction: string | undefined;
  for (const event of events) {
    if (event.transaction !== transaction) parks?.close();
    transaction = event.transaction;
    book.at(event);
    // what was paid out of what is held is told after it was said to be
    certificates?.tell(event);
    parks?.tell(event);
    book.enter(event);
  }
  parks?.close();
  book.close();
  certificates?.end();
  parks?.end();
  return { certificates: certificates?.state, parks: parks?.parks, findings: book.findings };
}

type ReplayedHistory = Pick<History, "events" | "blocks" | "deployment" | "beside">;
