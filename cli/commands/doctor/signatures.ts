/** Who verifies: the chain its signatures, and a DON the batches, or none. */
import { readFile } from "node:fs/promises";
import type { PublicClient } from "viem";
import { functionsAttestorAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { NEVER } from "../../../contracts/deploy.ts";
import type { Config } from "../../../oracle/config.ts";
import { measuredGas, precompileOf } from "../../chain/precompile.ts";
import { nameOf } from "../deploy/plan.ts";
import { source } from "./code.ts";
import { type Finding, judged, skipped, well, wrong } from "./finding.ts";

const SOURCE_FILE = new URL("../../../functions-source/verify-batch.js", import.meta.url);

export async function signatures(client: PublicClient, config: Config): Promise<Finding[]> {
  return [await precompile(client), ...(await don(client, config))];
}

async function precompile(client: PublicClient): Promise<Finding> {
  const found = await precompileOf(client);
  if (found === "broken") {
    const remedy = "deploy on another chain, and move the meters there (contracts/README.md)";
    return wrong("signatures", "0x100 of this chain accepts a bad P-256 signature, or reverts", remedy);
  }
  const { settling: gas } = await measuredGas();
  const [cheap, dear] = [gas.with, gas.without].map((amount) => amount.toLocaleString("en"));
  return found === "working"
    ? well("signatures", `verified by the chain at 0x100: settling a day of a meter takes some ${cheap} gas`)
    : well("signatures", `verified in Solidity: settling a day of a meter takes some ${dear} gas, not ${cheap}`);
}

async function don(client: PublicClient, { wattWitness, attestor }: Config): Promise<Finding[]> {
  const onWattWitness = { address: wattWitness, abi: wattWitnessAbi } as const;
  const unattestedAfter = await client.readContract({ ...onWattWitness, functionName: "unattestedAfter" });
  if (!attestor) {
    if (unattestedAfter !== NEVER) {
      const since = unattestedAfter === 0 ? "always" : `when what they settled is ${unattestedAfter} s old`;
      return [skipped("DON", `none: meters settle on their devices' signatures alone, ${since}`)];
    }
    const remedy = "set WATTWITNESS_ATTESTOR and what goes with it (oracle/README.md)";
    return [wrong("DON", "none, and this deployment settles nothing without an attestation", remedy)];
  }
  const onAttestor = { address: attestor, abi: functionsAttestorAbi } as const;
  const [donId, isPaused] = await Promise.all([
    client.readContract({ ...onAttestor, functionName: "donId" }),
    client.readContract({ ...onAttestor, functionName: "paused" }),
  ]);
  const reason = isPaused ? "the attestor is paused by a guardian: nothing is attested" : undefined;
  return [
    judged("DON", reason, `${nameOf(donId)}, by the attestor ${attestor}`, "ask the guardian why, and to unpause it"),
    await source(client, attestor, await readFile(SOURCE_FILE)),
  ];
}
