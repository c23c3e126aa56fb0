/**
 * What a MWh costs: `npm run costs` writes docs/costs.md from the gas that was measured (bench/gas.json) and the prices
 * below; `npm run costs -- --gas-price 0.05 --coin 2500` prints its tables for prices of yours.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { BATCH_LIMIT, READING_LENGTH } from "../protocol/index.ts";
import { writeGenerated } from "./generated.ts";

const FILE = new URL("../docs/costs.md", import.meta.url);
const GAS_FILE = new URL("../bench/gas.json", import.meta.url);

/** MWh that a roof makes a year: 5 kW at 950 full hours. */
const ROOF = 4.75;
/** $, Chainlink's fee for a request, as it was listed for rollups. */
const PREMIUM = 0.03;
/** readings that a batch for the DON has at most; what else is in it is little */
const BATCH = Math.floor(BATCH_LIMIT / READING_LENGTH);
const DAY = 86_400;

type Prices = { title: string; gwei: number; coin: number };
const PRICES: Prices[] = [
  // with its share of what the rollup pays for data
  { title: "a rollup", gwei: 0.02, coin: 3000 },
  { title: "Ethereum in a quiet hour", gwei: 1, coin: 3000 },
];

type Case = { meters: 1 | 5000; every: "day" | "week"; interval: 10 | 60; hasDon: boolean };
const CASES: Case[] = ([1, 5000] as const).flatMap((meters) =>
  (["day", "week"] as const).flatMap((every) =>
    [false, true].flatMap((hasDon) => ([10, 60] as const).map((interval) => ({ meters, every, interval, hasDon }))),
  ),
);

const gas: Record<string, number> = JSON.parse(await readFile(GAS_FILE, "utf8"));

/** Gas of settling one meter once. A log of sixth the readings settles for some per cent less, which is left out. */
function ofSettling({ meters, every, hasDon }: Case): number {
  const size = every === "day" ? 8640 : 60_480;
  const batch = meters === 1 ? `1x${size}` : `40x${size}_per_meter`;
  return gas[`${hasDon ? "settle" : "unattested"}_${batch}`] as number;
}

/** Attestations that all meters take each time. */
function attestations({ meters, every, interval, hasDon }: Case): number {
  if (!hasDon) return 0;
  const readings = ((every === "day" ? 1 : 7) * DAY) / interval;
  return Math.ceil(meters / Math.floor(BATCH / readings));
}

/** $ a MWh. */
function cost(of: Case, { gwei, coin }: Prices): number {
  const dollars = (amount: number) => amount * gwei * 1e-9 * coin;
  const attested = attestations(of) * (dollars((gas["request"] as number) + (gas["fulfil"] as number)) + PREMIUM);
  const settled = of.meters * dollars(ofSettling(of));
  const times = of.every === "day" ? 365 : 52;
  return ((settled + attested) * times) / (of.meters * ROOF);
}

const money = (dollars: number): string =>
  dollars.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function table(prices: Prices[]): string {
  const rows = CASES.map((of) => [
    ...[of.meters.toLocaleString("en"), of.every, `${of.interval} s`, of.hasDon ? "a DON" : "signatures alone"],
    ...prices.map((each) => money(cost(of, each))),
  ]);
  const head = [
    "meters",
    "settled each",
    "reading each",
    "attested by",
    ...prices.map(({ title }) => `$ a MWh, ${title}`),
  ];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const one: Case = { meters: 1, every: "day", interval: 10, hasDon: false };
const [rollup, ethereum] = PRICES as [Prices, Prices];
const dearer = CASES.filter(({ hasDon }) => hasDon).map(
  (of) => cost(of, rollup) / cost({ ...of, hasDon: false }, rollup),
);
const [least, most] = [Math.min(...dearer).toFixed(1), Math.max(...dearer).toFixed(0)];
const count = (name: string): string => (gas[name] as number).toLocaleString("en");
const priced = (name: string): string => {
  const [cheap, dear] = PRICES.map(({ gwei, coin }) => money((gas[name] as number) * gwei * 1e-9 * coin));
  return `$ ${cheap} on a rollup, $ ${dear} on Ethereum`;
};
const page = `# What a MWh costs

Settling takes gas, and little else is paid for: the chain does not know how many readings a head covers. This page is made by
\`npm run costs\` from what \`npm run bench:gas\` measured. **The prices are assumptions**, and yours will be others:
\`npm run costs -- --gas-price GWEI --coin DOLLARS\` prints the same table for them.

| assumed | |
|---|---|
${PRICES.map(({ title, gwei, coin }) => `| gas on ${title} | ${gwei} gwei, all in; the coin at $ ${coin.toLocaleString("en")} |`).join("\n")}
| a roof | ${ROOF} MWh a year: 5 kW at 950 full hours |
| Chainlink's fee for a request | $ ${PREMIUM.toFixed(2)}, as it was listed for rollups |
| a certificate | a European guarantee of origin is traded around 1 EUR a MWh |

${table(PRICES)}

- **Where**: on a rollup a roof that settles daily pays $ ${money(cost(one, rollup))} a MWh, on Ethereum itself $ ${money(cost(one, ethereum))}: the electricity's proof
  must not cost more than it is worth, so small roofs belong on a rollup.
- **How often**: a week costs nearly what a day does, so settling weekly costs a seventh. The oracle settles daily unless
  it is told otherwise (\`--settle-every\`); on Ethereum tell it.
- **How many**: the transaction and what it begins are shared: of forty meters together each pays two thirds of what one alone does.
- **How often a reading**: settling costs the same, and attesting six times as much every 10 s as every 60 s, which is what a device
  does unless it is told otherwise.
- **A DON** makes it ${least} to ${most} times as dear on a rollup: the least where batches are shared by many meters, the most where each
  meter pays for a request of its own. What it adds is in [trust.md](trust.md).
- **Without the precompile at \`0x100\`** settling takes ${(((gas["without_precompile"] as unknown as Record<string, number>)["unattested_1x8640"] as number) / (gas["unattested_1x8640"] as number)).toFixed(1)} times the gas: \`wattwitness network ask\` tells whether a chain has it.

A meter is registered once, for ${count("register")} gas: ${priced("register")}. A deployment takes ${count("deploy")} gas: ${priced("deploy")}.
`;

const { values } = parseArgs({
  options: { check: { type: "boolean" }, "gas-price": { type: "string" }, coin: { type: "string" } },
});
const { "gas-price": gwei, coin } = values;
if (gwei === undefined && coin === undefined) {
  await writeGenerated(FILE, page, "npm run costs");
} else if (Number(gwei) > 0 && Number(coin) > 0) {
  console.log(table([{ title: `at ${gwei} gwei and $ ${coin}`, gwei: Number(gwei), coin: Number(coin) }]));
} else {
  console.error("--gas-price GWEI and --coin DOLLARS go together, both numbers above 0.");
  process.exitCode = 2;
}
