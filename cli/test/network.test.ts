import assert from "node:assert/strict";
import { isAddress } from "viem";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { publicChains } from "../chain/chains.ts";
import { donId } from "../commands/deploy/options.ts";
import { wattwitness } from "./support.ts";

const START = Date.UTC(2026, 2, 20, 8) / 1000;

/** Gas of a verification, EIP-7951. */
const GAS = 6900;

describe("wattwitness network", function () {
  this.timeout(30_000);
  let chain: LocalChain;
  before(async () => {
    chain = await startChain(0, START);
  });
  after(() => chain.stop());

  const ask = async (...args: string[]) => wattwitness(["network", "ask", "--json", ...args]);

  it("says that nothing was named, that a name is unknown, and that a node is another chain's", async () => {
    const nothing = await ask();
    assert.deepEqual([nothing.code, JSON.parse(nothing.out).error], [2, "Which chain? A name, or --rpc-url URL."]);
    const unknown = await ask("bitcoin");
    assert.equal(unknown.code, 1);
    assert.match(JSON.parse(unknown.out).error, /^No public chain is known as bitcoin: /);
    const other = await ask("base", "--rpc-url", chain.url);
    assert.equal(other.code, 1);
    assert.equal(JSON.parse(other.out).error, "The node is of chain 31337, not of 8453.");
  });

  it("measures what a verification at 0x100 takes", async () => {
    const { code, out } = await ask("--rpc-url", chain.url);
    assert.equal(code, 0);
    const { gas_price_wei, ...told } = JSON.parse(out);
    assert.match(gas_price_wei, /^\d+$/);
    assert.deepEqual(told, { chain_id: 31337, p256: "working", p256_gas: GAS, has_create2_factory: false });
  });

  it("says that there is nothing at 0x100, and measures no gas of it", async () => {
    const { default: hre } = await import("hardhat");
    const server = await hre.network.createServer("prague", "127.0.0.1", 0);
    const { port } = await server.listen();
    const { out } = await ask("--rpc-url", `http://127.0.0.1:${port}`).finally(() => server.close());
    const { p256, p256_gas } = JSON.parse(out);
    assert.deepEqual([p256, p256_gas], ["absent", null]);
  });

  it("lists public chains and deployments, each once", async () => {
    const { code, out } = await wattwitness(["network", "list", "--json"]);
    assert.equal(code, 0);
    const names = JSON.parse(out).networks.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const name of ["base-sepolia", "localhost"]) assert.ok(names.includes(name), name);
  });

  it("knows chains by ids of their own, and of Chainlink what deploying takes", async () => {
    const chains = Object.values(await publicChains());
    assert.equal(new Set(chains.map(({ chain_id }) => chain_id)).size, chains.length);
    for (const { title, functions, p256 } of chains) {
      // a mistyped digit breaks EIP-55
      for (const address of functions ? [functions.router, functions.link] : []) {
        assert.ok(isAddress(address) && /[A-F]/.test(address), `${title}: ${address}`);
      }
      if (functions) assert.ok(donId(functions.don_id), title);
      assert.equal(p256.asked === null, p256.answer === null, title);
    }
  });
});
