export {
  type Audit,
  type AuditedSettlement,
  type AuditOptions,
  type AuditProgress,
  audit,
  type Figures,
  type Scope,
} from "./audit.ts";
export { csvOf, type Details, detailsIn, energyTagOf, type Naming, ndjsonOf } from "./bundles.ts";
export { type Certificate, type Certified, createCertifying, type Uncertified } from "./certificates.ts";
export { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
export { type Place, placeOf } from "./evidence/places.ts";
export { createPool, type Pool } from "./evidence/pool.ts";
export { CODES, type Finding, type Verdict, verdictOf, type Where } from "./finding.ts";
export { type Mirrored, type Mirroring, mirror } from "./mirror.ts";
export { type Told, verifyBatchFile, verifyRetirement } from "./objects.ts";
export { htmlOf } from "./report/html.ts";
export { markdownOf } from "./report/markdown.ts";
export { auditFrom, reportOf, type TellableAudit } from "./report/report.ts";
export { type Notice, type Watched, type Watching, watch } from "./watch/watch.ts";
