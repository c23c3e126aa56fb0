import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToAddress } from "viem/accounts";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { wattwitness } from "./support.ts";

const START = Date.UTC(2026, 2, 20, 8) / 1000;

describe("wattwitness account", function () {
  this.timeout(20_000);
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-account-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("writes no key over another", async () => {
    const file = join(folder, "key");
    await writeFile(file, "mine");
    const { code, err } = await wattwitness(["account", "create", file]);
    assert.deepEqual([code, err], [1, `${file} is there already: no key is ever written over.`]);
    assert.equal(await readFile(file, "utf8"), "mine");
  });

  it("says that a file cannot be written or read, and that there is no key in it", async () => {
    const [lost, empty] = [join(folder, "no", "key"), join(folder, "empty")];
    await writeFile(empty, "nothing");
    assert.match((await wattwitness(["account", "create", lost])).err, /cannot be written \(ENOENT\)\.$/);
    assert.match((await wattwitness(["account", "address", lost])).err, /cannot be read \(ENOENT\)\.$/);
    assert.equal((await wattwitness(["account", "address", empty])).code, 1);
  });

  it("makes a key that only its owner reads, and tells its account but never the key", async () => {
    const file = join(folder, "key");
    const made = await wattwitness(["account", "create", file, "--json"]);
    assert.equal(made.code, 0, made.err);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const key = (await readFile(file, "utf8")).trim() as `0x${string}`;
    assert.equal(JSON.parse(made.out).account, privateKeyToAddress(key));
    assert.ok(!`${made.out}${made.err}`.includes(key.slice(2)));
    assert.equal((await wattwitness(["account", "address", file])).out, privateKeyToAddress(key));
  });

  describe("beside a chain", () => {
    let chain: LocalChain;
    before(async () => {
      chain = await startChain(0, START);
    });
    after(() => chain.stop());

    it("says what the account has to pay with", async () => {
      const file = join(folder, "key");
      await writeFile(file, chain.key(3));
      const { out } = await wattwitness(["account", "show", file, "--rpc-url", chain.url, "--json"]);
      const { address } = chain.wallet(3).account;
      const balance = await chain.publicClient.getBalance({ address });
      assert.deepEqual(JSON.parse(out), { account: address, chain_id: 31337, balance_wei: String(balance) });
    });
  });
});
