import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPublicClient, defineChain, type Hex, http, padHex } from "viem";
import { keyIdOf, publicKeyOf, toHex } from "../../protocol/index.ts";
import { FORGERIES } from "../attacks/forgeries.ts";
import { howToAsk } from "../indexer/index.ts";
import { HELP } from "../options.ts";
import type { MeterTally, Tally } from "../tally.ts";
import { cut, sizeOf, tableOf, widthOf, wrap } from "../terminal/text.ts";
import { howToTry, type TrialWorld, trialOf } from "../terminal/trial.ts";
import { type ViewState, viewOf } from "../terminal/view.ts";

const SIZES = [
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
];

type World = Parameters<typeof viewOf>[0];
type Numbers = { name: string; power: bigint; energy: bigint; size: number; of: MeterTally };

const none: MeterTally = { settlements: 0, size: 0, produced: 0n, gas: 0n, readings: 0 };
const MORNING: Numbers = { name: "Lisbon", power: 0n, energy: 0n, size: 2, of: none };
const USUAL: Numbers = {
  ...{ name: "Munich", power: 4_120_000_000n / 1000n, energy: 17_334_123n, size: 1794 },
  of: { settlements: 7, size: 1593, produced: 15_430_000n, gas: 66_825n, readings: 210 },
};
/** Of a park that has run for years. */
const LONG: Numbers = {
  ...{ name: "a roof with a very long name indeed", power: -9_999_999_999_999n, energy: 9_007_199_254_740_991n },
  size: 99_999_999,
  of: { settlements: 9999, size: 99_999_999, produced: 9_007_199_254_740_991n, gas: 16_777_216n, readings: 3 },
};

function worldOf(numbers: Numbers[], isOver = false): { world: World; tally: Tally } {
  const keys = numbers.map((_, i) => publicKeyOf(new Uint8Array(32).fill(i + 1)));
  const roofs = numbers.map(({ name, power, energy, size }, i) => ({
    ...{ name, power },
    device: { keyId: keyIdOf(keys[i] as Uint8Array), energy, size },
  }));
  const meters = new Map<Hex, MeterTally>(numbers.map(({ of }, i) => [toHex(keyIdOf(keys[i] as Uint8Array)), of]));
  const sum = numbers.reduce((total, { of }) => total + of.settlements, 0);
  return {
    world: { roofs: roofs as never, now: () => 1_773_990_000, isOver: () => isOver },
    tally: { block: 1n, meters, settlements: sum, attestations: sum, refusals: sum, gas: 0n },
  };
}

function assertFits(text: string, columns: number, what = text): void {
  for (const line of text.split("\n")) assert.ok(widthOf(line) <= columns, `${widthOf(line)} > ${columns}: ${what}`);
}

describe("on a terminal", () => {
  describe("the live view is never wider or higher than it, so that nothing wraps", () => {
    for (const size of SIZES) {
      for (const [what, numbers] of Object.entries({
        "in the morning": [MORNING, MORNING, MORNING],
        "on a usual day": [MORNING, USUAL, USUAL],
        "with the longest numbers": [LONG, LONG, LONG],
      })) {
        it(`of ${size.columns}x${size.rows}, ${what}`, () => {
          const { world, tally } = worldOf(numbers, true);
          for (const state of [false, true].flatMap((choosing) =>
            [false, true].map((lying): ViewState => ({ tally, choosing, lying })),
          )) {
            const frame = viewOf(world, state, size);
            assertFits(frame, size.columns);
            assert.ok(frame.split("\n").length < size.rows, frame);
          }
        });
      }
    }

    it("and however small it is, though not all is shown", () => {
      const { world, tally } = worldOf([LONG, USUAL, MORNING]);
      for (const size of [
        { columns: 20, rows: 3 },
        { columns: 34, rows: 10 },
      ]) {
        const frame = viewOf(world, { tally, choosing: false, lying: true }, size);
        assertFits(frame, size.columns);
        assert.ok(frame.split("\n").length < size.rows);
      }
    });
  });

  it("60 columns have room for every meter, what it produced and what it minted, and for all keys", () => {
    const { world, tally } = worldOf([USUAL, USUAL, USUAL]);
    const frame = viewOf(world, { tally, choosing: false, lying: false }, { columns: 60, rows: 20 });
    for (const part of [
      "Munich",
      "4.12",
      "17.334",
      "15.430",
      "1794",
      "1593",
      "f forge",
      "p prove",
      "i how",
      "Ctrl-C",
    ]) {
      assert.ok(frame.includes(part), `${part} is not in\n${frame}`);
    }
    assert.ok(!frame.includes("…"), frame);
  });

  it("60x20 has room for every forgery, whole", () => {
    const { world, tally } = worldOf([USUAL, USUAL, USUAL]);
    const frame = viewOf(world, { tally, choosing: true, lying: false }, { columns: 60, rows: 20 });
    for (const { title } of FORGERIES) assert.ok(frame.includes(title), `${title} is not in\n${frame}`);
  });

  it("a column goes where there is no room for it, the least important first", () => {
    const columns = [
      { head: "meter", cells: ["Lisbon"] },
      { head: "gas", cells: ["66825"], goes: 1 },
      { head: "minted", cells: ["1.000"] },
      { head: "readings", cells: ["1593"], goes: 2 },
    ];
    assert.equal(tableOf(columns, 31), "meter     gas  minted  readings\nLisbon  66825   1.000      1593");
    assert.equal(tableOf(columns, 30), "meter   minted  readings\nLisbon   1.000      1593");
    assert.equal(tableOf(columns, 23), "meter   minted\nLisbon   1.000");
    assert.equal(tableOf(columns, 10), "meter   m…\nLisbon   …");
  });

  it("text is broken at spaces only, goes on below where it began, and loses nothing", () => {
    assert.equal(wrap("one two three", 7), "one two\nthree");
    assert.equal(wrap("  --port N  port of the oracle", 24), "  --port N  port of the\n            oracle");
    assert.equal(wrap(" 0.1 s  starting the oracle", 18), " 0.1 s  starting\n        the oracle");
    assert.equal(wrap("short\n\nand exact", 9), "short\n\nand exact");
    assert.equal(wrap(`  key  0x${"ab".repeat(8)} of it`, 10), `  key\n0x${"ab".repeat(8)}\n  of it`);
    for (const columns of [20, 33, 60, 80]) {
      const wrapped = wrap(HELP, columns);
      assertFits(wrapped, columns);
      assert.equal(wrapped.replace(/\s/g, ""), HELP.replace(/\s/g, ""));
    }
  });

  it("what does not fit is cut, and shows that", () =>
    assert.deepEqual([cut("abcdef", 6), cut("abcdef", 5)], ["abcdef", "abcd…"]));

  it("what a terminal does not tell is as it usually is", () => {
    assert.deepEqual(sizeOf({}), { columns: 80, rows: 24 });
    assert.deepEqual(sizeOf({ columns: 0, rows: 0 }), { columns: 80, rows: 24 });
  });

  it("there is colour, and none with NO_COLOR", () => {
    const script = `const { styled } = await import(${JSON.stringify(new URL("../terminal/text.ts", import.meta.url).href)});
      const { WriteStream } = await import("node:tty");
      process.stdout.isTTY = true;
      process.stdout.getColorDepth = WriteStream.prototype.getColorDepth;
      console.log(JSON.stringify(styled("red", "x")));`;
    const shown = (more: Record<string, string>) =>
      JSON.parse(
        spawnSync(process.execPath, ["--input-type=module", "-e", script], {
          // nothing of the environment: NO_COLOR, FORCE_COLOR, CI, TMUX and others have a say in it
          env: { TERM: "xterm-256color", ...more },
          encoding: "utf8",
        }).stdout,
      );
    assert.equal(shown({}), "\u001b[31mx\u001b[39m");
    assert.equal(shown({ NO_COLOR: "1" }), "x");
  });

  it("60 columns have room for how to ask the subgraph, each line to be copied whole", () =>
    assertFits(howToAsk({ url: "http://127.0.0.1:8010/subgraphs/name/wattwitness" } as never), 60));

  describe("how to try the chain", () => {
    const address = (digits: string): Hex => padHex(`0x${digits}`, { size: 20, dir: "right" });
    const url = "http://127.0.0.1:65535";
    const chain = defineChain({
      ...{ id: 31337, name: "local", rpcUrls: { default: { http: [url] } } },
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    });
    const world = {
      chain: {
        url,
        publicClient: createPublicClient({ chain, transport: http(url) }),
        wallet: () => ({ account: { address: address("05") } }),
        key: () => padHex("0x55", { size: 32, dir: "right" }),
      },
      oracle: { url: "http://127.0.0.1:65534" },
      deployment: { registry: address("a1"), wattWitness: address("a2"), token: address("a3"), lens: address("a4") },
      ...{ attestor: address("a5"), chainlink: { router: address("a6") } },
    } as unknown as TrialWorld;

    it("fits on 60 columns but for the private key, and names everything", () => {
      const text = howToTry(world);
      const { account, contracts, ...rest } = trialOf(world);
      assertFits(text.replace(account.private_key, ""), 60);
      for (const value of [...Object.values(rest), ...Object.values(contracts), ...Object.values(account)]) {
        assert.ok(text.includes(String(value)), `${value} is not in\n${text}`);
      }
    });
  });
});
