/** What it takes to try the demo's chain oneself, as somebody who holds tokens. */
import { encodeFunctionData, getAddress, type Hex } from "viem";
import { productionTokenAbi } from "../../contracts/abi.ts";
import { ACCOUNTS } from "../deployment.ts";
import type { World } from "../world.ts";

export type Trial = {
  rpc_url: string;
  chain_id: number;
  oracle_url: string;
  contracts: { registry: Hex; WattWitness: Hex; token: Hex; lens: Hex; attestor: Hex; router: Hex };
  /** The owner of the first roof: it has Ether, and the kWh that the roof produced. Its key is known to everybody. */
  account: { address: Hex; private_key: Hex };
  /** A command that retires a Wh of them. */
  try: string;
  /** A command that replays everything from the last token back to the devices' keys. */
  audit: string;
};

export type TrialWorld = Pick<World, "deployment" | "attestor" | "chainlink"> & {
  chain: Pick<World["chain"], "url" | "publicClient" | "wallet" | "key">;
  oracle: { url: string };
};

export function trialOf({ chain, oracle, deployment, attestor, chainlink }: TrialWorld): Trial {
  const { address } = chain.wallet(ACCOUNTS.firstOwner).account;
  const token = getAddress(deployment.token);
  return {
    rpc_url: chain.url,
    chain_id: chain.publicClient.chain?.id as number,
    oracle_url: oracle.url,
    contracts: {
      registry: getAddress(deployment.registry),
      WattWitness: getAddress(deployment.wattWitness),
      token,
      lens: getAddress(deployment.lens),
      attestor: getAddress(attestor),
      router: getAddress(chainlink.router),
    },
    account: { address, private_key: chain.key(ACCOUNTS.firstOwner) },
    try: retireCommand(chain.url, token, address),
    audit: auditCommand(chain.url, getAddress(deployment.registry), oracle.url),
  };
}

export function howToTry(world: TrialWorld): string {
  const { rpc_url, chain_id, oracle_url, contracts, account, try: command, audit } = trialOf(world);
  const places = { "rpc url": rpc_url, "chain id": chain_id, oracle: oracle_url, ...contracts };
  return [
    "",
    ...Object.entries(places).map(([name, value]) => `${name.padEnd(11)}  ${value}`),
    "",
    "The owner of the first roof, who has Ether and what it",
    "produced; everybody knows the key, so use it here only:",
    "",
    `account      ${account.address}`,
    account.private_key,
    "",
    "As the holder of these tokens, retire a Wh of them:",
    "",
    command,
    "",
    "and see what was retired by all (in hex, 10^-18 kWh):",
    "",
    askCommand(rpc_url, contracts.token),
    "",
    "Audit all of it, from the last token back to the devices:",
    "",
    audit,
  ].join("\n");
}

const auditCommand = (rpcUrl: string, registry: Hex, oracle: string): string =>
  ["npx wattwitness audit", `--rpc-url ${rpcUrl}`, `--registry ${registry}`, `--batches ${oracle}`].join(" \\\n  ");

const WH = 10n ** 15n;
/** The most that a call takes by far, so that nothing needs to be estimated. */
const GAS = "0x7a120";
/** columns of what is pasted: the rest of a command's line fits beside it */
const COLUMNS = 58;

/** A node for development signs for its accounts, so that curl is all it takes. */
function retireCommand(rpcUrl: string, token: Hex, from: Hex): string {
  const data = encodeFunctionData({
    abi: productionTokenAbi,
    functionName: "retire",
    args: [WH, from, "me", "to try it"],
  });
  return commandOf(rpcUrl, "eth_sendTransaction", data, [
    `"from": "${from}",`,
    `"to": "${token}",`,
    `"gas": "${GAS}",`,
  ]);
}

function askCommand(rpcUrl: string, token: Hex): string {
  const data = encodeFunctionData({ abi: productionTokenAbi, functionName: "totalRetired" });
  return commandOf(rpcUrl, "eth_call", data, [`"to": "${token}",`], ', "latest"');
}

function commandOf(rpcUrl: string, method: string, data: Hex, fields: string[], more = ""): string {
  const lines = `data=${data}`.match(new RegExp(`.{1,${COLUMNS - 1}}`, "g")) as string[];
  return [
    lines.join("\\\n"),
    `curl -sS ${rpcUrl} \\`,
    "  -H 'content-type: application/json' -d '{",
    '  "jsonrpc": "2.0", "id": 1,',
    `  "method": "${method}", "params": [{`,
    ...fields.map((field) => `    ${field}`),
    `    "data": "'$data'" }${more}] }'; echo`,
  ].join("\n");
}
