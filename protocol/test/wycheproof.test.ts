import assert from "node:assert/strict";
import { verify } from "../signature.ts";
import { loadWycheproof } from "./wycheproof.ts";

const cases = loadWycheproof();

describe("protocol signatures, against Wycheproof", () => {
  it(
    cases ? `judge all ${cases.length} cases, with a high s refused` : "skipped: Wycheproof's file is not there",
    async function () {
      if (!cases) return this.skip();
      for (const { name, message, signature, publicKey, valid } of cases) {
        assert.equal((await verify(message, signature, publicKey)).ok, valid, name);
      }
      assert.ok(cases.some(({ valid }) => valid) && cases.some(({ valid }) => !valid));
    },
  );
});
