import assert from "node:assert/strict";
import { toHex } from "../../../protocol/index.ts";
import { createOracle, type Oracle } from "../../oracle.ts";
import { type Records, type Store, StoreUnavailable } from "../../store/store.ts";
import { createFakeChain, type FakeChain } from "../chain/fake-chain.ts";
import {
  CAPACITY,
  DEMO_RULES,
  newMeter,
  OWNER,
  openStore,
  PLACE,
  removeDirectories,
  START,
  silent,
  temporaryDirectory,
} from "../support.ts";

/** s after which a transaction is sent again for a higher fee */
const STUCK_AFTER = 300;

describe("an oracle whose store writes no job", () => {
  let chain: FakeChain;
  let oracle: Oracle;
  let now: number;
  let isFull: (transactions: number) => boolean;

  /** The store, which has no room for jobs of so many transactions. */
  function limited(store: Store): Store {
    return {
      ...store,
      async records<T extends object>(name: string): Promise<Records<T>> {
        const records = await store.records<T>(name);
        return {
          ...records,
          async put(id, record) {
            const { transactions = [] } = record as { transactions?: unknown[] };
            if (name === "jobs" && isFull(transactions.length)) throw new StoreUnavailable("no room");
            await records.put(id, record);
          },
        };
      },
    };
  }

  beforeEach(async () => {
    now = START;
    isFull = () => false;
    chain = createFakeChain(PLACE, () => now);
    chain.unattestedAfter = 0;
    const store = limited(await openStore(await temporaryDirectory()));
    const config = { ...DEMO_RULES, confirmations: 1, attestation: undefined };
    oracle = await createOracle({ config, store, chain, now: () => now, logger: silent });
    await oracle.tick();
  });
  afterEach(removeDirectories);

  async function measured() {
    const meter = newMeter();
    meter.advance(START + 100);
    now = START + 100;
    chain.register(meter.device.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) }));
    await oracle.tick();
    now = START + 600;
    meter.advance(now);
    const answer = await oracle.accept(meter.device.nextPost() as never);
    assert.ok(answer.ok, JSON.stringify(answer));
    return meter.device;
  }

  it("sends no transaction that is not written down, says so, and goes on when there is room", async () => {
    const device = await measured();
    isFull = (transactions) => transactions > 0;
    for (let i = 0; i < 3; i++) {
      await assert.rejects(oracle.tick(), StoreUnavailable);
      assert.deepEqual(oracle.troubles(), ["no room"]);
    }
    assert.deepEqual(chain.mined().slice(1), []);
    isFull = () => false;
    for (let i = 0; i < 3; i++) await oracle.tick();
    assert.deepEqual(oracle.troubles(), []);
    assert.deepEqual(chain.mined().slice(1), ["wattWitness"]);
    assert.equal(chain.settled(toHex(device.keyId)).size, device.size);
  });

  it("sends none again for a higher fee that is not written down", async () => {
    const device = await measured();
    chain.automine = false;
    await oracle.tick();
    const sent = oracle.settlement?.jobs()[0]?.transactions[0]?.hash;
    now += STUCK_AFTER;
    isFull = () => true;
    for (let i = 0; i < 2; i++) await assert.rejects(oracle.tick(), StoreUnavailable);
    assert.equal(oracle.settlement?.jobs()[0]?.transactions[0]?.hash, sent);
    isFull = () => false;
    await oracle.tick();
    assert.notEqual(oracle.settlement?.jobs()[0]?.transactions[0]?.hash, sent);
    chain.automine = true;
    chain.mine();
    for (let i = 0; i < 3; i++) await oracle.tick();
    assert.equal(chain.settled(toHex(device.keyId)).size, device.size);
  });
});
