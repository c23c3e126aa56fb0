/** What a chain has at 0x100, found out as the contracts do (contracts/libraries/Statement.sol), and what that costs. */
import { readFile } from "node:fs/promises";
import { concat, type Hex, numberToHex, type PublicClient, size, slice } from "viem";

const P256_VERIFY = numberToHex(0x100, { size: 20 });
/** SHA-256("123400") signed with r = 5, s = 1, and the key: Wycheproof's case of the smallest r and s. */
const HASH = "0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023";
const KEY =
  "0xa71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac9575d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b";
const YES = numberToHex(1, { size: 32 });
const GAS_FILE = new URL("../../bench/gas.json", import.meta.url);

/** As Statement.Precompile. */
export type Precompile = "absent" | "working" | "broken";

export async function precompileOf(publicClient: PublicClient): Promise<Precompile> {
  const [onBad, onGood] = [await ask(publicClient, 2), await ask(publicClient, 1)];
  if (onBad !== "0x" || (onGood !== "0x" && onGood !== YES)) return "broken";
  return onGood === YES ? "working" : "absent";
}

/** What it answers to the signature with this s; undefined = it reverts. */
async function ask(publicClient: PublicClient, s: number): Promise<Hex | undefined> {
  const data = concat([HASH, numberToHex(5, { size: 32 }), numberToHex(s, { size: 32 }), KEY]);
  try {
    return (await publicClient.call({ to: P256_VERIFY, data })).data ?? "0x";
  } catch (error) {
    // a node that does not answer has said nothing of the chain
    if (/revert|invalid|out of gas/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

/**
 * Code of a contract that is never made: it asks 0x100 what stands behind it, with the gas taken before and after, and
 * returns that gas, 160 bytes of memory's first, and the answer, the last 32.
 */
const METERED = "0x60a060216000395a602060a060a060006101005afa505a900360005260c06000f3";
/** What METERED itself takes in between: the pushes, GAS, POP, a word of memory and a call of what is warm. */
const METERING = 124n;

/** Gas of one verification; undefined where the node does not tell. */
export async function gasOfPrecompile(publicClient: PublicClient): Promise<number | undefined> {
  const input = concat([HASH, numberToHex(5, { size: 32 }), numberToHex(1, { size: 32 }), KEY]);
  const { data } = await publicClient.call({ data: concat([METERED, input]) }).catch(() => ({ data: undefined }));
  if (data === undefined || size(data) !== 192 || slice(data, 160) !== YES) return undefined;
  return Number(BigInt(slice(data, 0, 32)) - METERING);
}

/** What `npm run gas` has measured: of settling a day of one meter, and of deploying. */
export async function measuredGas() {
  const gas = JSON.parse(await readFile(GAS_FILE, "utf8")) as Record<string, number> & {
    without_precompile: Record<string, number>;
  };
  return {
    settling: { with: gas["settle_1x8640"] as number, without: gas.without_precompile["settle_1x8640"] as number },
    deploying: { withDon: gas["deploy_with_don"] as number, withoutDon: gas["deploy"] as number },
  };
}
