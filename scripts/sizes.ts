/** Prints how large the deployed contracts are, and exits 1 where one is too large for a chain: `npm run sizes`. */
import { readFile } from "node:fs/promises";
import Table from "cli-table3";

/** Bytes that a contract may have here: a tenth less than a chain allows (EIP-170), so that a mend always fits. */
const LIMIT = 22_000;
const CONTRACTS = [
  "Authority",
  "MeterRegistry",
  "MeterDescriptor",
  "WattWitness",
  "ProductionToken",
  "FunctionsAttestor",
  "Lens",
  "certificates/HourlyCertificates",
  "parks/ParkFactory",
  "parks/ParkDescriptor",
  "parks/SolarPark",
  "parks/RestrictedPark",
  "parks/ParkGovernor",
];

async function sizeOf(path: string): Promise<number> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const file = new URL(`../artifacts/contracts/${path}.sol/${name}.json`, import.meta.url);
  const { deployedBytecode } = JSON.parse(await readFile(file, "utf8"));
  return (deployedBytecode.length - 2) / 2;
}

const table = new Table({ style: { head: [], border: [] }, head: ["", "bytes", `of ${LIMIT.toLocaleString("en")}`] });
const sizes = await Promise.all(CONTRACTS.map(sizeOf));
for (const [i, size] of sizes.entries()) {
  table.push([CONTRACTS[i], size.toLocaleString("en"), `${((100 * size) / LIMIT).toFixed(1)} %`]);
}
console.log(table.toString());
process.exit(sizes.every((size) => size <= LIMIT) ? 0 : 1);
