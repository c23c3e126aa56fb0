/** Whether the contracts' code is what is compiled here, what a constructor wrote into it left out on both sides. */
import { type Hex, hexToBytes, keccak256, type PublicClient } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import type { Config } from "../../../oracle/config.ts";
import { type Compiled, compiled } from "../../chain/artifacts.ts";
import { Problem } from "../../problem.ts";
import { type Finding, judged, skipped, wrong } from "./finding.ts";

const REMEDY = "run the version that was deployed: another one's rules may be others";

export async function code(client: PublicClient, { registry, wattWitness, attestor }: Config): Promise<Finding[]> {
  const onRegistry = { address: registry, abi: meterRegistryAbi } as const;
  const [authority, descriptor, token] = await Promise.all([
    client.readContract({ ...onRegistry, functionName: "authority" }),
    client.readContract({ ...onRegistry, functionName: "descriptor" }),
    client.readContract({ address: wattWitness, abi: wattWitnessAbi, functionName: "token" }),
  ]);
  const contracts: Record<string, Hex> = {
    ...{ Authority: authority, MeterDescriptor: descriptor, MeterRegistry: registry, WattWitness: wattWitness },
    ...{ ProductionToken: token, ...(attestor && { FunctionsAttestor: attestor }) },
  };
  return Promise.all(Object.entries(contracts).map(([name, address]) => codeOf(client, name, address)));
}

async function codeOf(client: PublicClient, name: string, address: Hex): Promise<Finding> {
  const at = `code of ${name}`;
  const contract = await compiled(name).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  if (!contract) return skipped(at, "the contracts are not compiled here: npm run build");
  const onChain = (await client.getCode({ address })) ?? "0x";
  const [theirs, ours] = [masked(onChain, contract), masked(contract.deployedBytecode, contract)];
  const reason = theirs === ours ? undefined : `is not what is compiled here (${theirs}, not ${ours})`;
  return judged(at, reason, `as compiled here: ${ours}`, REMEDY);
}

function masked(bytecode: Hex, { immutables }: Compiled): Hex {
  const bytes = hexToBytes(bytecode);
  for (const { start, length } of immutables) bytes.fill(0, start, start + length);
  return keccak256(bytes);
}

/** What the DON runs: the attestor keeps its hash for good. */
export async function source(client: PublicClient, attestor: Hex, ours: Uint8Array): Promise<Finding> {
  const asked = { address: attestor, abi: functionsAttestorAbi, functionName: "sourceHash" } as const;
  const isOurs = (await client.readContract(asked)) === keccak256(ours);
  const says = "the source of this version";
  return isOurs
    ? judged("code of the DON", undefined, says, "")
    : wrong("code of the DON", "the attestor was deployed for another source than this version's", REMEDY);
}
