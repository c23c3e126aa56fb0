import assert from "node:assert/strict";
import {
  type Abi,
  concat,
  getAddress,
  type Hex,
  keccak256,
  parseEventLogs,
  toFunctionSelector,
  zeroAddress,
} from "viem";
import { parkFactoryAbi } from "../../abi.ts";
import { artifact, refuses } from "../fixture.ts";
import { DAY, type World, world } from "./acts.ts";
import type { RULES } from "./fixture.ts";

/** IParkFactory.Code */
const CODES = { SolarPark: 0, RestrictedPark: 1, ParkGovernor: 2 } as const;

/** Init code that leaves what follows it as the code, behind a STOP: PUSH2 length, DUP1, PUSH1 10, 0, CODECOPY, 0, RETURN. */
const storing = (piece: Hex): Hex => {
  const length = (piece.length - 2) / 2 + 1;
  return concat([`0x61${length.toString(16).padStart(4, "0")}`, "0x80600a3d393df3", "0x00", piece]);
};

/** A contract whose code is a piece. */
async function stored({ admin, publicClient }: World, piece: Hex): Promise<Hex> {
  const hash = await admin.sendTransaction({ account: admin.account, chain: admin.chain, data: storing(piece) });
  const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash });
  return contractAddress as Hex;
}

describe("the factory of parks", () => {
  const at = world(async ({ deployed }) => ({ harness: await deployed("ParkHarness") }));
  const ask = (functionName: string, ...args: unknown[]): Promise<never> =>
    at().publicClient.readContract({ ...at().factory, functionName, args } as never) as Promise<never>;

  describe("makes no park", () => {
    const rules: [string, Partial<typeof RULES>][] = [
      ["gives less than an hour's notice", { votingDelay: 3_599 }],
      ["is open for less than a day", { votingPeriod: DAY - 1 }],
      ["is done in less than a day", { executionDelay: DAY - 1 }],
      ["takes more than twelve days", { votingPeriod: 11 * DAY - 3_600 + 1 }],
      ["takes more than there is time", { votingDelay: 2 ** 48 - 1 }],
      ["needs no quorum", { quorum: 0 }],
      ["needs more than all", { quorum: 101 }],
      ["nobody can propose to", { proposalThreshold: 1_001 }],
    ];
    for (const [what, change] of rules)
      it(`whose vote ${what}`, () => refuses(at().create({ rules: change }), "RulesInvalid"));

    it("but of its own: nothing else is one of its parks", async () => {
      const { create, ada, factory, deployment } = at();
      const made = await create();
      for (const other of [factory.address, deployment.registry, made.governor, made.timelock, ada.account.address])
        assert.equal(await ask("isPark", other), false);
      assert.equal(await ask("isPark", made.address), true);
    });
  });

  it("makes one with the longest vote, a quorum of all, and a threshold of all shares", async () => {
    const rules = { votingPeriod: 11 * DAY - 3_600, quorum: 100, proposalThreshold: 1_000 };
    await at().create({ rules });
  });

  it("makes one for anyone, and tells and lists it", async () => {
    const { create, stranger, guardian } = at();
    const open = await create({}, stranger);
    const [event] = parseEventLogs({ abi: parkFactoryAbi, eventName: "ParkCreated", logs: open.receipt.logs });
    assert.deepEqual(event?.args, {
      park: open.address,
      creator: getAddress(stranger.account.address),
      governor: open.governor,
      timelock: open.timelock,
      supervisor: zeroAddress,
      name: "Roofs of the Test",
      symbol: "ROOF",
    });
    const supervisor = getAddress(guardian.account.address);
    const restricted = await create({ supervisor });
    assert.equal(await ask("parkCount"), 2n);
    const list = [
      { park: open.address, governor: open.governor, timelock: open.timelock, supervisor: zeroAddress },
      { park: restricted.address, governor: restricted.governor, timelock: restricted.timelock, supervisor },
    ];
    assert.deepEqual(await ask("parks", 0n, 9n), list);
    assert.deepEqual(await ask("parks", 0n, 1n), list.slice(0, 1));
    assert.deepEqual(await ask("parks", 1n, 9n), list.slice(1));
    assert.deepEqual(await ask("parks", 2n, 9n), []);
    assert.equal(await restricted.read("supervisor"), supervisor);
  });

  it("makes what is around it theirs", async () => {
    const { create, deployment, certificates, registry, token } = at();
    const park = await create();
    assert.equal(await ask("registry"), getAddress(registry.address));
    assert.equal(await ask("certificates"), getAddress(certificates.address));
    assert.equal(await park.read("registry"), getAddress(deployment.registry));
    assert.equal(await park.read("certificates"), getAddress(certificates.address));
    assert.equal(await park.read("timelock"), park.timelock);
    assert.deepEqual(await park.read("kinds"), [getAddress(token.address)]);
  });

  for (const [name, code] of Object.entries(CODES))
    it(`makes ${name} of exactly the code that was compiled`, async () => {
      const { bytecode } = await artifact(name);
      assert.equal(await ask("codeHashOf", code), keccak256(bytecode));
    });

  describe("keeps code in pieces, which", () => {
    const onHarness = async () => ({ address: at().harness, abi: (await artifact("ParkHarness")).abi as Abi });
    const read = async (pieces: Hex[], args: Hex = "0x") =>
      at().publicClient.readContract({ ...(await onHarness()), functionName: "readCode", args: [pieces, args] });
    const create = async (pieces: Hex[], args: Hex = "0x") =>
      at().send({ ...(await onHarness()), functionName: "createFrom", args: [pieces, args] });

    it("do nothing when they are called", async () => {
      // which would end a contract that it was run by: CALLER, SELFDESTRUCT
      const piece = await stored(at(), "0x33ff");
      const { publicClient } = at();
      assert.equal(await publicClient.getCode({ address: piece }), "0x0033ff");
      assert.equal((await publicClient.call({ to: piece })).data, undefined);
    });

    it("are read one after the other, and then the arguments", async () => {
      const pieces = [
        await stored(at(), "0x0102"),
        await stored(at(), `0x${"ab".repeat(70)}`),
        await stored(at(), "0x03"),
      ];
      assert.equal(await read(pieces), `0x0102${"ab".repeat(70)}03`);
      assert.equal(await read(pieces, "0xcafe"), `0x0102${"ab".repeat(70)}03cafe`);
      assert.equal(await read([], "0xcafe"), "0xcafe");
    });

    it("make nothing where they revert without a reason", async () => {
      await refuses(create([await stored(at(), "0xfe")]), "CreationFailed");
      await refuses(create([await stored(at(), "0x5f5ffd")]), "CreationFailed");
    });

    it("make nothing where they revert with one, which is said", async () => {
      // reverts with the arguments that follow it: CODESIZE - 11 bytes, copied from the 11th on
      const code = "0x600b380380600b5f395ffd";
      const reason = toFunctionSelector("CreationFailed()");
      await refuses(create([await stored(at(), code)], reason), "CreationFailed");
      await assert.rejects(create([await stored(at(), code)], "0x12345678"), /0x12345678/);
    });

    it("make a contract of all of them", async () => {
      // leaves the code 0x2a: PUSH1 42, 0, MSTORE8, PUSH1 1, 0, RETURN
      const receipt = await create([await stored(at(), "0x602a5f"), await stored(at(), "0x5360015ff3")]);
      const [event] = parseEventLogs({ abi: (await onHarness()).abi, logs: receipt.logs }) as unknown as {
        args: { made: Hex };
      }[];
      assert.equal(await at().publicClient.getCode({ address: event?.args.made as Hex }), "0x2a");
    });
  });
});

describe("the arithmetic of income", () => {
  const at = world(async ({ deployed }) => ({ harness: await deployed("ParkHarness") }));
  const [MOST_UNITS, MOST_SHARE, SCALE] = [2n ** 96n - 1n, 2n ** 128n - 1n, 2n ** 32n];
  type Kind = { held: bigint; carry: number; perShare: bigint };
  const ask = async (functionName: string, ...args: unknown[]): Promise<never> => {
    const { abi } = await artifact("ParkHarness");
    return at().publicClient.readContract({ address: at().harness, abi, functionName, args }) as Promise<never>;
  };
  const add = (kind: Kind, amount: bigint, shares: bigint): Promise<Kind> => ask("add", kind, amount, shares);

  it("divides with a remainder", async () => {
    assert.deepEqual(await ask("divide", 1n, 0n, 3n), [SCALE / 3n, SCALE % 3n]);
    assert.deepEqual(await ask("divide", 1n, 2n, 3n), [(SCALE + 2n) / 3n, (SCALE + 2n) % 3n]);
    assert.deepEqual(await ask("divide", 0n, 2n, 3n), [0n, 2n]);
  });

  it("takes no more than there is room for, and what there is room for whole", async () => {
    const none = { held: 0n, carry: 0, perShare: 0n };
    const all = await add(none, 2n ** 256n - 1n, SCALE - 1n);
    assert.equal(all.held, MOST_UNITS);
    assert.deepEqual(await add(all, 1n, SCALE - 1n), all);
    const full = { held: 5n, carry: 0, perShare: MOST_SHARE };
    assert.deepEqual(await add(full, 1n, 7n), full);
    const last = { held: 5n, carry: 6, perShare: MOST_SHARE - 1n };
    assert.deepEqual(await add(last, 2n ** 256n - 1n, 7n), last);
    // 2^32 / 2 for each of two shares, and 1 that the carry might make
    const almost = { held: 0n, carry: 1, perShare: MOST_SHARE - SCALE / 2n - 1n };
    assert.deepEqual(await add(almost, 9n, 2n), { held: 1n, carry: 1, perShare: MOST_SHARE - 1n });
    const less = { held: 0n, carry: 1, perShare: MOST_SHARE - SCALE / 2n };
    assert.deepEqual(await add(less, 9n, 2n), less);
  });

  it("gives a holder what came in for each of his shares, and lets him claim whole units", async () => {
    const part = { perShare: 5n, accrued: 7n };
    assert.deepEqual(await ask("accrue", part, 9n, 3n), { perShare: 9n, accrued: 19n });
    assert.deepEqual(await ask("accrue", part, 5n, 3n), part);
    assert.equal(await ask("claimable", { perShare: 0n, accrued: 2n * SCALE - 1n }), 1n);
    assert.equal(await ask("claimable", { perShare: 0n, accrued: 2n * SCALE }), 2n);
  });
});
