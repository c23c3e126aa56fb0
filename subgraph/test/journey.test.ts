import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Hex, zeroAddress } from "viem";
import { START, STATUS } from "../../contracts/test/fixture.ts";
import { type GraphNode, startIndexer, whyNoIndexer } from "../../demo/indexer/index.ts";
import { createStops, type Stops } from "../../demo/processes/stop.ts";
import { decodeReading } from "../../protocol/index.ts";
import { startAnvil, whyNoAnvil } from "../../test/anvil.ts";
import { buildSubgraph } from "../build.ts";
import { networkOf } from "../networks.ts";
import { readQuestions } from "../questions.ts";
import { prepare, type Step, type Story, tell } from "./story.ts";

/** What the questions of the README ask about, on the chain of the demo. */
const LISBON = "0xa2dbc947ed2759f4ab8b4ca6bbdfc2f3e3eaddcc101b65946ff93a547b561f2f";
/** ms between two looks of the indexer at the chain */
const POLL_EVERY = 100;
/** ms that a reorganisation may take to show */
const PATIENCE = 30_000;

const reason = whyNoIndexer() ?? whyNoAnvil();

/** A chain, the contracts on it, and the indexer that follows them. */
async function open(stops: Stops) {
  const anvil = await startAnvil(stops);
  const story = await prepare(anvil, stops);
  const manifest = await buildSubgraph("anvil", networkOf(story.deployment, story.functions.attestor));
  const options = { manifest, network: "anvil", rpcUrl: anvil.rpcUrl, pollEvery: POLL_EVERY };
  return { anvil, story, node: await startIndexer(options, stops) };
}

const viewsOf = (story: Story, blockNumber: bigint) => ({
  meter: (meter: Hex) =>
    story.publicClient.readContract({ ...story.registry, functionName: "meterOf", args: [meter], blockNumber }),
  keys: (meter: Hex) =>
    story.publicClient.readContract({
      ...story.registry,
      functionName: "keysOf",
      args: [meter, 0n, 100n],
      blockNumber,
    }),
  latest: (keyId: Hex) =>
    story.publicClient.readContract({ ...story.wattWitness, functionName: "latestOf", args: [keyId], blockNumber }),
  log: (keyId: Hex, epoch: number) =>
    story.publicClient.readContract({
      ...story.wattWitness,
      ...{ functionName: "logOf", args: [keyId, epoch], blockNumber },
    } as const),
  gap: (keyId: Hex, epoch: number) =>
    story.publicClient.readContract({
      ...story.wattWitness,
      ...{ functionName: "gapOf", args: [keyId, epoch], blockNumber },
    } as const),
  attestation: (root: Hex) =>
    story.publicClient.readContract({
      ...story.wattWitness,
      ...{ functionName: "attestationOf", args: [root], blockNumber },
    } as const),
  token: (functionName: "totalSupply" | "totalRetired" | "retirements") =>
    story.publicClient.readContract({ ...story.token, functionName, blockNumber }),
  balance: (holder: Hex) =>
    story.publicClient.readContract({ ...story.token, functionName: "balanceOf", args: [holder], blockNumber }),
  retiredFor: (beneficiary: Hex) =>
    story.publicClient.readContract({ ...story.token, functionName: "retiredFor", args: [beneficiary], blockNumber }),
});
const statusName = (status: number) => Object.keys(STATUS)[status]?.toUpperCase();

/** Everything that both can tell about a block, as the subgraph tells it, and as the contracts do. */
async function bothAt(story: Story, ask: Ask, block: bigint) {
  const at = `block: { number: ${block} }`;
  const told = await ask(`{
    protocol(id: "wattwitness", ${at}) { supply retired retirementCount produced }
    meters(${at}, orderBy: id) {
      id owner { id } payout key { id } status capacity source details produced lastReadingAt lastSettledAt
      keys(orderBy: since) { id since until produced lastReadingAt energy }
    }
    gaps(${at}, orderBy: id, where: { reason_not: NEW_KEY }) { before { key { id } epoch } from to energy }
    logs(${at}, orderBy: id, first: 100) { key { id } epoch size root }
    attestations(${at}, orderBy: id, first: 100, where: { attestedAt_not: null }) { id attestor attestedAt }
    tokenHolders(${at}, orderBy: id) { id balance }
    beneficiaries(${at}, orderBy: id) { id retired }
  }`);
  const chain = viewsOf(story, block);
  const said = {
    protocol: {
      supply: String(await chain.token("totalSupply")),
      retired: String(await chain.token("totalRetired")),
      retirementCount: Number(await chain.token("retirements")),
      produced: String(((await chain.token("totalSupply")) + (await chain.token("totalRetired"))) / 10n ** 12n),
    },
    meters: await Promise.all(
      told.meters.map(async ({ id }: { id: Hex }) => {
        const meter = await chain.meter(id);
        const keys = await chain.keys(id);
        return {
          id,
          owner: { id: meter.owner.toLowerCase() },
          payout: meter.payout.toLowerCase(),
          key: { id: meter.keyId },
          status: statusName(meter.status),
          capacity: String(meter.capacity),
          source: meter.source,
          details: meter.details,
          produced: String(meter.produced),
          lastReadingAt: String(meter.timestamp),
          lastSettledAt: String(meter.settledAt),
          keys: await Promise.all(
            keys.map(async ({ keyId, since, until }) => {
              const { produced, timestamp, energy } = await chain.latest(keyId);
              return {
                id: keyId,
                since: String(since),
                until: until === 0 ? null : String(until),
                produced: String(produced),
                lastReadingAt: String(timestamp),
                energy: String(energy),
              };
            }),
          ),
        };
      }),
    ),
    gaps: await Promise.all(
      told.gaps.map(async ({ before }: { before: { key: { id: Hex }; epoch: string } }) => {
        const { since, until, energyBefore, energyAfter } = await chain.gap(before.key.id, Number(before.epoch));
        const energy = energyAfter < energyBefore ? null : String(energyAfter - energyBefore);
        return { before, from: String(since), to: String(until), energy };
      }),
    ),
    logs: await Promise.all(
      told.logs.map(async ({ key, epoch }: { key: { id: Hex }; epoch: string }) => {
        const [size, root] = await chain.log(key.id, Number(epoch));
        return { key, epoch, size: String(size), root };
      }),
    ),
    attestations: await Promise.all(
      told.attestations.map(async ({ id }: { id: Hex }) => {
        const [attestor, attestedAt] = await chain.attestation(id);
        return { id, attestor: attestor.toLowerCase(), attestedAt: String(attestedAt) };
      }),
    ),
    tokenHolders: await Promise.all(
      told.tokenHolders.map(async ({ id }: { id: Hex }) => ({ id, balance: String(await chain.balance(id)) })),
    ),
    beneficiaries: await Promise.all(
      told.beneficiaries.map(async ({ id }: { id: Hex }) => ({ id, retired: String(await chain.retiredFor(id)) })),
    ),
  };
  return { told, said };
}

/** What the indexer answers while it takes blocks back: no answer to the question, which is to be asked again. */
const REORGANISED = "the chain was reorganized while executing the query";

/** Asks, again where the chain was reorganised meanwhile, and refuses an answer with errors. */
const asking = (node: GraphNode) => async (query: string) => {
  for (const end = Date.now() + PATIENCE; ; await delay(50)) {
    const { data, errors } = await node.ask(query);
    if (errors?.some(({ message }) => message === REORGANISED) && Date.now() < end) continue;
    assert.equal(errors, undefined, `${JSON.stringify(errors)}\n${query}`);
    // biome-ignore lint/suspicious/noExplicitAny: what GraphQL answers is as its query says
    return data as any;
  }
};

type Ask = ReturnType<typeof asking>;

describe(`the subgraph on a real graph-node${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(240_000);
  const stops = createStops();
  const steps: Step[] = [];
  let story: Story;
  let ask: Ask;
  before(async function () {
    if (reason) return this.skip();
    const { node, ...opened } = await open(stops);
    ({ story } = opened);
    ask = asking(node);
    await tell(story, stops, async (step) => {
      await node.indexed(step.block);
      steps.push(step);
    });
  });
  after(() => stops.stopAll());

  const blockOf = (title: string): bigint => {
    const step = steps.find((one) => one.title === title);
    assert.ok(step, `there is no step ${title}`);
    return step.block;
  };
  const latest = async () => viewsOf(story, await story.publicClient.getBlockNumber());

  it("says what the contracts say, at the end of every step of the story", async () => {
    for (const { title, block } of steps) {
      const { told, said } = await bothAt(story, ask, block);
      assert.deepEqual(told, said, title);
    }
    assert.equal(steps.length, 20);
  });

  it("counts every event that the contracts ever told", async () => {
    const counts = await Promise.all(
      ["MeterRegistered", "Settled", "Skipped", "Equivocated", "Retired"].map(
        async (name) => (await story.eventsOf(name)).length,
      ),
    );
    const { protocol } = await ask(
      `{ protocol(id: "wattwitness") { meterCount settlementCount skipCount equivocationCount retirementCount } }`,
    );
    assert.deepEqual(Object.values(protocol), counts);
    assert.ok(counts.every((count) => count > 0));
  });

  it("adds up: hours and days to what each meter produced, meters to what all did, readings to the logs", async () => {
    const { protocol, meters, hours, days } = await ask(`{
      protocol(id: "wattwitness") { produced readings }
      meters { produced readings hours(first: 1000) { energy start } days(first: 1000) { energy start } logs: keys { logs { size } } }
      hours(first: 1000) { energy }
      days(first: 1000) { energy }
    }`);
    const sum = (list: { energy: string }[]) => list.reduce((total, { energy }) => total + BigInt(energy), 0n);
    let readings = 0n;
    for (const meter of meters) {
      assert.equal(sum(meter.hours), BigInt(meter.produced));
      assert.equal(sum(meter.days), BigInt(meter.produced));
      readings += BigInt(meter.readings);
      const sizes = meter.logs.flatMap(({ logs }: { logs: { size: string }[] }) =>
        logs.map(({ size }) => BigInt(size)),
      );
      assert.equal(
        sizes.reduce((total: bigint, size: bigint) => total + size, 0n),
        BigInt(meter.readings),
      );
    }
    assert.equal(sum(hours), BigInt(protocol.produced));
    assert.equal(sum(days), BigInt(protocol.produced));
    assert.equal(readings, BigInt(protocol.readings));
  });

  it("gives an hour exactly what its readings do, where it settled by the hour", async () => {
    const { meterHours } = await ask(
      `{ meterHours(where: { meter: "${story.roof.id}", spread: 0, covered: 3600 }, orderBy: start) { start energy } }`,
    );
    const energyAt = new Map<number, bigint>();
    for (const bytes of story.roof.readingsOf()) {
      const decoded = decodeReading(bytes);
      assert.ok(decoded.ok);
      energyAt.set(decoded.value.timestamp, decoded.value.energy);
    }
    assert.equal(meterHours.length, 2);
    for (const { start, energy } of meterHours as { start: string; energy: string }[]) {
      const [from, to] = [energyAt.get(Number(start)), energyAt.get(Number(start) + 3600)];
      assert.equal(BigInt(energy), (to as bigint) - (from as bigint));
    }
  });

  it("marks what was spread by time", async () => {
    const { meterDays } = await ask(`{ meterDays(where: { meter: "${story.shed.id}" }) { energy spread covered } }`);
    assert.equal(meterDays.length, 40);
    assert.ok(meterDays.every(({ energy, spread }: { energy: string; spread: string }) => energy === spread));
  });

  it("tells what is a rest, and keeps hours and days that cover no more than they last", async () => {
    const { settlements, meterHours, meterDays } = await ask(`{
      settlements(where: { rest: true }, orderBy: block) { meter { id } epoch from to produced }
      meterHours(first: 1000) { covered }
      meterDays(first: 1000) { covered }
    }`);
    const time = (minutes: number) => String(START + minutes * 60);
    assert.deepEqual(settlements, [
      { meter: { id: story.barn.id }, epoch: "2", from: time(120), to: time(200), produced: "3000000" },
      { meter: { id: story.barn.id }, epoch: "2", from: time(200), to: time(215), produced: "900000" },
    ]);
    assert.ok(meterHours.every(({ covered }: { covered: number }) => covered <= 3600));
    assert.ok(meterDays.every(({ covered }: { covered: number }) => covered <= 86_400));
  });

  it("tells who was paid by whom when a meter settled, was sold and settled in one block", async () => {
    const block = blockOf("a meter settles, is sold, and settles, in one block");
    const { settlements } = await ask(
      `{ settlements(where: { block: ${block} }, orderBy: toIndex) { payee { id } fromIndex toIndex } }`,
    );
    const [seller, buyer] = [story.owner, story.buyer].map(({ account }) => account.address.toLowerCase());
    assert.deepEqual(settlements, [
      { payee: { id: seller }, fromIndex: "13", toIndex: "18" },
      { payee: { id: buyer }, fromIndex: "19", toIndex: "24" },
    ]);
  });

  it("lives with texts that are no text: a zero byte, and no UTF-8", async () => {
    const { retirements } = await ask("{ retirements(orderBy: serial) { beneficiary { id } name purpose } }");
    assert.equal(retirements.length, 2);
    assert.equal(retirements[1].beneficiary, null);
    assert.match(retirements[1].name, /^A.*B.*C$/s);
    assert.equal(retirements[1].purpose, 'she said "thanks"\n☀');
  });

  describe("answers, of the README,", () => {
    /** What the story must have as an answer; each is given the answer's own root fields. */
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const expected: Record<string, (data: any) => Promise<void> | void> = {
      "What did my roof produce this month?"({ meterDays }) {
        assert.equal(meterDays.length, 1);
        assert.equal(meterDays[0].spread, "0");
      },
      "And today, hour by hour?"({ meterHours }) {
        assert.deepEqual(meterHours[0], { start: "1773964800", energy: "3600000", spread: "0", covered: 3600 });
      },
      async "Who owns this meter, who is paid for what it produces, and which devices signed for it?"({ meter }) {
        const [owner, buyer] = [story.owner, story.buyer].map(({ account }) => account.address.toLowerCase());
        assert.deepEqual([meter.owner.id, meter.payout], [buyer, buyer]);
        assert.deepEqual(
          meter.transfers.map(({ from, to }: { from?: { id: Hex }; to: { id: Hex } }) => [from?.id, to.id]),
          [
            [undefined, owner],
            [owner, buyer],
          ],
        );
        assert.deepEqual(
          meter.keys.map(({ status }: { status: string }) => status),
          ["SUPERSEDED", "ACTIVE"],
        );
      },
      async "What was settled against the latest attestation?"({ attestations: [attestation] }) {
        const [attestor] = await (await latest()).attestation(attestation.id);
        assert.equal(attestation.attestor, attestor.toLowerCase());
        assert.notEqual(attestor, zeroAddress);
        assert.ok(attestation.settlements.length > 0);
      },
      async "Which readings does this mint rest on?"({ settlements: [settlement] }) {
        assert.equal(settlement.key.id, story.shed.id);
        assert.deepEqual([settlement.fromIndex, settlement.toIndex], ["1", "960"]);
        assert.equal(settlement.attestation, null);
        const { size, root } = settlement.head;
        const [settledSize, settledRoot] = await (await latest()).log(story.shed.id, 1);
        assert.deepEqual([BigInt(size), root], [settledSize, settledRoot]);
      },
      async "Who retired what, for whom, and why?"({ retirements: [first], beneficiaries }) {
        const call = { ...story.token, functionName: "retirement", args: [1n] } as const;
        const { from, amount, beneficiary, name, purpose } = await story.publicClient.readContract(call);
        assert.deepEqual(
          [first.holder.id, first.amount, first.beneficiary.id, first.name, first.purpose],
          [from.toLowerCase(), String(amount), beneficiary.toLowerCase(), name, purpose],
        );
        assert.deepEqual(beneficiaries, [{ id: beneficiary.toLowerCase(), retired: String(amount) }]);
      },
      "Which meters went silent?"({ meters }) {
        assert.deepEqual(
          meters.map(({ id }: { id: Hex }) => id),
          [story.roof.id, story.shed.id],
        );
      },
      "What was refused, and what was skipped?"({ attestationRequests, settlements }) {
        assert.equal(attestationRequests.length, 1);
        assert.notEqual(attestationRequests[0].reason, "");
        assert.deepEqual(
          settlements.map(({ skipReason }: { skipReason: string }) => skipReason),
          ["OVERTAKEN", "OVERTAKEN", "PASSED", "SUPERSEDED", "FROZEN", "CAPACITY_CHANGED", "DECOMMISSIONED"],
        );
        assert.equal(settlements[1].attestation, null);
      },
      "Where are readings missing, and who told two stories?"({ gaps, equivocations }) {
        assert.deepEqual(
          gaps.map(({ reason, duration, energy }: Record<string, string>) => [reason, duration, energy]).sort(),
          [
            ["NEW_KEY", "14400", null],
            ["NEW_KEY", "5400", null],
            ["NEW_LOG", "3600", "1800000"],
            ["NEW_LOG", "7200", "7800000"],
            ["REGISTER_LOST", "1500", null],
          ],
        );
        assert.equal(equivocations.length, 1);
        assert.equal(equivocations[0].key.id, story.barn.id);
      },
      async "What did they all produce, who holds it, and what was so at an earlier block?"({ protocol, earlier }) {
        const now = await (await latest()).token("totalSupply");
        assert.equal(protocol.supply, String(now));
        assert.equal(earlier.supply, String(await viewsOf(story, 60n).token("totalSupply")));
        assert.notEqual(earlier.supply, protocol.supply);
      },
    };

    for (const [title, check] of Object.entries(expected)) {
      it(title, async () => {
        const question = (await readQuestions()).find((one) => one.title === title);
        assert.ok(question, "the README does not ask this");
        const answer = await ask(question.query.replaceAll(LISBON, story.roof.id));
        await check(answer);
        if (question.answer !== undefined)
          assert.deepEqual(Object.keys(question.answer as object), Object.keys(answer));
      });
    }

    it("every question", async () => {
      assert.deepEqual(
        (await readQuestions()).map(({ title }) => title),
        Object.keys(expected),
      );
    });
  });
});

describe(`the subgraph, when the chain is reorganised${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(120_000);
  const stops = createStops();
  before(function () {
    if (reason) this.skip();
  });
  after(() => stops.stopAll());

  it("takes back what a reorganisation of the chain takes back, and goes on from there", async () => {
    const { anvil, story, node } = await open(stops);
    const ask = asking(node);
    await story.register(story.roof);
    await story.at(START + 3600);
    await node.indexed(await story.publicClient.getBlockNumber());
    const before = await bothAt(story, ask, await story.publicClient.getBlockNumber());
    const settlement = { meter: story.roof, to: 13 };
    await story.settleAttested(settlement);
    const settled = await story.publicClient.getBlockNumber();
    await node.indexed(settled);
    const query = `{ settlements(where: { block: ${settled} }) { produced } attestations { id } hours { id } }`;
    const there = await ask(query);
    assert.deepEqual(there.settlements, [{ produced: String(3_600_000) }]);

    await anvil.reorganise(2);
    assert.equal(await story.publicClient.getBlockNumber(), settled);
    // the indexer notices when the new chain is longer
    await anvil.request("evm_mine");
    const gone = async () =>
      (await ask(`{ settlements(where: { block: ${settled} }) { id } }`)).settlements.length === 0;
    for (const end = Date.now() + PATIENCE; !(await gone()); await delay(50))
      assert.ok(Date.now() < end, "is still there");
    await node.indexed(settled + 1n);
    const after = await bothAt(story, ask, settled + 1n);
    assert.deepEqual(after.told, after.said);
    assert.deepEqual(after.told.meters, before.told.meters);
    assert.deepEqual(after.told.protocol, before.told.protocol);

    await story.settleAttested(settlement);
    const again = await story.publicClient.getBlockNumber();
    await node.indexed(again);
    const back = await bothAt(story, ask, again);
    assert.deepEqual(back.told, back.said);
    assert.notDeepEqual(back.told.protocol, before.told.protocol);
  });
});
