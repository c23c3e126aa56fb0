import assert from "node:assert/strict";
import { createLog, frontier } from "../../../protocol/index.ts";
import { extendFrontier, rootOfFrontier } from "../../store/hashes.ts";
import { readingsOf } from "./contract.ts";

describe("a frontier", () => {
  it("grown leaf by leaf is the protocol's, and so is its root", () => {
    const readings = readingsOf(70);
    const tree = createLog(readings);
    let grown: Uint8Array[] = [];
    for (let size = 1; size <= 70; size++) {
      grown = extendFrontier(grown, size - 1, tree.range(size - 1, size));
      assert.deepEqual(grown, frontier(tree.range, size));
      assert.deepEqual(rootOfFrontier(grown), tree.root(size));
    }
  });
});
