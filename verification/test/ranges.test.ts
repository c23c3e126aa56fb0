import assert from "node:assert/strict";
import { logsIn } from "../chain/ranges.ts";
import { type ChainReader, RpcError } from "../index.ts";

const FILTER = { address: `0x${"11".repeat(20)}`, topics: [] } as const;

/** A node of one log in every block, which answers for at most `limit()` blocks at once; and how many it was asked for. */
function createNode(limit: () => number) {
  const asked: number[] = [];
  const chain: ChainReader = {
    async request({ params }) {
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
      const count = Number(toBlock) - Number(fromBlock) + 1;
      asked.push(count);
      if (count > limit()) throw new RpcError(-32_005, "too many");
      return Array.from({ length: count }, (_, i) => Number(fromBlock) + i);
    },
  };
  return { chain, asked };
}
const blocks = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("logs of many blocks", () => {
  it("are not answered by a node that refuses a single block, and it is not asked for ever", async () => {
    const { chain, asked } = createNode(() => 0);
    const answer = await logsIn(chain, FILTER, 0, 999_999);
    assert.ok(!answer.ok && answer.why.rule === "refuses");
    assert.ok(asked.length <= 21, String(asked.length));
  });

  it("are asked for once of a node that cannot be reached, or answers no list", async () => {
    for (const [answer, rule] of [
      [() => Promise.reject(new Error("down")), "unreachable"],
      [async () => ({}), "nonsense"],
    ] as const) {
      let asked = 0;
      const chain: ChainReader = {
        request() {
          asked += 1;
          return answer();
        },
      };
      const answered = await logsIn(chain, FILTER, 0, 999);
      assert.deepEqual([!answered.ok && answered.why.rule, asked], [rule, 1]);
    }
  });

  it("are not asked for any more once nobody waits for them", async () => {
    const waiting = new AbortController();
    const { chain, asked } = createNode(() => 10);
    const answer = await logsIn(chain, FILTER, 0, 999, {
      signal: waiting.signal,
      onRead: (count) => count >= 20 && waiting.abort(),
    });
    assert.equal(answer.ok, false);
    assert.equal(asked.filter((count) => count <= 10).length, 3);
  });

  it("are one question where the node allows it, and of no block none", async () => {
    const { chain, asked } = createNode(() => 1e9);
    assert.deepEqual(await logsIn(chain, FILTER, 5, 2000), { ok: true, value: blocks(5, 2000) });
    assert.deepEqual(await logsIn(chain, FILTER, 5, 4), { ok: true, value: [] });
    assert.deepEqual(asked, [1996]);
  });

  for (const limit of [1, 500, 2000, 10_000]) {
    it(`are complete, in order and each once from a node that allows ${limit}`, async () => {
      const { chain } = createNode(() => limit);
      const last = limit * 20 + 3;
      const read: number[] = [];
      const answer = await logsIn(chain, FILTER, 3, last, { onRead: (count) => read.push(count) });
      assert.ok(answer.ok);
      assert.deepEqual(answer.value, blocks(3, last));
      assert.deepEqual(
        read,
        [...read].sort((a, b) => a - b),
      );
      assert.equal(read.at(-1), last - 2);
    });
  }

  it("are asked for as the node allowed the last time, and more of it again where it allows more", async () => {
    let limit = 500;
    const { chain, asked } = createNode(() => limit);
    await logsIn(chain, FILTER, 0, 1999);
    asked.length = 0;
    await logsIn(chain, FILTER, 0, 1999);
    assert.deepEqual(asked, [500, 500, 500, 500]);
    limit = 100_000;
    asked.length = 0;
    const answer = await logsIn(chain, FILTER, 0, 99_999);
    assert.ok(answer.ok);
    assert.deepEqual(answer.value, blocks(0, 99_999));
    assert.ok(asked.length < 70, String(asked.length));
  });
});
