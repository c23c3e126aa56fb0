/**
 * What each check of a meter's life costs: `npm run bench:checks [-- --json]`. Each is taken out of a copy of the
 * contracts, and the gas of the same transactions is compared with and without it.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { createCopy, type Edit, mutationOf } from "../scripts/copy.ts";

/** The check, and the contracts without it. */
const CHECKS: [string, Edit][] = (
  [
    [
      "only an active key's heads settle",
      "if (standing.terms.status != Status.Active)",
      "if (standing.terms.status == Status.None)",
    ],
    ["heads of earlier epochs settle between the settled logs", "standing.head.epoch < standing.latest.epoch", "false"],
    ["an item names the settled reading that it goes on from", " || basis.settledTimestamp() != timestamp", ""],
    ["an item names the capacity", "basis.capacity() == standing.terms.capacity ?", "true ?"],
    [
      "a raise holds for what is measured after it",
      "if (standing.terms.raised) _forgetRaise(keyId, head.reading.timestamp());",
      "",
    ],
    ["what a key produced is added up", "produced = standing.latest.produced + more;", "produced = 0;"],
    ["a settlement tells its meter", "meter: standing.terms.rotatedIn ? _meterOf[keyId] : keyId,", "meter: keyId,"],
    ["a key is used once", "require(_terms[keyId].status == Status.None, KeyAlreadyUsed(keyId));", ""],
    ["a proven reading is from within the key's interval", "_counts(keyId, placed.reading) && _contains", "_contains"],
  ] as const
).map(([name, from, to]) => [name, { file: "WattWitness.sol", from, to }]);

const COLUMNS = ["settle_1x8640", "settle_10x8640_per_meter", "register", "verify_reading"] as const;
type Gas = Record<(typeof COLUMNS)[number], number>;

const { values } = parseArgs({ options: { json: { type: "boolean" } } });
const copy = await createCopy();
try {
  const measure = async (): Promise<Gas> => {
    await copy.hardhat("build", "--no-tests", "--quiet");
    const { code, output } = await copy.run("bench/gas.ts", "--json");
    if (code !== 0) throw new Error("the contracts could not be measured");
    return JSON.parse(output.split("\n").find((line) => line.startsWith("{")) as string);
  };
  const all = await measure();
  const costs: [string, Gas][] = [];
  for (const [name, edit] of CHECKS) {
    console.error(`${costs.length + 1}/${CHECKS.length} without: ${name}`);
    const without = await copy.mutated(await mutationOf(edit), measure);
    costs.push([name, Object.fromEntries(COLUMNS.map((key) => [key, all[key] - without[key]])) as Gas]);
  }
  const head = ["", "1 meter", "in a batch of 10", "register", "verifyReading"];
  const table = new Table({ style: { head: [], border: [] }, head });
  for (const [name, gas] of costs) table.push([name, ...COLUMNS.map((key) => gas[key])]);
  table.push(["with all of them", ...COLUMNS.map((key) => all[key].toLocaleString("en"))]);
  console.log(table.toString());
  if (values.json) console.log(JSON.stringify({ all, costs: Object.fromEntries(costs) }));
} finally {
  await copy.remove();
}
