/** `wattwitness report`: the page of an audit, now made or kept in a file. */
import { readFile, writeFile } from "node:fs/promises";
import { auditFrom, htmlOf, markdownOf, reportOf, type TellableAudit } from "../../../auditor/index.ts";
import { Problem } from "../../problem.ts";
import { written } from "../../terminal/telling.ts";
import { type AuditingOptions, auditing } from "./auditing.ts";
import type { Judged } from "./options.ts";

type ReportingOptions = AuditingOptions & { audit?: string; format: "md" | "html"; out?: string };

export async function reporting(options: ReportingOptions): Promise<Judged> {
  const { audit: file, format, out } = options;
  const audit = file === undefined ? await auditNow(options) : await saved(file);
  const page = reportOf(audit);
  const text = format === "html" ? htmlOf(page) : markdownOf(page);
  const { verdict } = audit;
  if (out === undefined) return { verdict, text: text.trimEnd(), data: { format, page: text } };
  await writeFile(out, text);
  return { verdict, text: `${out}: ${verdict}`, data: { format, file: out } };
}

/** By way of JSON, so that a saved audit gives the same page. */
async function auditNow(options: AuditingOptions): Promise<TellableAudit> {
  const { verdict, data } = await auditing(options);
  return JSON.parse(written({ verdict, ...data })) as TellableAudit;
}

async function saved(file: string): Promise<TellableAudit> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`${file} cannot be read: ${error.code}.`);
  });
  const audit = auditFrom(jsonOf(text));
  if (typeof audit === "string") throw new Problem(`${file}: ${audit}.`);
  return audit;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
