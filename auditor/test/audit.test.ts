import assert from "node:assert/strict";
import { copyFile, cp, mkdtemp, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEventLog, type Hex } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { dice, START } from "../../contracts/test/fixture.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { type Audit, CODES, placeOf, readCheckpoint, writeCheckpoint } from "../index.ts";
import { createWorld, type World } from "./world.ts";

type Log = { address: Hex; topics: [Hex, ...Hex[]]; data: Hex; blockNumber: Hex; logIndex: Hex };

/** Registry and token both have a Transfer. */
function nameOf({ topics, data }: Log): string {
  for (const abi of [wattWitnessAbi, meterRegistryAbi, productionTokenAbi, functionsAttestorAbi]) {
    try {
      return decodeEventLog({ abi, topics, data }).eventName as string;
    } catch {}
  }
  throw new Error(`an event of none: ${topics[0]}`);
}

/** What changes nothing that is audited, so that its absence is not seen: see README.md. */
const UNREAD = [
  "MetadataUpdate",
  "Skipped",
  "Proposed",
  "ProposalCancelled",
  "Approval",
  "AuthorityUpdated",
  "RequestSent",
  "RequestFulfilled",
];

/** Of each event the rules, one of which is found where it is hidden: as the table in README.md has them. */
const HIDDEN: Record<string, string[]> = {
  MeterRegistered: ["unknown key"],
  Begun: ["begun"],
  KeyRotated: ["unknown key"],
  Ended: ["event missing", "decommissioned"],
  MeterDecommissioned: ["event missing"],
  CapacityChanged: ["view"],
  PayoutChanged: ["payee", "view"],
  AttestationRequested: ["not requested"],
  Attested: ["attestation unknown"],
  AttestationConfirmed: ["event missing"],
  LogBegun: ["log begun"],
  Settled: ["event missing"],
  Equivocated: ["view"],
  // of tokens and of meters
  Transfer: ["minted", "burned", "balance", "event missing", "payee"],
  Retired: ["event missing"],
};

/** Who took a meter down, its owner or a registrar; and who paid for an attestation. */
const UNREAD_FIELDS = ["MeterDecommissioned 2", "AttestationRequested 4"];

/** capacityCeiling() and unattestedAfter(): bounds, of which another that is kept as well changes nothing. */
const BOUNDS = /"data":"0x(5537675c|415cd29f)"/;

/** A node that tells of logs what `lie` makes of all of them. */
const lying = (chain: ChainReader, lie: (logs: Log[]) => Log[]): ChainReader => ({
  async request(call) {
    const answer = await chain.request(call);
    return call.method === "eth_getLogs" ? lie(answer as Log[]) : answer;
  },
});

const isSame = (one: Log, other: Log) => one.blockNumber === other.blockNumber && one.logIndex === other.logIndex;

function flipped(hex: Hex, bit: number): Hex {
  const bytes = Buffer.from(hex.slice(2), "hex");
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (0x80 >> (bit & 7));
  return `0x${bytes.toString("hex")}`;
}

describe("an audit", function () {
  this.timeout(300_000);
  let world: World;
  let logs: Log[];
  before(async () => {
    world = await createWorld();
    logs = [];
    const collecting = lying(world.chain, (some) => {
      logs.push(...some);
      return some;
    });
    await world.audit({ chain: collecting });
  });
  after(() => world.close());

  const isNoPass = ({ verdict, findings }: Audit, what: string) => {
    assert.notEqual(verdict, "verified", what);
    assert.ok(findings.length > 0, what);
  };

  /** The folder with a piece of it taken away or bent. */
  async function withFolder(change: (folder: string) => Promise<unknown>): Promise<Audit> {
    const folder = await mkdtemp(join(tmpdir(), "wattwitness-evidence-"));
    try {
      await cp(world.folder, folder, { recursive: true });
      await change(folder);
      return await world.audit({ places: [placeOf(folder)] });
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("cannot tell without any one of the batches and tiles", async () => {
    assert.ok(world.files.length >= 9);
    for (const file of world.files) {
      const { verdict, findings } = await withFolder((folder) => unlink(join(folder, file)));
      assert.equal(verdict, "cannot tell", file);
      assert.ok(
        findings.every(({ rule }) => rule === "no batch" || rule === "no readings"),
        JSON.stringify(findings),
      );
    }
  });

  it("cannot tell without any place at all, and names every settlement or its batch", async () => {
    const { verdict, findings } = await world.audit({ places: [] });
    assert.equal(verdict, "cannot tell");
    assert.equal(findings.length, 3 + 3);
  });

  it("cannot tell where a mirror has other readings than those of the settled root", async () => {
    const [entries, other] = ["entries/000", "entries/000.p/250"].map((end) =>
      world.files.find((file) => file.endsWith(end)),
    );
    const { verdict, findings } = await withFolder((folder) =>
      copyFile(join(world.folder, other as string), join(folder, entries as string)),
    );
    assert.equal(verdict, "cannot tell");
    assert.ok(findings.every(({ rule }) => rule === "no readings"));
  });

  it("refutes a node that hides any one event, by what that event's neighbours or the views say", async () => {
    const names = new Set<string>();
    for (const hidden of logs) {
      const name = nameOf(hidden);
      if (UNREAD.includes(name) || name === "WattWitnessNamed") continue;
      names.add(name);
      const chain = lying(world.chain, (all) => all.filter((log) => !isSame(log, hidden)));
      const { verdict, findings } = await world.audit({ chain });
      const words = findings.map(({ rule }) => rule);
      const what = `${name} in block ${Number(hidden.blockNumber)}: ${words.join(", ")}`;
      assert.equal(verdict, "refuted", what);
      assert.ok(
        HIDDEN[name]?.some((rule) => words.includes(rule)),
        what,
      );
    }
    assert.deepEqual(names, new Set(Object.keys(HIDDEN)));
  });

  it("cannot tell where a node has nothing of the beginning, up to whichever block", async () => {
    const blocks = [...new Set(logs.map(({ blockNumber }) => Number(blockNumber)))].sort((a, b) => a - b);
    const named = Number(logs.find((log) => nameOf(log) === "WattWitnessNamed")?.blockNumber);
    for (const block of blocks.filter((each) => each >= named)) {
      const chain = lying(world.chain, (all) => all.filter((log) => Number(log.blockNumber) > block));
      const { verdict, findings } = await world.audit({ chain });
      assert.deepEqual(
        [verdict, ...findings.map(({ rule }) => rule)],
        ["cannot tell", "contradicts itself"],
        String(block),
      );
    }
  });

  it("does not pass a node that hides all events of a block, or all from a block on", async () => {
    const telling = logs.filter((log) => !UNREAD.includes(nameOf(log)));
    for (const block of new Set(telling.map(({ blockNumber }) => Number(blockNumber)))) {
      for (const isHidden of [(of: number) => of === block, (of: number) => of >= block]) {
        const chain = lying(world.chain, (all) => all.filter((log) => !isHidden(Number(log.blockNumber))));
        isNoPass(await world.audit({ chain }), `block ${block}`);
      }
    }
  });

  it("cannot tell without any one of the transactions that brought a key, told two stories or alone has a signature", async () => {
    const asked: string[] = [];
    const listening: ChainReader = {
      request(call) {
        if (call.method === "eth_getTransactionByHash") asked.push((call.params as string[])[0] as string);
        return world.chain.request(call);
      },
    };
    await world.audit({ chain: listening });
    const rules = new Set<string>();
    for (const hash of new Set(asked)) {
      const chain: ChainReader = {
        request: (call) => (JSON.stringify(call).includes(hash) ? Promise.resolve(null) : world.chain.request(call)),
      };
      const { verdict, findings } = await world.audit({ chain });
      assert.equal(verdict, "cannot tell", hash);
      for (const { rule } of findings) rules.add(rule);
    }
    assert.deepEqual([...rules].sort(), ["no claim", "no equivocation", "no signature"]);
  });

  it("does not pass a node that tells of any one event twice, or again in another block", async () => {
    for (const event of logs) {
      const twice = lying(world.chain, (all) => all.flatMap((log) => (isSame(log, event) ? [log, log] : [log])));
      isNoPass(await world.audit({ chain: twice }), nameOf(event));
      const later = { ...event, logIndex: "0x40" as Hex };
      const again = lying(world.chain, (all) => all.flatMap((log) => (isSame(log, event) ? [log, later] : [log])));
      if (UNREAD.includes(nameOf(event)) || ["PayoutChanged", "WatcherChanged"].includes(nameOf(event))) continue;
      isNoPass(await world.audit({ chain: again }), `${nameOf(event)}, told again`);
    }
  });

  it("does not pass a node that changes any one field of any event", async () => {
    const roll = dice(7);
    for (const event of logs) {
      const name = nameOf(event);
      if (UNREAD.includes(name)) continue;
      const words = (event.data.length - 2) / 64;
      const places = [...event.topics.keys(), ...Array.from({ length: words }, (_, i) => event.topics.length + i)];
      for (const place of places) {
        if (UNREAD_FIELDS.includes(`${name} ${place}`)) continue;
        const bent =
          place < event.topics.length
            ? {
                ...event,
                topics: event.topics.with(place, flipped(event.topics[place] as Hex, roll(256))) as Log["topics"],
              }
            : { ...event, data: flipped(event.data, 256 * (place - event.topics.length) + 255 - roll(16)) };
        const chain = lying(world.chain, (all) => all.map((log) => (isSame(log, event) ? bent : log)));
        isNoPass(await world.audit({ chain }), `${name}, field ${place}: ${bent.topics} ${bent.data}`);
      }
    }
  });

  it("does not pass a node that says of any one view something else", async () => {
    const asked: string[] = [];
    const listening: ChainReader = {
      request(call) {
        if (call.method === "eth_call") asked.push(JSON.stringify(call));
        return world.chain.request(call);
      },
    };
    await world.audit({ chain: listening });
    const roll = dice(3);
    for (const question of new Set(asked)) {
      if (BOUNDS.test(question)) continue;
      const chain: ChainReader = {
        async request(call) {
          const answer = await world.chain.request(call);
          if (JSON.stringify(call) !== question) return answer;
          // the lowest byte of the first word that is something
          const at =
            (answer as Hex)
              .slice(2)
              .match(/.{64}/g)
              ?.findIndex((word) => !/^0+$/.test(word) && !/^0+20$/.test(word)) ?? 0;
          return flipped(answer as Hex, 256 * Math.max(at, 0) + 255 - roll(8));
        },
      };
      isNoPass(await world.audit({ chain }), question);
    }
  });

  it("cannot tell where a node refuses events of some blocks, or any view", async () => {
    const refusing = (method: string): ChainReader => ({
      async request(call) {
        if (call.method === method) throw Object.assign(new Error("not for you"), { code: -32005 });
        return world.chain.request(call);
      },
    });
    for (const method of [
      "eth_getLogs",
      "eth_call",
      "eth_getBlockByNumber",
      "eth_chainId",
      "eth_getTransactionByHash",
    ]) {
      assert.equal((await world.audit({ chain: refusing(method) })).verdict, "cannot tell", method);
    }
  });

  /** A node that has another transaction than the one that registered a meter. */
  const withTransaction = (change: (sent: { to: Hex; input: Hex }) => object): ChainReader => ({
    async request(call) {
      const answer = await world.chain.request(call);
      return call.method === "eth_getTransactionByHash"
        ? Object.assign(answer as object, change(answer as never))
        : answer;
    },
  });

  it("refutes a key that did not sign its claim, or a registration of other terms than it was asked for", async () => {
    // of register's one argument: key 2 words, owner, capacity, source, details, baseline 4, claim 2
    const rules = new Set<string>();
    for (const word of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
      const chain = withTransaction(({ input }) =>
        input.length === 2 + 8 + 12 * 64 ? { input: flipped(input, 32 + 256 * word + 255) } : {},
      );
      const { verdict, findings } = await world.audit({ chain });
      assert.equal(verdict, "refuted", `word ${word}`);
      for (const { rule } of findings) rules.add(rule);
    }
    assert.deepEqual([...rules].sort(), ["baseline", "claim", "registration"]);
  });

  it("takes the contract's word for a claim only where another contract called it, and then says so", async () => {
    const unread = withTransaction(() => ({ input: "0x12345678" }));
    assert.equal((await world.audit({ chain: unread })).verdict, "refuted");
    const isRegistering = (input: Hex) => input.length === 2 + 8 + 12 * 64;
    const direct = withTransaction(({ input }) => (isRegistering(input) ? { input: "0x12345678" } : {}));
    assert.equal((await world.audit({ chain: direct })).verdict, "cannot tell");
    const wallet = `0x${"77".repeat(20)}`;
    const wrapped = withTransaction(({ input }) => (isRegistering(input) ? { input: "0x12345678", to: wallet } : {}));
    const { verdict, read } = await world.audit({ chain: wrapped });
    assert.deepEqual([verdict, read?.byContract.length], ["verified", 4]);
    const readable = withTransaction(({ input }) =>
      isRegistering(input) ? { input: `0x12345678${"00".repeat(31)}${input.slice(2)}`, to: wallet } : {},
    );
    assert.equal((await world.audit({ chain: readable })).read?.byContract.length, 0);
  });

  it("refutes a DON that ran another source than the one that is known", async () => {
    const { verdict, findings } = await world.audit({ sourceHash: `0x${"12".repeat(32)}` });
    assert.equal(verdict, "refuted");
    assert.deepEqual(
      findings.map(({ object }) => object),
      ["sourceHash()"],
    );
  });

  it("refutes where a second node tells of other events, and names the first that differs", async () => {
    const same = await world.audit({ second: world.chain });
    assert.equal(same.verdict, "verified");
    const second = lying(world.chain, (all) => all.filter((log) => nameOf(log) !== "Skipped"));
    const { verdict, findings } = await world.audit({ second });
    assert.equal(verdict, "refuted");
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ["the two nodes disagree"],
    );
    assert.match(findings[0]?.expected ?? "", /Skipped/);
    const silent: ChainReader = { request: () => Promise.reject(new Error("down")) };
    assert.equal((await world.audit({ second: silent })).verdict, "cannot tell");
  });

  it("looks only for the readings that it is asked for", async () => {
    const { verdict, figures } = await world.audit({ places: [], scope: { from: START + 1, to: START + 2 } });
    assert.deepEqual([verdict, figures.settlements_in_scope, figures.settlements], ["verified", 0, 8]);
    const some = await world.audit({ scope: { to: START + 1000 } });
    assert.deepEqual([some.verdict, some.figures.settlements_verified], ["verified", 2]);
    const [meter] = [...(some.read?.replayed.meters.keys() ?? [])];
    const one = await world.audit({ scope: { meters: [meter as Hex] } });
    assert.deepEqual([one.verdict, one.figures.settlements_verified], ["verified", 4]);
  });

  it("goes on from a checkpoint without looking again, and from none of a chain that changed", async () => {
    const whole = await world.audit();
    const file = join(world.folder, "..", `audit-${process.pid}.json`);
    try {
      assert.equal(await readCheckpoint(file), undefined);
      await writeCheckpoint(file, whole.read?.checkpoint as never);
      const checkpoint = await readCheckpoint(file);
      assert.ok(checkpoint);
      const again = await world.audit({ places: [], checkpoint });
      assert.equal(again.read?.resumed, "yes");
      assert.deepEqual([again.verdict, again.findings, again.figures], [whole.verdict, whole.findings, whole.figures]);
      const block = { ...checkpoint.block, hash: `0x${"00".repeat(32)}` as Hex };
      const changed = await world.audit({ places: [], checkpoint: { ...checkpoint, block } });
      assert.deepEqual([changed.read?.resumed, changed.verdict], ["past changed", "cannot tell"]);
    } finally {
      await rm(file, { force: true });
    }
  });

  it("verifies a world in which everything happens, and says its figures", async () => {
    const { verdict, findings, figures } = await world.audit();
    assert.deepEqual(findings, []);
    assert.equal(CODES[verdict], 0);
    assert.deepEqual(figures, {
      ...{ meters: 4, keys: 5, attestations: 3, settlements: 8, settlements_in_scope: 8, settlements_verified: 8 },
      ...{ batches: 3, readings: 834, produced_mwh: 8_330_000n, minted_units: 8_330_000n * 10n ** 12n },
      ...{ supply_units: 83_199n * 10n ** 14n, retired_units: 101n * 10n ** 14n, retirements: 2, rotations: 1 },
      ...{ equivocations: 1, skipped: 1, gaps: 0 },
      conditions: { drifting: 0, invalid: 0, discontinuous: 0, tamper: 0, reserved: 0 },
    });
  });
});
