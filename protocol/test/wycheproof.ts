import { readFileSync } from "node:fs";
import { fromHex } from "../bytes.ts";
import { ORDER, SIGNATURE_LENGTH } from "../signature.ts";

/** Beside the repository; a clone alone has no copy of it. */
const FILE = new URL("../../../shared/data/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", import.meta.url);

export type WycheproofCase = {
  name: string;
  message: Uint8Array;
  signature: Uint8Array;
  publicKey: Uint8Array;
  /** as Wycheproof judges, but with a high s refused and any other length than 64 bytes too */
  valid: boolean;
};

/** The cases of C2SP/wycheproof for ECDSA on P-256 with SHA-256 and r ‖ s signatures; undefined where the file is absent. */
export function loadWycheproof(): WycheproofCase[] | undefined {
  let text: string;
  try {
    text = readFileSync(FILE, "utf8");
  } catch {
    return undefined;
  }
  const { testGroups } = JSON.parse(text);
  return testGroups.flatMap(({ publicKey, tests }: { publicKey: { uncompressed: string }; tests: RawCase[] }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => {
      const signature = fromHex(sig);
      const low = signature.length === SIGNATURE_LENGTH && BigInt(`0x${sig.slice(64)}`) <= ORDER >> 1n;
      return {
        name: `${tcId}: ${comment || "no comment"}`,
        message: fromHex(msg),
        signature,
        publicKey: fromHex(publicKey.uncompressed).slice(1),
        valid: result === "valid" && low,
      };
    }),
  );
}

type RawCase = { tcId: number; comment: string; msg: string; sig: string; result: string };
