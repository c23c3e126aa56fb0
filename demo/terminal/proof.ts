/**
 * Proves one reading on the spot, from what the oracle serves and the chain knows, with tools that a sceptic has: a
 * shell script that can be read, pasted into any shell and run anywhere, now or years later, and what it prints.
 */
import { spawn } from "node:child_process";
import { encodeFunctionData, type Hex } from "viem";
import { wattWitnessAbi } from "../../contracts/abi.ts";
import { headParts, publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import { decodeReading, fromHex, toHex } from "../../protocol/index.ts";
import type { Roof } from "../roof.ts";
import type { World } from "../world.ts";

/** Beside what every shell has. */
const TOOLS = "openssl curl sed cut mktemp";
/** columns of the script: what is pasted from a terminal has its lines */
const COLUMNS = 58;
/** ms that it may take */
const PATIENCE = 20_000;

/** What GET /logs/:keyId/:epoch/readings/:index answers. */
type ServedReading = {
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
  const { signed, settled, reading, epoch } = served;
  const decoded = decodeReading(fromHex(reading));
  if (!settled || !decoded.ok) return undefined;

  const head = { epoch, size: signed.size, reading: fromHex(signed.reading), root: fromHex(signed.root) };
  const signature = fromHex(signed.signature);
  // of the settled log a proof would hold until it is settled on; under a signed head it holds for ever
  const call = encodeFunctionData({
    abi: wattWitnessAbi,
    functionName: "verifySigned",
    args: [
      publicKeyParts(device.publicKey),
      headParts(head),
      signatureParts(signature),
      { index: BigInt(index), reading, proof: signed.proof },
    ],
  });
  const lines = [
    `for tool in ${TOOLS}; do`,
    "  command -v $tool > /dev/null && continue",
    '  echo "This needs $tool, which is not installed here."',
    "  exit 1",
    "done",
    'folder=$(mktemp -d) && cd "$folder" || exit 1',
    "trap 'rm -r \"$folder\"' EXIT",
    "bytes() {",
    "  for byte in $(sed 's/../& /g'); do",
    "    byte=$((0x$byte))",
    '    printf "\\\\$((byte / 64))$((byte / 8 % 8))$((byte % 8))"',
    "  done",
    "}",
    "sha256() { bytes | openssl dgst -sha256 -r | cut -c1-64; }",
    "",
    `# 1. The reading is leaf ${index} of a log of ${signed.size}`,
    "# readings (RFC 9162), whose root the device signed.",
    `h=$(echo 00${bare(reading)} | sha256)`,
    ...climb(index, signed.size, signed.proof),
    `root=${bare(signed.root)}`,
    'echo "root computed $(echo $h | cut -c1-40)…"',
    'echo "root signed   $(echo $root | cut -c1-40)…"',
    "",
    "# 2. The device's key signed the head with that root:",
    "# domain, epoch, size, last reading, root. The domain is",
    '# the hash of "WattWitness/1 head", chain id, registry.',
    `d=$(echo ${bare(domainInput(place))} | sha256)`,
    `head=\${d}${u32(epoch)}${u64(signed.size)}${bare(signed.reading)}\${h}`,
    `key=${derOfKey(device.publicKey)}`,
    `signature=${derOfSignature(signature)}`,
    "echo $head | bytes > head.bin",
    "echo $signature | bytes > signature.der",
    "echo $key | bytes > key.der",
    "openssl pkey -pubin -inform DER -in key.der -out key.pem",
    "openssl dgst -sha256 -verify key.pem \\",
    "  -signature signature.der head.bin",
    "",
    "# 3. The contract says so too, and that the key is a",
    "# registered meter's: verifySigned answers 1.",
    `call=${call}`,
    "curl -sS -H 'content-type: application/json' \\",
    `  ${chain.url} -d @- > answer.json <<END`,
    '{"jsonrpc": "2.0", "id": 1, "method": "eth_call",',
    '  "params": [{',
    `    "to": "${deployment.wattWitness}",`,
    '    "data": "$call"',
    '  }, "latest"]}',
    "END",
    'echo "the contract answers $(sed \\',
    '  \'s/.*"result":"0x0\\{63\\}\\(.\\)".*/\\1/\' answer.json)"',
  ];
  const mark = settled.mark ? `, settled by transaction ${settled.mark.transaction}` : "";
  const { timestamp, energy, power } = decoded.value;
  return {
    summary:
      `${roof.name}, reading ${index}: ${new Date(timestamp * 1000).toISOString()}, ` +
      `${Number(power) / 1000} W, ${Number(energy) / 1e6} kWh${mark}`,
    script: ["sh <<'PROOF'", ...lines.map(broken), "PROOF"].join("\n"),
  };
}

/** A long word of shell on lines of its own, joined again by the shell. */
const broken = (line: string): string =>
  line.length <= COLUMNS ? line : (line.match(new RegExp(`.{1,${COLUMNS - 1}}`, "g")) as string[]).join("\\\n");

/** Runs a script; what it prints, errors included. */
export function runScript(script: string, shell = "sh", env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(shell, ["-c", script], { env, stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (error) => resolve(`${shell} cannot be run: ${error.message}`));
    child.once("close", () => resolve(output));
  });
}

/** One line of shell a level, from leaf to root: left and right of each node are told by index and size alone. */
function climb(index: number, size: number, proof: readonly Hex[]): string[] {
  const lines: string[] = [];
  let [node, last] = [index, size - 1];
  const rest = [...proof];
  while (last > 0) {
    if (node % 2 === 1) lines.push(`h=$(echo 01${bare(rest.shift() as Hex)}\${h} | sha256)`);
    else if (node < last) lines.push(`h=$(echo 01\${h}${bare(rest.shift() as Hex)} | sha256)`);
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
