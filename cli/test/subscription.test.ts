import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAddress, type Hex, parseEther } from "viem";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { ACCOUNTS, deployEverything, deployerOf, type Everything } from "../../demo/deployment.ts";
import { addConsumer, createSubscription, fundSubscription } from "../../functions-source/local-don/index.ts";
import { networkOf, writeNetwork } from "../../subgraph/networks.ts";
import { wattwitness } from "./support.ts";

const STRANGER = ACCOUNTS.firstOwner;

describe("a subscription of Chainlink Functions", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let everything: Everything;

  before(async () => {
    chain = await startChain(0, Math.floor(Date.now() / 1000));
    everything = await deployEverything(chain);
  });
  after(() => chain?.stop());

  const addressOf = (account: number) => getAddress(chain.wallet(account).account.address);
  const environment = (more: Record<string, string> = {}): Record<string, string> => ({
    ...{ WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_FUNCTIONS_ROUTER: everything.chainlink.router, ...more },
  });
  const withAttestor = () => environment({ WATTWITNESS_ATTESTOR: everything.attestor });
  const by = (account: number, args: readonly string[], given = withAttestor()) =>
    wattwitness(["subscription", ...args], { ...given, WATTWITNESS_KEY: chain.key(account) });
  const refused = async (ended: ReturnType<typeof wattwitness>, why: RegExp, ends = 1) => {
    const { code, out, err } = await ended;
    assert.equal(code, ends, out);
    assert.equal(out, "");
    assert.match(err, why);
  };
  /** Of the operator, without LINK and consumers. */
  const opened = async (): Promise<string> =>
    String(await createSubscription(deployerOf(chain, ACCOUNTS.operator), everything.chainlink));
  const statusOf = async (id: string, given = withAttestor()) =>
    JSON.parse((await wattwitness(["subscription", "status", id, "--json"], given)).out);
  const fund = (
    account: number,
    id: string,
    amount: string,
    token: Hex = everything.chainlink.link,
    ...more: string[]
  ) => by(account, ["fund", id, amount, "--link", token, "--yes", ...more]);

  it("is not looked for without a router, or at what is none", async () => {
    const { WATTWITNESS_FUNCTIONS_ROUTER: _, ...without } = withAttestor();
    await refused(by(STRANGER, ["status", "1"], without), /Which router\? --router 0x/);
    await refused(by(STRANGER, ["status", "1", "--router", addressOf(STRANGER)]), /has no code on chain 31337/);
    const token = everything.deployment.token;
    await refused(by(STRANGER, ["status", "1", "--router", token]), /does not answer as a router of Chainlink/);
    assert.equal((await by(STRANGER, ["status", "first"])).code, 2);
  });

  it("is none where the router keeps none of that number", async () => {
    const why = /keeps no subscription 999/;
    await refused(by(STRANGER, ["status", "999"]), why);
    await refused(fund(ACCOUNTS.chainlink, "999", "1"), why);
    await refused(by(STRANGER, ["consumer", "add", "999", "--yes"]), why);
  });

  it("is opened for who sends, and its answer says how to go on", async () => {
    const dry = await by(STRANGER, ["create", "--dry-run"]);
    assert.equal(dry.code, 0, dry.err);
    assert.match(dry.out, /Nothing was sent/);
    await refused(by(STRANGER, ["create"]), /There is no terminal to ask on/);
    const { code, out, err } = await by(STRANGER, ["create", "--yes"]);
    assert.equal(code, 0, err);
    const id = /^The subscription (\d+) is 0x/.exec(out)?.[1] ?? assert.fail(out);
    assert.match(out, new RegExp(`subscription fund ${id} 5 --link`));
    assert.match(out, new RegExp(`subscription consumer add ${id} ${everything.attestor}`, "i"));
    assert.match(out, new RegExp(`WATTWITNESS_SUBSCRIPTION_ID=${id}`));
    const { owner, consumers, balance_juels } = await statusOf(id);
    assert.deepEqual([owner, consumers, balance_juels], [addressOf(STRANGER), [], "0"]);
  });

  it("is paid for by anybody who has LINK, to the last digit, and by nobody else", async () => {
    const id = await opened();
    await refused(fund(STRANGER, id, "1"), /has 0 LINK: not 1\./);
    await refused(fund(ACCOUNTS.chainlink, id, "0"), /Nothing would be paid in/);
    await refused(fund(ACCOUNTS.chainlink, id, "1", addressOf(STRANGER)), /--link 0x\w+ is no token on chain 31337/);
    assert.equal((await fund(ACCOUNTS.chainlink, id, "1,5")).code, 2);
    await refused(by(STRANGER, ["fund", id, "1"]), /Which token is LINK there\? --link 0x…/, 2);
    const { code, err, out } = await fund(ACCOUNTS.chainlink, id, "5.000000000000000001", undefined, "--json");
    assert.equal(code, 0, err);
    assert.equal(JSON.parse(out).balance_juels, "5000000000000000001");
    assert.equal((await statusOf(id)).balance_juels, "5000000000000000001");
  });

  it("is not paid in another token than the router's", async () => {
    // a second LINK, as a test network may have
    const id = await opened();
    const { link } = (await deployEverything(chain)).chainlink;
    await refused(fund(ACCOUNTS.chainlink, id, "1", link), /OnlyCallableFromLink: the router's LINK is another token/);
  });

  it("is spent by an attestor that its owner adds, once, and by nothing else", async () => {
    const id = await opened();
    const add = (account: number, ...args: string[]) => by(account, ["consumer", "add", id, ...args, "--yes"]);
    await refused(add(STRANGER), /is 0x\w+'s: 0x\w+ would send it/);
    await refused(add(ACCOUNTS.operator, everything.deployment.token), /There is no FunctionsAttestor at 0x/);
    await refused(
      by(ACCOUNTS.operator, ["consumer", "add", id, "--yes"], environment()),
      /Which attestor\? Its address, or --network/,
    );
    assert.equal((await statusOf(id)).is_consumer, false);
    const { code, err, out } = await add(ACCOUNTS.operator);
    assert.equal(code, 0, err);
    assert.match(out, /spends the subscription/);
    const { is_consumer, consumers } = await statusOf(id);
    assert.deepEqual([is_consumer, consumers], [true, [getAddress(everything.attestor)]]);
    await refused(add(ACCOUNTS.operator), /as consumer already/);
  });

  it("lasts for as many requests as the DON's coordinator estimates", async () => {
    const id = await opened();
    const caller = deployerOf(chain, ACCOUNTS.operator);
    await addConsumer(caller, everything.chainlink, BigInt(id), everything.attestor);
    assert.equal((await statusOf(id)).requests, "0");
    await fundSubscription(deployerOf(chain, ACCOUNTS.chainlink), everything.chainlink, BigInt(id), parseEther("10"));
    const { request_juels, requests, balance_juels } = await statusOf(id);
    assert.ok(BigInt(request_juels) > 0n);
    assert.equal(BigInt(requests), BigInt(balance_juels) / BigInt(request_juels));
    const { out } = await by(STRANGER, ["status", id]);
    assert.match(out, /^has +10 LINK$/m);
    assert.match(out, /^lasts +for [1-9]\d* requests, of up to 0\.\d+ LINK/m);
    const { out: unknown } = await by(STRANGER, ["status", id], environment());
    assert.match(unknown, /^lasts +not known: --attestor says which DON is asked$/m);
  });

  it("is of the attestor that the table of networks has", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wattwitness-cli-"));
    try {
      const table = join(folder, "networks.json");
      await writeFile(table, "{}");
      writeNetwork(table, "here", networkOf(everything.deployment, everything.attestor));
      const id = String(everything.subscriptionId);
      const { code, out, err } = await by(
        STRANGER,
        ["status", id, "--network", "here", "--networks-file", table],
        environment() as never,
      );
      assert.equal(code, 0, err);
      assert.match(out, /^attestor +0x\w+ spends it$/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
