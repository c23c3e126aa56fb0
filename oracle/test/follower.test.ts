import assert from "node:assert/strict";
import { createFollower } from "../follower.ts";
import { createFakeChain } from "./fake-chain.ts";
import { PLACE, removeDirectories, START, temporaryDirectory } from "./support.ts";

describe("the oracle's clock", () => {
  afterEach(removeDirectories);

  async function follower() {
    const clock = { chain: START, wall: 1_000_000 };
    const chain = createFakeChain(PLACE, () => clock.chain);
    const directory = await temporaryDirectory();
    const wall = () => clock.wall;
    return { clock, chain, follower: await createFollower({ directory, chain, fromBlock: 0, confirmations: 2, wall }) };
  }

  it("is the chain's, whatever this machine's says", async () => {
    const { follower: known } = await follower();
    await known.follow();
    assert.equal(known.now(), START);
  });

  it("goes on between two looks, and while the chain stands still", async () => {
    const { follower: known, clock } = await follower();
    await known.follow();
    clock.wall += 40;
    assert.equal(known.now(), START + 40);
    await known.follow();
    assert.equal(known.now(), START + 40);
  });

  it("does not go back when this machine's does", async () => {
    const { follower: known, clock } = await follower();
    await known.follow();
    clock.wall -= 500;
    assert.equal(known.now(), START);
  });
});
