/**
 * Proves one reading on the spot, from what the oracle serves and the chain knows, with tools that a sceptic has: a
 * shell script that can be read, pasted and run anywhere, and what it prints.
 */
import { spawn } from "node:child_process";
import { encodeFunctionData, type Hex } from "viem";
import { wattWitnessAbi } from "../contracts/abi.ts";
import { decodeReading, fromHex, toHex } from "../protocol/index.ts";
import type { Roof } from "./roof.ts";
import type { World } from "./world.ts";

/** What GET /logs/:keyId/:epoch/readings/:index answers. */
type ServedReading = {
  keyId: Hex;
  epoch: number;
  index: number;
  reading: Hex;
  signed: { size: number; reading: Hex; root: Hex; signature: Hex; proof: Hex[] };
  settled?: { size: number; root: Hex; proof: Hex[]; mark?: { transaction: Hex; block: number } };
};

export type Proof = { summary: string; script: string };

/** undefined where the oracle has no such reading, or it is not settled yet. */
export async function proofOf(
  { chain, deployment, oracle, place }: Pick<World, "chain" | "deployment" | "place"> & { oracle: { url: string } },
  roof: Pick<Roof, "name" | "device">,
  index: number,
): Promise<Proof | undefined> {
  const { device } = roof;
  const path = `/logs/${toHex(device.keyId)}/${device.epoch}/readings/${index}`;
  const response = await fetch(new URL(path, oracle.url));
  if (!response.ok) return undefined;
  const served = (await response.json()) as ServedReading;
  const { signed, settled, reading, epoch, keyId } = served;
  const decoded = decodeReading(fromHex(reading));
  if (!settled || !decoded.ok) return undefined;

  const call = encodeFunctionData({
    abi: wattWitnessAbi,
    functionName: "verifyReading",
    args: [keyId, epoch, { index: BigInt(index), reading, proof: settled.proof }],
  });
  const body = {
    jsonrpc: "2.0",
    id: 1,
    method: "eth_call",
    params: [{ to: deployment.wattWitness, data: call }, "latest"],
  };
  const { timestamp, energy, power } = decoded.value;
  const script = [
    "hash() { xxd -r -p | sha256sum | cut -c1-64; }",
    "",
    `# 1. The reading is leaf ${index} of the log of ${signed.size} readings whose root the device signed (RFC 9162).`,
    `h=$(echo 00${bare(reading)} | hash)`,
    ...climb(index, signed.size, signed.proof),
    `echo "root computed: $h"`,
    `echo "root signed:   ${bare(signed.root)}"`,
    "",
    "# 2. The head with that root, signed by the device's key: domain, epoch, size, last reading, root.",
    `d=$(echo ${bare(domainInput(place))} | hash) # "WattWitness/1 head", chain id, registry`,
    `echo \${d}${u32(epoch)}${u64(signed.size)}${bare(signed.reading)}\${h} | xxd -r -p > head.bin`,
    `echo ${derOfKey(device.publicKey)} | xxd -r -p | openssl pkey -pubin -inform DER -out key.pem`,
    `echo ${derOfSignature(fromHex(signed.signature))} | xxd -r -p > signature.der`,
    "openssl dgst -sha256 -verify key.pem -signature signature.der head.bin",
    "",
    "# 3. The contract says so too: 1 = this reading is part of the settled log.",
    `curl -s -H 'content-type: application/json' ${chain.url} -d '${JSON.stringify(body)}'`,
    "echo",
  ].join("\n");
  const mark = settled.mark ? `, settled by transaction ${settled.mark.transaction}` : "";
  return {
    summary:
      `${roof.name}, reading ${index}: ${new Date(timestamp * 1000).toISOString()}, ` +
      `${Number(power) / 1000} W, ${Number(energy) / 1e6} kWh${mark}`,
    script,
  };
}

/** Runs a script in `folder`; what it prints, errors included. */
export function runScript(script: string, folder: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn("bash", ["-c", script], { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (error) => resolve(`bash cannot be run: ${error.message}`));
    child.once("close", () => resolve(output));
  });
}

/** One line of shell a level, from leaf to root: left and right of each node are told by index and size alone. */
function climb(index: number, size: number, proof: readonly Hex[]): string[] {
  const lines: string[] = [];
  let [node, last] = [index, size - 1];
  const rest = [...proof];
  while (last > 0) {
    if (node % 2 === 1) lines.push(`h=$(echo 01${bare(rest.shift() as Hex)}\${h} | hash)`);
    else if (node < last) lines.push(`h=$(echo 01\${h}${bare(rest.shift() as Hex)} | hash)`);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return lines;
}

const bare = (hex: string): string => hex.replace(/^0x/, "");
const u32 = (value: number): string => value.toString(16).padStart(8, "0");
const u64 = (value: number): string => value.toString(16).padStart(16, "0");

/** What domain(head) is the hash of. */
const domainInput = ({ chainId, registry }: World["place"]): string =>
  Buffer.from("WattWitness/1 head").toString("hex") + u64(Number(chainId)) + bare(registry).toLowerCase();

/** SubjectPublicKeyInfo of a P-256 key (RFC 5480): a fixed header, then the uncompressed point. */
const derOfKey = (publicKey: Uint8Array): string =>
  `3059301306072a8648ce3d020106082a8648ce3d030107034200${"04"}${bare(toHex(publicKey))}`;

/** ECDSA-Sig-Value (RFC 3279): a sequence of the integers r and s. */
function derOfSignature(signature: Uint8Array): string {
  const integer = (bytes: Uint8Array): number[] => {
    const significant = [...bytes.subarray(bytes.findIndex((byte) => byte !== 0))];
    const value = (significant[0] as number) & 0x80 ? [0, ...significant] : significant;
    return [0x02, value.length, ...value];
  };
  const body = [...integer(signature.subarray(0, 32)), ...integer(signature.subarray(32))];
  return bare(toHex(Uint8Array.from([0x30, body.length, ...body])));
}
