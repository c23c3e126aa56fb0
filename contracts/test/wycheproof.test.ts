import assert from "node:assert/strict";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { numberToHex } from "viem";
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

    it("denied of the same key and signature in other encodings, and of the point at infinity", async () => {
      const call = await openLibraries(network);
      const [fields, scalars] = [p256.Point.Fp, p256.Point.Fn];
      // a key of small x, so that x + p has 32 bytes as well, and a signature made to fit it
      let key: InstanceType<typeof p256.Point> | undefined;
      for (let x = 1n; !key; x++) {
        try {
          key = p256.Point.fromHex(`02${x.toString(16).padStart(64, "0")}`);
        } catch {
          // there is no point of this x
        }
      }
      const { x, y } = key.toAffine();
      let [u, r, s] = [12_345n, 0n, scalars.ORDER];
      for (; s > scalars.ORDER / 2n; u++) {
        r = scalars.create(p256.Point.BASE.multiply(u).add(key.multiply(67_890n)).toAffine().x);
        s = scalars.mul(r, scalars.inv(67_890n));
      }
      const hash = word(scalars.mul(u - 1n, s));
      const isSigned = (signature: [bigint, bigint], [keyX, keyY]: [bigint, bigint]) =>
        call("isSigned", hash, { r: word(signature[0]), s: word(signature[1]) }, { x: word(keyX), y: word(keyY) });
      assert.equal(await isSigned([r, s], [x, y]), true);
      for (const [name, signature, point] of [
        ["x + p", [r, s], [x + fields.ORDER, y]],
        ["-y", [r, s], [x, fields.ORDER - y]],
        ["infinity", [r, s], [0n, 0n]],
        ["a high s", [r, scalars.ORDER - s], [x, y]],
        ["r = 0", [0n, s], [x, y]],
        ["s = 0", [r, 0n], [x, y]],
      ] as [string, [bigint, bigint], [bigint, bigint]][]) {
        assert.equal(await isSigned(signature, point), false, name);
      }
    });
  });
}

const word = (value: bigint) => numberToHex(value, { size: 32 });
