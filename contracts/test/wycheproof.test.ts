import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { SIGNATURE_LENGTH, toHex } from "../../protocol/index.ts";
import { loadWycheproof } from "../../protocol/test/wycheproof.ts";
import { publicKeyParts, signatureParts } from "../settlement.ts";
import { NETWORKS, openLibraries } from "./fixture.ts";

const cases = loadWycheproof()?.filter(({ signature }) => signature.length === SIGNATURE_LENGTH);

for (const [network, where] of NETWORKS) {
  describe(`signatures on ${where}, against Wycheproof`, () => {
    it(
      cases
        ? `judge all ${cases.length} cases of 64 bytes, with a high s refused`
        : "skipped: Wycheproof's file is not there",
      async function () {
        if (!cases) return this.skip();
        const call = await openLibraries(network);
        for (const { name, message, signature, publicKey, valid } of cases) {
          const hash = toHex(sha256(message));
          assert.equal(await call("isSigned", hash, signatureParts(signature), publicKeyParts(publicKey)), valid, name);
        }
      },
    );
  });
}
