import assert from "node:assert/strict";
import { createTroubles } from "../../serving/troubles.ts";
import { type Store, StoreUnavailable } from "../../store/store.ts";

describe("what an oracle tells of what goes wrong", () => {
  let isFull: boolean;
  let passed: number;
  beforeEach(() => {
    [isFull, passed] = [false, 0];
  });

  const write = async () => {
    if (isFull) throw new StoreUnavailable("no room");
  };
  const store = { document: async () => ({ write }) } as unknown as Store;
  const create = () => createTroubles(store, () => passed);
  const fails = async () => {
    throw new Error("no answer");
  };

  it("is that the chain cannot be asked, once three looks in a row failed, until one does not", async () => {
    const troubles = create();
    for (const told of [0, 0, 1]) {
      await assert.rejects(troubles.ofLook(fails));
      assert.equal(troubles.told().length, told);
    }
    assert.deepEqual(troubles.told(), ["the chain cannot be asked: no answer"]);
    await troubles.ofLook(async () => {});
    assert.deepEqual(troubles.told(), []);
  });

  it("is that a look does not come to an end", async () => {
    const troubles = create();
    let end = () => {};
    const look = troubles.ofLook(
      () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    );
    passed = 30;
    assert.deepEqual(troubles.told(), []);
    passed = 31;
    assert.deepEqual(troubles.told(), ["the chain has been looked at for 31 s"]);
    end();
    await look;
    assert.deepEqual(troubles.told(), []);
  });

  it("is that the store kept nothing, also where nobody posts again, until something can be written", async () => {
    const troubles = create();
    isFull = true;
    await assert.rejects(troubles.ofPosts(write)(undefined));
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(troubles.told(), ["no room"]);
      await assert.rejects(troubles.ofLook(async () => {}));
    }
    isFull = false;
    await troubles.ofLook(async () => {});
    assert.deepEqual(troubles.told(), []);
  });
});
