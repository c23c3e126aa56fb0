/**
 * Certificates in the words of EnergyTag's granular certificate bundles, and their three forms. Tokens are fungible: which of them
 * was retired for which hour nobody can say, so that no hour has a beneficiary, and none is called active once any was retired.
 */
import { createHash } from "node:crypto";
import { type Hex, keccak256 } from "viem";
import type { Certificate, Certified, Uncertified } from "./certificates.ts";

/** Of the installation's document, where it is given and its hash is the one on chain. */
export type Details = Partial<
  Record<
    "name" | "technology" | "energy_source" | "location" | "commercial_operation_date" | "country" | "issuing_body",
    string
  >
>;

const DETAILS = [
  ...["name", "technology", "energy_source", "location", "commercial_operation_date", "country", "issuing_body"],
] as (keyof Details)[];

export type Naming = {
  /** by their hashes */
  details: ReadonlyMap<Hex, Details>;
  country?: string | undefined;
  issuingBody?: string | undefined;
  /** whether tokens of this deployment were retired */
  isAnyRetired: boolean;
};

/** A document as an installation is described by: JSON. By both hashes that the chain may have of it. */
export function detailsIn(bytes: Uint8Array): [Hex, Details][] {
  const details = jsonOf(new TextDecoder().decode(bytes));
  if (typeof details !== "object" || details === null) return [];
  const known = DETAILS.flatMap((name) => {
    const value = (details as Record<string, unknown>)[name];
    return typeof value === "string" || typeof value === "number" ? [[name, String(value)]] : [];
  });
  const said = Object.fromEntries(known) as Details;
  return [
    [`0x${createHash("sha256").update(bytes).digest("hex")}`, said],
    [keccak256(bytes), said],
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function bundleOf(certificate: Certificate, { details, country, issuingBody, isAnyRetired }: Naming) {
  const { meter, from, to, faceValue, capacity, issuedAt } = certificate;
  const said = details.get(certificate.details) ?? {};
  return {
    ...{ device_id: meter, device_name: said.name ?? "", device_technology_type: said.technology ?? "" },
    ...{ device_capacity: capacity, device_location: said.location ?? "" },
    commercial_operation_date: said.commercial_operation_date ?? "",
    ...{ energy_carrier: "electricity", energy_source: said.energy_source ?? "" },
    ...{ production_starting_interval: utc(from), production_ending_interval: utc(to), face_value: Number(faceValue) },
    ...{ country_of_issuance: country ?? said.country ?? "", issuing_body: issuingBody ?? said.issuing_body ?? "" },
    issuance_time: utc(issuedAt),
    ...{ certificate_bundle_status: isAnyRetired ? "" : "Active", beneficiary: "" },
  };
}

export const evidenceOf = ({ energy, keyId, epoch, startIndex, endIndex, ...settled }: Certificate) => ({
  ...{ produced_mwh: String(energy), key_id: keyId, epoch, start_index: startIndex, end_index: endIndex },
  ...{ root: settled.root, attestation: settled.attestation, transaction: settled.transaction, block: settled.block },
});

const uncertifiedOf = ({ meter, from, to, why }: Uncertified) => ({
  ...{ device_id: meter, from: utc(from), to: utc(to), hours: (to - from) / 3600, why },
});

const utc = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;

/** All of it as one object. */
export const energyTagOf = ({ certificates, uncertified }: Certified, naming: Naming) => ({
  granular_certificate_bundles: certificates.map((each) => ({ ...bundleOf(each, naming), evidence: evidenceOf(each) })),
  not_certifiable: uncertified.map(uncertifiedOf),
});

/** A line each; those that are not certifiable come last. */
export function ndjsonOf(certified: Certified, naming: Naming): string {
  const { granular_certificate_bundles: bundles, not_certifiable } = energyTagOf(certified, naming);
  const lines = [...bundles, ...not_certifiable.map((each) => ({ not_certifiable: each }))];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** RFC 4180; hours that are not certifiable have no row. */
export function csvOf({ certificates }: Certified, naming: Naming): string {
  const rows = certificates.map((each) => ({ ...bundleOf(each, naming), ...evidenceOf(each) }));
  if (rows.length === 0) return "";
  const lines = [Object.keys(rows[0] as object), ...rows.map((row) => Object.values(row).map(cell))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

/** No text of a document's is a formula to a spreadsheet. */
function cell(value: string | number): string {
  const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
