/** Whether contracts on a chain are those of one deployment. */
import {
  type Abi,
  BaseError,
  type Hex,
  HttpRequestError,
  isAddressEqual,
  type PublicClient,
  parseAbi,
  TimeoutError,
} from "viem";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "./abi.ts";
import { ROLES } from "./deploy.ts";

const authorityAbi = parseAbi([
  "function hasRole(uint64 role, address account) view returns (bool isMember, uint32 delay)",
]);

export type Contracts = {
  registry: Hex;
  wattWitness: Hex;
  /** undefined = there is none */
  attestor: Hex | undefined;
};

/** Why they do not belong together, in a sentence; undefined = they do. */
export async function whyNotTogether(publicClient: PublicClient, contracts: Contracts): Promise<string | undefined> {
  const { registry, wattWitness, attestor } = contracts;
  for (const address of [registry, wattWitness, ...(attestor ? [attestor] : [])]) {
    if (!(await publicClient.getCode({ address }))) return `There is no contract at ${address} on this chain.`;
  }
  const tells = (address: Hex, abi: Abi | readonly unknown[], functionName: string): Promise<Hex | undefined> =>
    publicClient.readContract({ address, abi: abi as Abi, functionName }).then(
      (told) => told as Hex,
      (error: unknown) => {
        // that nobody answered says nothing of a contract
        const isUnanswered = (cause: unknown) => cause instanceof HttpRequestError || cause instanceof TimeoutError;
        if (error instanceof BaseError && error.walk(isUnanswered)) throw error;
        return undefined;
      },
    );
  const named = await tells(registry, meterRegistryAbi, "wattWitness");
  if (!named) return `${registry} is no MeterRegistry.`;
  const itsRegistry = await tells(wattWitness, wattWitnessAbi, "registry");
  if (!itsRegistry) return `${wattWitness} is no WattWitness.`;
  if (!isAddressEqual(itsRegistry, registry)) {
    return `The WattWitness ${wattWitness} is of another registry: ${itsRegistry}.`;
  }
  if (!isAddressEqual(named, wattWitness)) return `The registry ${registry} names another WattWitness: ${named}.`;
  if (!attestor) return undefined;
  const attested = await tells(attestor, functionsAttestorAbi, "wattWitness");
  if (!attested) return `${attestor} is no FunctionsAttestor.`;
  if (!isAddressEqual(attested, wattWitness)) {
    return `The attestor ${attestor} attests to another WattWitness: ${attested}.`;
  }
  const address = (await tells(registry, meterRegistryAbi, "authority")) as Hex;
  const args = [ROLES.attestor, attestor] as const;
  const [isMember] = await publicClient.readContract({ address, abi: authorityAbi, functionName: "hasRole", args });
  return isMember ? undefined : `The attestor ${attestor} does not have the attestor's role in ${address}.`;
}
