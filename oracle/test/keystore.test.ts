import assert from "node:assert/strict";
import { openKeystore } from "../keystore.ts";
import { KEYSTORE_KEY, PASSWORD, PBKDF2, SCRYPT } from "./keystores.ts";

describe("a keystore", () => {
  it("is refused where it is none, or asks for more than any wallet would", () => {
    const { crypto } = SCRYPT;
    for (const keystore of [
      "",
      "{",
      "[]",
      "null",
      JSON.stringify({ ...SCRYPT, version: 1 }),
      JSON.stringify({ ...SCRYPT, crypto: { ...crypto, cipher: "aes-128-cbc" } }),
      JSON.stringify({ ...SCRYPT, crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, n: 2 ** 30 } } }),
      JSON.stringify({ ...SCRYPT, crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, n: 1000 } } }),
      JSON.stringify({ ...PBKDF2, crypto: { ...PBKDF2.crypto, cipherparams: { iv: "00" } } }),
      JSON.stringify({ ...PBKDF2, crypto: { ...PBKDF2.crypto, ciphertext: "00" } }),
      JSON.stringify({ ...PBKDF2, crypto: { ...PBKDF2.crypto, kdfparams: { ...PBKDF2.crypto.kdfparams, c: 1e9 } } }),
    ]) {
      assert.deepEqual(
        openKeystore(keystore, PASSWORD),
        { ok: false, problem: "is no keystore of version 3" },
        keystore,
      );
    }
  });

  it("is not opened by another password", () => {
    const opening = openKeystore(JSON.stringify(PBKDF2), "testpassworD");
    assert.deepEqual(opening, { ok: false, problem: "is not opened by WATTWITNESS_OPERATOR_PASSWORD" });
  });

  it("is opened by its own", () => {
    for (const keystore of [PBKDF2, SCRYPT]) {
      assert.deepEqual(openKeystore(JSON.stringify(keystore), PASSWORD), { ok: true, key: KEYSTORE_KEY });
    }
    const { crypto: Crypto, ...rest } = PBKDF2;
    assert.deepEqual(openKeystore(JSON.stringify({ ...rest, Crypto }), PASSWORD), { ok: true, key: KEYSTORE_KEY });
  });
});
