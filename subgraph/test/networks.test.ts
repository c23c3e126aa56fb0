import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { deployEverything, type Everything, writeLocalNetwork } from "../../demo/deployment.ts";
import {
  CONTRACTS,
  LOCAL_NETWORK,
  NETWORKS_FILE,
  type Network,
  NetworksError,
  networkOf,
  readNetworks,
  writeNetwork,
} from "../networks.ts";

/** a moment at which no demo begins */
const START = Date.UTC(2026, 6, 1, 12) / 1000;

const ADDRESS = "0x9A676e781A523b5d0C0e43731313A708CB607508";

const networkFrom = (startBlock: number): Network => {
  const source = { address: ADDRESS, startBlock } as const;
  return { MeterRegistry: source, WattWitness: source, ProductionToken: source, FunctionsAttestor: source };
};

describe("networks.json", () => {
  let [folder, file] = ["", ""];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-networks-"));
    file = join(folder, "networks.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe("is refused, by one sentence that says where,", () => {
    /** By reading and by writing, which leaves what is there. */
    const refuses = async (content: string, ...parts: string[]) => {
      await writeFile(file, content);
      const isSaid = (error: unknown) => {
        assert.ok(error instanceof NetworksError);
        for (const part of [file, ...parts]) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
        assert.ok(!error.message.includes("\n"));
        return true;
      };
      assert.throws(() => readNetworks(file), isSaid);
      assert.throws(() => writeNetwork(file, "another", networkFrom(1)), isSaid);
      assert.equal(await readFile(file, "utf8"), content);
      assert.deepEqual(await readdir(folder), ["networks.json"]);
    };
    const withSource = (source: unknown) => JSON.stringify({ base: { ...networkFrom(1), WattWitness: source } });

    it("where it is no JSON", () => refuses('{"base":', "is no JSON"));

    it("where it is no object", () => refuses("[]", "an object of networks"));

    it("where a network has no name that keeps its place", () => refuses('{"8453": {}}', '"8453" is no name'));

    it("where a network is no object", () => refuses('{"base": 8453}', "base must be an object"));

    it("where a contract is missing", () => refuses('{"base": {}}', "base.MeterRegistry is missing"));

    it("where a contract is not ours: writing would lose it", () =>
      refuses(JSON.stringify({ base: { ...networkFrom(1), Router: {} } }), "base.Router is not known"));

    it("where a contract is no object", () => refuses(withSource(ADDRESS), "base.WattWitness must be an object"));

    it("where an address is missing", () => refuses(withSource({ startBlock: 1 }), "base.WattWitness.address"));

    it("where an address is too short", () =>
      refuses(withSource({ address: "0x12", startBlock: 1 }), "base.WattWitness.address", '"0x12"'));

    it("where an address has a typing error", () =>
      refuses(withSource({ address: ADDRESS.replace("9A", "9a"), startBlock: 1 }), "base.WattWitness.address"));

    for (const startBlock of [-1, 1.5, "1", null]) {
      it(`where a block has the number ${JSON.stringify(startBlock)}`, () =>
        refuses(withSource({ address: ADDRESS, startBlock }), "base.WattWitness.startBlock"));
    }

    it("where a field is not ours", () =>
      refuses(withSource({ address: ADDRESS, startBlock: 1, endBlock: 2 }), "base.WattWitness.endBlock is not known"));
  });

  it("takes no network that it would refuse to read", async () => {
    const broken = { ...networkFrom(1), WattWitness: { address: "0x12", startBlock: 1 } } as const;
    assert.throws(() => writeNetwork(file, "base", broken), /base\.WattWitness\.address/);
    assert.throws(() => writeNetwork(file, "Base", networkFrom(1)), /"Base" is no name/);
    assert.deepEqual(await readdir(folder), []);
  });

  it("has no network where there is no file", () => assert.equal(readNetworks(file).size, 0));

  it("is written as it is read", () => {
    assert.equal(writeNetwork(file, "base", networkFrom(7)), true);
    assert.deepEqual([...readNetworks(file)], [["base", networkFrom(7)]]);
  });

  it("has networks without an attestor, as they were deployed without Chainlink", () => {
    const { FunctionsAttestor: _, ...without } = networkFrom(7);
    writeNetwork(file, "base", without);
    writeNetwork(file, "celo", networkFrom(7));
    assert.deepEqual(
      [...readNetworks(file)],
      [
        ["base", without],
        ["celo", networkFrom(7)],
      ],
    );
  });

  it("is always the same bytes: two spaces, a last newline, the contracts in order, addresses with checksums", async () => {
    const address = ADDRESS.toLowerCase() as typeof ADDRESS;
    const turned = CONTRACTS.toReversed().map((name) => [name, { startBlock: 7, address }]);
    writeNetwork(file, "base", Object.fromEntries(turned));
    const sources = CONTRACTS.map(
      (name) => `    "${name}": {\n      "address": "${ADDRESS}",\n      "startBlock": 7\n    }`,
    );
    assert.equal(await readFile(file, "utf8"), `{\n  "base": {\n${sources.join(",\n")}\n  }\n}\n`);
  });

  it("keeps the other networks, and every one's place", () => {
    for (const name of ["zora", "base", "celo"]) writeNetwork(file, name, networkFrom(1));
    writeNetwork(file, "base", networkFrom(2));
    assert.deepEqual(
      [...readNetworks(file)].map(([name, { WattWitness }]) => [name, WattWitness.startBlock]),
      [
        ["zora", 1],
        ["base", 2],
        ["celo", 1],
      ],
    );
  });

  it("is not touched where nothing differs, and is another file where something does", async () => {
    writeNetwork(file, "base", networkFrom(1));
    const { ino, mtimeNs } = await stat(file, { bigint: true });
    assert.equal(writeNetwork(file, "base", networkFrom(1)), false);
    const untouched = await stat(file, { bigint: true });
    assert.deepEqual([untouched.ino, untouched.mtimeNs], [ino, mtimeNs]);
    // renamed over it, so that whoever reads meanwhile reads all of the one or all of the other
    assert.equal(writeNetwork(file, "base", networkFrom(2)), true);
    assert.notEqual((await stat(file, { bigint: true })).ino, ino);
    assert.deepEqual(await readdir(folder), ["networks.json"]);
  });

  describe("after `npm start` has deployed", function () {
    this.timeout(120_000);
    let chain: LocalChain;
    let everything: Everything;
    const complaints: string[] = [];
    const complain = (problem: string) => complaints.push(problem);
    before(async () => {
      chain = await startChain(0, START);
      everything = await deployEverything(chain);
    });
    after(() => chain.stop());
    beforeEach(() => complaints.splice(0));

    it("is complained of in one line where it cannot be written, and that is all", async () => {
      await writeFile(file, "");
      writeLocalNetwork(everything, complain, join(file, "networks.json"));
      assert.equal(complaints.length, 1);
      assert.match(complaints[0] as string, /^localhost was not written for the subgraph: .*networks\.json/);
      assert.ok(!complaints[0]?.includes("\n"));
    });

    it("has the chain in it, as localhost", () => {
      writeLocalNetwork(everything, complain, file);
      const network = networkOf(everything.deployment, everything.attestor);
      assert.deepEqual([...readNetworks(file)], [[LOCAL_NETWORK, network]]);
      assert.deepEqual(complaints, []);
    });

    it("is as committed, whenever and on whatever port: the deployment is always the same", () => {
      const network = networkOf(everything.deployment, everything.attestor);
      const hint = "the deployment of npm start is another: npm start writes subgraph/networks.json, commit it";
      assert.deepEqual(readNetworks(NETWORKS_FILE).get(LOCAL_NETWORK), network, hint);
    });

    it("begins where the registry does: it has no code in the block before", async () => {
      const { address, startBlock } = networkOf(everything.deployment, everything.attestor).MeterRegistry;
      const codeAt = (block: number) => chain.publicClient.getCode({ address, blockNumber: BigInt(block) });
      assert.ok(await codeAt(startBlock));
      assert.equal(await codeAt(startBlock - 1), undefined);
    });
  });
});
