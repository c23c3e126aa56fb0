import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { encodeErrorResult, formatUnits, type Hex, parseAbi, parseUnits, zeroAddress } from "viem";
import { meterRegistryAbi, productionTokenAbi } from "../../contracts/abi.ts";
import { ACCOUNTS } from "../../demo/deployment.ts";
import type { Device } from "../../meter/device.ts";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { CHAIN_UNKNOWN, type Injected, injected, REFUSED } from "./injected.ts";
import {
  describeInBrowser,
  launch,
  type Served,
  seriousIn,
  serveSystem,
  type Visit,
  type VisitOptions,
  visit,
} from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const OWNER = ACCOUNTS.firstOwner;
const STRANGER = ACCOUNTS.firstOwner + 3;
const PHONE = { width: 390, height: 844 };
const CAPACITY_CHANGE = 2;

describeInBrowser("a wallet in a browser", () => {
  let system: System;
  let served: Served;
  let browser: Browser;
  let wallet: Injected;
  let current: Visit | undefined;
  let seed = 0;
  /** whose production is the owner's tokens */
  let settled: string;

  before(async () => {
    browser = await launch();
    system = await createSystem(START);
    const { device, advance } = await meterOf();
    advance(START + HOUR);
    await system.upload(device);
    await system.settled(device);
    settled = toHex(device.keyId);
    served = await serveSystem(system);
  });
  after(async () => {
    await browser.close();
    await served?.close();
    await system?.close();
  });
  beforeEach(() => {
    wallet = injected(system.chain, OWNER);
  });
  afterEach(async () => {
    await current?.close();
    current = undefined;
  });

  /** Another meter of the owner's. */
  async function meterOf(): Promise<{ device: Device; advance: (to: number) => void }> {
    seed += 1;
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed });
    const now = Math.max(START + 600, await system.chain.time());
    await system.at(now);
    meter.advance(now);
    await system.register(meter.device, OWNER);
    return { device: meter.device, advance: (to) => meter.advance(to) };
  }
  const newMeter = async (): Promise<Hex> => toHex((await meterOf()).device.keyId);

  async function open(hash: string, { wallets = [wallet], ...options }: VisitOptions & { wallets?: Injected[] } = {}) {
    await current?.close();
    const prepare: VisitOptions["prepare"] = (page) => Promise.all(wallets.map((each) => each.install(page)));
    current = await visit(browser, `${served.url}${hash}`, { prepare, ...options });
    return current;
  }
  /** Looks, and asks for a wallet. */
  async function asked(hash: string, options: Parameters<typeof open>[1] = {}) {
    const visited = await open(hash, options);
    await visited.page.getByRole("button", { name: "Connect wallet" }).click();
    return visited;
  }
  async function connected(hash: string, options: Parameters<typeof open>[1] = {}) {
    const visited = await asked(hash, options);
    await visited.page.getByRole("button", { name: wallet.name }).click();
    await visited.page.waitForSelector(".account");
    return visited;
  }
  const phase = ({ page }: Visit, is: string) => page.waitForSelector(`[data-phase=${is}]`);
  const press = ({ page }: Visit, name: string | RegExp) => page.getByRole("button", { name }).click();
  const says = (visited: Visit, text: string | RegExp) => visited.page.getByText(text).first().waitFor();
  async function sent(visited: Visit): Promise<void> {
    await phase(visited, "ready");
    await press(visited, "Send in the wallet");
    await phase(visited, "done");
  }
  const meterNow = (meter: Hex) =>
    system.chain.publicClient.readContract({
      ...{ address: system.deployment.registry, abi: meterRegistryAbi, functionName: "meterOf", args: [meter] },
    });
  const onToken = { abi: productionTokenAbi } as const;
  const addressOf = (account: number) => system.chain.wallet(account).account.address;
  async function asRegistrar(
    functionName: "proposeCapacity" | "cancelProposal",
    args: readonly unknown[],
    { wait = true, ...fees }: { wait?: boolean; maxPriorityFeePerGas?: bigint } = {},
  ): Promise<void> {
    const registrar = system.chain.wallet(ACCOUNTS.registrar);
    const call = { address: system.deployment.registry, abi: meterRegistryAbi, functionName, args, ...fees };
    const transaction = registrar.writeContract({ ...call, chain: registrar.chain } as never);
    if (wait) await system.done(transaction);
    else await transaction;
  }
  /** Whether each transaction makes a block of its own. */
  const automine = (on: boolean) =>
    system.chain.publicClient.request({ method: "evm_setAutomine", params: [on] } as never);
  const proposal = (meter: Hex) =>
    system.chain.publicClient.readContract({
      ...{ address: system.deployment.registry, abi: meterRegistryAbi, functionName: "proposalOf" },
      args: [meter, CAPACITY_CHANGE],
    });

  describe("is not looked for before somebody asks", () => {
    const isWallet = (url: string) => /\/wallet-\w+\.js/.test(url);

    it("in any view, and is then", async () => {
      for (const hash of ["", `#/meters/${settled}`, "#/register", "#/proof", "#/wallet"]) {
        const visited = await open(hash);
        await visited.page.waitForSelector(".connection.live");
        await visited.page.waitForSelector("main > :not(.loading)");
        assert.deepEqual([visited.requests.filter(isWallet), wallet.asked], [[], []], hash);
        assert.deepEqual(visited.wrongs, [], hash);
      }
      const visited = await connected("#/wallet");
      assert.equal(visited.requests.filter(isWallet).length, 1);
      assert.deepEqual(visited.wrongs, []);
    });
  });

  describe("says what stands in the way, and what to do", () => {
    it("where there is none", async () => {
      await says(await asked("#/wallet", { wallets: [] }), /Install one as an extension/);
    });

    it("where it shares no account", async () => {
      wallet.instead["eth_requestAccounts"] = REFUSED;
      const visited = await asked("#/wallet");
      await press(visited, wallet.name);
      await says(visited, "The wallet did not share an account");
      assert.equal(await visited.page.locator(".account").count(), 0);
    });

    it("where it is on another chain, which it does not know or will not leave, until it does", async () => {
      wallet.instead["eth_chainId"] = { result: "0x1" };
      const visited = await connected("#/wallet");
      await says(visited, "The wallet is on chain 1. These meters are on chain 31337.");
      await visited.shoot("wallet-wrong-chain");
      wallet.instead["wallet_switchEthereumChain"] = CHAIN_UNKNOWN;
      await press(visited, "Switch to chain 31337");
      await says(visited, "The wallet does not know chain 31337");
      wallet.instead["wallet_switchEthereumChain"] = REFUSED;
      await press(visited, "Switch to chain 31337");
      await says(visited, "The wallet stayed where it was");
      wallet.instead = {};
      await press(visited, "Switch to chain 31337");
      await visited.page.waitForSelector(".three");
    });

    it("where a meter is another's: nothing can be done about it", async () => {
      wallet = injected(system.chain, STRANGER);
      const visited = await connected(`#/meters/${settled}`);
      await says(visited, "This meter belongs to another account");
      assert.equal(await visited.page.locator("main form").count(), 0);
    });
  });

  describe("refuses what is typed in wrong, and says why", () => {
    it("an address that was cut off, has a false letter, or is nobody's", async () => {
      const visited = await connected(`#/meters/${settled}`);
      const field = visited.page.getByLabel("New owner's address");
      const good = addressOf(STRANGER);
      const swapped = good.replace(/[a-f]/i, (letter) =>
        letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
      );
      for (const [typed, why] of [
        [good.slice(0, -1), /40 digits/],
        [swapped.replace("0X", "0x"), /checksum \(EIP-55\)/],
        [zeroAddress, /zero address/],
      ] as const) {
        await field.fill(typed);
        await press(visited, "Transfer…");
        await says(visited, why);
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        assert.equal(await visited.page.locator("dialog[open]").count(), 0);
      }
    });

    it("an amount of another locale, of nothing, or of more than there is", async () => {
      const visited = await connected("#/wallet");
      const balance = formatUnits(await system.balanceOf(OWNER), 18);
      for (const [typed, why] of [
        ["1,5", /as in 12\.5/],
        ["1e3", /as in 12\.5/],
        ["0.0", /More than 0/],
        [`9${balance}`, /The account has/],
      ] as const) {
        await visited.page.getByLabel("Amount, kWh").fill(typed);
        await press(visited, "Retire…");
        await says(visited, why);
        assert.equal(await visited.page.locator("dialog[open]").count(), 0, typed);
      }
    });
  });

  describe("sends a transaction", () => {
    it("not where its owner refuses, and again where he does not", async () => {
      const meter = await newMeter();
      const visited = await connected(`#/meters/${meter}`);
      await visited.page.getByRole("textbox", { name: "Payout address" }).fill(addressOf(STRANGER));
      wallet.instead["eth_sendTransaction"] = REFUSED;
      await press(visited, "Set…");
      await phase(visited, "ready");
      await press(visited, "Send in the wallet");
      await phase(visited, "refused");
      assert.equal((await meterNow(meter)).payout, addressOf(OWNER));
      wallet.instead = {};
      await press(visited, "Try again");
      await sent(visited);
      assert.equal((await meterNow(meter)).payout, addressOf(STRANGER));
    });

    it("not where it would revert: a reason is told in words", async () => {
      const visited = await connected(`#/meters/${settled}`);
      await visited.page.getByLabel("New owner's address").fill(system.deployment.token);
      await press(visited, "Transfer…");
      await phase(visited, "impossible");
      await says(visited, "That address is a contract which cannot hold a meter.");
      assert.ok(!wallet.asked.includes("eth_sendTransaction"));
      await visited.shoot("dialog-impossible");
    });

    it("not where it would revert: an unusual reason is told with all that it says", async () => {
      const visited = await connected(`#/meters/${settled}`);
      const data = encodeErrorResult({
        ...{ abi: meterRegistryAbi, errorName: "CapacityInvalid", args: [settled as Hex, 5, 6] },
      });
      await visited.page.getByLabel("New owner's address").fill(addressOf(STRANGER));
      wallet.instead["eth_call"] = { error: { code: 3, message: "execution reverted", data } };
      await press(visited, "Transfer…");
      await phase(visited, "impossible");
      await says(visited, `CapacityInvalid(${settled}, 5, 6)`);
    });

    it("and asks nobody whom a contract names (ERC-3668)", async () => {
      const visited = await connected(`#/meters/${settled}`);
      const data = encodeErrorResult({
        abi: parseAbi([
          "error OffchainLookup(address sender, string[] urls, bytes data, bytes4 callback, bytes extra)",
        ]),
        args: [system.deployment.registry, ["https://elsewhere.example/{sender}/{data}"], "0x", "0x00000000", "0x"],
      });
      await visited.page.getByLabel("New owner's address").fill(addressOf(STRANGER));
      wallet.instead["eth_call"] = { error: { code: 3, message: "execution reverted", data } };
      await press(visited, "Transfer…");
      await phase(visited, "impossible");
      assert.deepEqual(visited.wrongs, []);
    });

    it("not where the wallet was switched to another chain meanwhile", async () => {
      const meter = await newMeter();
      const visited = await connected(`#/meters/${meter}`);
      await visited.page.getByLabel("New owner's address").fill(addressOf(STRANGER));
      await press(visited, "Transfer…");
      await phase(visited, "ready");
      wallet.instead["eth_chainId"] = { result: "0x1" };
      await press(visited, "Send in the wallet");
      await phase(visited, "failed");
      assert.ok(!wallet.asked.includes("eth_sendTransaction"));
    });

    it("and says where it reverted in its block, because somebody was faster", async () => {
      const meter = await newMeter();
      await asRegistrar("proposeCapacity", [meter, 6500]);
      const visited = await connected(`#/meters/${meter}`);
      await press(visited, "Cancel…");
      await phase(visited, "ready");
      await automine(false);
      try {
        await asRegistrar("cancelProposal", [meter, CAPACITY_CHANGE], {
          wait: false,
          maxPriorityFeePerGas: 10n ** 11n,
        });
        await press(visited, "Send in the wallet");
        await phase(visited, "waiting");
      } finally {
        await automine(true);
        await system.chain.mineAt(0);
      }
      await phase(visited, "reverted");
      await says(visited, /nothing of it holds/);
    });

    it("and does not lose it when its window is closed", async () => {
      const meter = await newMeter();
      const visited = await connected(`#/meters/${meter}`);
      await visited.page.getByLabel("New owner's address").fill(addressOf(STRANGER));
      await press(visited, "Transfer…");
      await phase(visited, "ready");
      await automine(false);
      try {
        await press(visited, "Send in the wallet");
        await phase(visited, "waiting");
        await visited.page.keyboard.press("Escape");
        await visited.page.waitForSelector("dialog[open]", { state: "detached" });
        await visited.page.goto(`${served.url}#/wallet`);
        await visited.page.getByRole("button", { name: "Transaction: waiting" }).waitFor();
        await visited.shoot("wallet-waiting");
      } finally {
        await automine(true);
        await system.chain.mineAt(0);
      }
      await press(visited, "Transaction: done");
      await phase(visited, "done");
    });
  });

  describe("does for the owner of a meter", () => {
    it("a transfer, which says what the seller keeps, and clears the payout address", async () => {
      const meter = await newMeter();
      const visited = await connected(`#/meters/${meter}`);
      await visited.page.getByRole("textbox", { name: "Payout address" }).fill(addressOf(STRANGER + 1));
      await press(visited, "Set…");
      await sent(visited);
      await press(visited, "Close");
      await visited.page.getByLabel("New owner's address").fill(addressOf(STRANGER));
      await press(visited, "Transfer…");
      await phase(visited, "ready");
      assert.match(
        (await visited.page.locator("dialog").textContent()) ?? "",
        /settled before the transfer is the seller's/,
      );
      assert.match((await visited.page.locator("dialog").textContent()) ?? "", /Costs about[\d.]+\sETH/);
      await visited.shoot("dialog-ready");
      await sent(visited);
      await visited.shoot("dialog-done");
      const { owner, payout } = await meterNow(meter);
      assert.deepEqual([owner, payout], [addressOf(STRANGER), addressOf(STRANGER)]);
      await press(visited, "Close");
      await says(visited, "This meter belongs to another account");
    });

    it("another payout address, and none again", async () => {
      const meter = await newMeter();
      const visited = await connected(`#/meters/${meter}`);
      await visited.page.getByRole("textbox", { name: "Payout address" }).fill(addressOf(STRANGER).toLowerCase());
      await press(visited, "Set…");
      await sent(visited);
      assert.equal((await meterNow(meter)).payout, addressOf(STRANGER));
      await press(visited, "Close");
      await press(visited, "Pay the owner…");
      await sent(visited);
      assert.equal((await meterNow(meter)).payout, addressOf(OWNER));
    });

    it("the cancelling of what is proposed, and says when it is due", async () => {
      const meter = await newMeter();
      await asRegistrar("proposeCapacity", [meter, 6500]);
      const visited = await connected(`#/meters/${meter}`);
      await says(visited, /can be executed from/);
      await says(visited, /6\.50\skW/);
      await visited.page.locator("section.card").last().scrollIntoViewIfNeeded();
      await visited.shoot("owner-light");
      await press(visited, "Cancel…");
      await sent(visited);
      assert.equal((await proposal(meter)).proposedAt, 0n);
      await press(visited, "Close");
      await says(visited, "Nothing is proposed.");
    });

    it("not the cancelling of what somebody else has cancelled meanwhile", async () => {
      const meter = await newMeter();
      await asRegistrar("proposeCapacity", [meter, 6500]);
      const visited = await connected(`#/meters/${meter}`);
      await says(visited, /can be executed from/);
      await asRegistrar("cancelProposal", [meter, CAPACITY_CHANGE]);
      await press(visited, "Cancel…");
      await says(visited, "This proposal does not exist any more.");
    });
  });

  it("retires exactly what was typed in, in somebody's name, and leads to the certificate", async () => {
    const { publicClient } = system.chain;
    const token = { address: system.deployment.token, ...onToken };
    const before = await system.balanceOf(OWNER);
    const visited = await connected("#/wallet");
    await visited.page.getByLabel("Amount, kWh").fill("0.100000000000000001");
    await visited.page.getByLabel("In whose name").fill("School & Sons <b>");
    await visited.page.getByLabel("What for").fill("Summer fair");
    await visited.page.getByLabel("Their address").fill(addressOf(STRANGER));
    await press(visited, "Retire…");
    await sent(visited);
    const serial = await publicClient.readContract({ ...token, functionName: "retirements" });
    const record = await publicClient.readContract({ ...token, functionName: "retirement", args: [serial] });
    const amount = parseUnits("0.100000000000000001", 18);
    assert.deepEqual(
      { ...record, retiredAt: 0 },
      {
        ...{ serial, amount, from: addressOf(OWNER), beneficiary: addressOf(STRANGER), retiredAt: 0 },
        ...{ name: "School & Sons <b>", purpose: "Summer fair" },
      },
    );
    assert.equal(await system.balanceOf(OWNER), before - amount);
    const link = visited.page.getByRole("link", { name: "To its certificate" });
    assert.equal(await link.getAttribute("href"), `#/certificate/${serial}`);
    await press(visited, "Close");
    await says(visited, "Summer fair");
    await visited.shoot("wallet-light");
  });

  describe("is followed", () => {
    it("to another account, to another chain, and let go", async () => {
      const visited = await connected("#/wallet");
      await wallet.tell(visited.page, "accountsChanged", [addressOf(STRANGER)]);
      await visited.page.getByTitle(addressOf(STRANGER)).waitFor();
      await wallet.tell(visited.page, "chainChanged", "0x1");
      await says(visited, "The wallet is on chain 1.");
      await press(visited, "Disconnect");
      await visited.page.waitForSelector(".account", { state: "detached" });
    });

    it("and forgotten when it takes its account back", async () => {
      const visited = await connected("#/wallet");
      await wallet.tell(visited.page, "accountsChanged", []);
      await visited.page.waitForSelector(".account", { state: "detached" });
    });
  });

  it("is one of several, each with its name and picture", async () => {
    const other = injected(system.chain, STRANGER, "Other Wallet");
    const visited = await asked("#/wallet", { wallets: [other, wallet] });
    await visited.page.waitForSelector(".wallets img");
    assert.deepEqual(await visited.page.locator(".wallets li").allTextContents(), ["Other Wallet", "Test Wallet"]);
    assert.deepEqual(visited.wrongs, []);
    await visited.shoot("wallet-choose");
    await press(visited, "Other Wallet");
    await visited.page.getByTitle(addressOf(STRANGER)).waitFor();
  });

  for (const [name, options] of Object.entries({
    light: {},
    dark: { colorScheme: "dark" as const },
    phone: { viewport: PHONE, locale: "de-DE" },
  })) {
    it(`is for everybody, ${name}: axe finds nothing serious`, async () => {
      const isGerman = name === "phone";
      for (const hash of ["#/wallet", `#/meters/${settled}`]) {
        const visited = await open(hash, options);
        await press(visited, isGerman ? "Wallet verbinden" : "Connect wallet");
        await press(visited, wallet.name);
        await visited.page.waitForSelector("form input[type=text]");
        await visited.shoot(`${hash === "#/wallet" ? "wallet" : "owner"}-${name}`);
        assert.deepEqual(await seriousIn(visited.page), [], hash);
        await visited.page
          .locator("form input[type=text]")
          .first()
          .fill(hash === "#/wallet" ? (isGerman ? "1,25" : "1.25") : addressOf(STRANGER));
        await press(visited, isGerman ? /Entwerten…|Übertragen…/ : /Retire…|Transfer…/);
        await phase(visited, "ready");
        if (hash === "#/wallet") await says(visited, isGerman ? /1,25 kWh werden/ : /1\.25 kWh are/);
        else await visited.shoot(`dialog-${name}`);
        assert.deepEqual(await seriousIn(visited.page), [], hash);
        const { wide, shown } = await visited.page.evaluate<{ wide: number; shown: number }>(
          "({ wide: document.documentElement.scrollWidth, shown: innerWidth })",
        );
        assert.ok(wide <= shown, `${hash} is ${wide} wide`);
      }
    });
  }
});
