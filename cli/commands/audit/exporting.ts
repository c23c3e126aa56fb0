/** `wattwitness export`: certificates of settled hours. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import {
  type Certified,
  createCertifying,
  csvOf,
  type Details,
  detailsIn,
  energyTagOf,
  type Naming,
  ndjsonOf,
} from "../../../auditor/index.ts";
import { Problem } from "../../problem.ts";
import { time, written } from "../../terminal/telling.ts";
import { type AuditingOptions, run } from "./auditing.ts";
import type { Judged } from "./options.ts";
import { findingText } from "./told.ts";

type ExportingOptions = Omit<AuditingOptions, "checkpoint"> & {
  format: "energytag" | "csv" | "ndjson";
  details?: string;
  country?: string;
  issuingBody?: string;
  out?: string;
};

export async function exporting(options: ExportingOptions): Promise<Judged> {
  const { meter: meters, from = 0, to = Number.POSITIVE_INFINITY, details, country, issuingBody, out } = options;
  const known = await documentsIn(details);
  const certifying = createCertifying();
  const audit = await run(options, { meters }, { onHours: certifying.onHours });
  const { verdict, findings, figures } = audit;
  for (const finding of findings) console.error(findingText(finding));
  // what is wrong somewhere may be wrong everywhere
  const all = verdict === "refuted" ? { certificates: [], uncertified: [] } : certifying.certified(audit);
  const certified: Certified = {
    certificates: all.certificates.filter((each) => each.from >= from && each.to <= to),
    uncertified: all.uncertified.filter((each) => each.to > from && each.from < to),
  };
  for (const each of certified.uncertified) {
    console.error(`not certifiable: ${each.meter}, ${time(each.from)} to ${time(each.to)}: ${each.why}`);
  }
  const naming: Naming = { details: known, country, issuingBody, isAnyRetired: figures.retired_units > 0n };
  const text = FORMS[options.format](certified, naming);
  const data = { findings, ...energyTagOf(certified, naming) };
  if (out === undefined) return { verdict, text: text.trimEnd(), data };
  await writeFile(out, text);
  return { verdict, text: `${out}: ${certified.certificates.length} hours, ${verdict}`, data };
}

const FORMS: Record<ExportingOptions["format"], (certified: Certified, naming: Naming) => string> = {
  energytag: (certified, naming) => `${written(energyTagOf(certified, naming))}\n`,
  csv: csvOf,
  ndjson: ndjsonOf,
};

/** By their hashes; what is no document is left alone. */
async function documentsIn(folder: string | undefined): Promise<Map<Hex, Details>> {
  if (folder === undefined) return new Map();
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`${folder} cannot be read: ${error.code}.`);
  });
  const files = await Promise.all(names.map((name) => readFile(join(folder, name)).catch(() => new Uint8Array())));
  return new Map(files.flatMap(detailsIn));
}
