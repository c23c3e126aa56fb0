/** The command line of `npm run deploy`, and the one thing that it takes from the environment: the deployer's key. */
import { parseArgs } from "node:util";
import { getAddress, type Hex, isAddress, isHex, size, stringToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { CAPACITY_CEILING, NEVER, NOTICE, type ROLES, THIRTY_DAYS } from "../contracts/deploy.ts";
import type { Contracts } from "../contracts/together.ts";
import { isNetworkName, NETWORKS_FILE } from "../subgraph/networks.ts";

export const HELP = `WattWitness on a chain: the contracts, their roles, and an entry in the table of the subgraph's networks.

  WATTWITNESS_DEPLOYER_KEY=0x… npm run deploy -- --network NAME --rpc-url URL --router 0x… --don-id fun-…-1
  WATTWITNESS_DEPLOYER_KEY=0x… npm run deploy -- --network NAME --rpc-url URL --without-functions
  npm run deploy -- --check --rpc-url URL --registry 0x… --watt-witness 0x… [--attestor 0x…]

  --network NAME              what the table calls this chain; The Graph's name for it, like base-sepolia
  --rpc-url URL               JSON-RPC of one of its nodes
  --router 0x…                Chainlink Functions' router there
  --don-id ID                 its DON: the text, fun-…-1, or its 32 bytes, 0x…
  --without-functions         no FunctionsAttestor: until something else has the attestor's role, meters settle on
                              their signatures alone, as --unattested-after allows
  --administrator 0x…         gets the role, beside the deployer: grants and revokes roles
  --registrar 0x…             gets the role: registers meters
  --operator 0x…              gets the role: asks for attestations; the oracle's account
  --guardian 0x…              gets the role: pauses registrations and attestation requests
  --unattested-after SECONDS  after which an unsettled meter settles without attestation, for good; or
                              never, or always (${THIRTY_DAYS}, 30 days)
  --capacity-ceiling W        with which a meter is registered at most, for good; more is proposed, and waits
                              (${CAPACITY_CEILING})
  --predecessor 0x…           MeterRegistry of an earlier deployment, whose meters this one takes over
  --keep-open                 do not end the setting up: until Authority.close is called no delay holds
  --networks-file FILE        the table (subgraph/networks.json)
  --yes                       do not ask before anything is sent
  --check                     deploy nothing, but tell whether contracts belong together: a MeterRegistry, its
                              WattWitness and, where there is one, the FunctionsAttestor, with its role
  --help                      this text

The deployer pays, and becomes an administrator. Then the setting up ends: whatever role is granted later begins after
${NOTICE / 86_400} days. His private key, 0x and 64 hexadecimal digits, is read from WATTWITNESS_DEPLOYER_KEY only.
Chainlink lists routers and DON ids under "Supported Networks" of Functions:
https://docs.chain.link/chainlink-functions/supported-networks`;

/** Roles that an account can be given right away, in the order in which they are granted. */
const GRANTED = [
  "administrator",
  "registrar",
  "operator",
  "guardian",
] as const satisfies readonly (keyof typeof ROLES)[];

/** W: what four bytes hold */
const MOST_CAPACITY = 0xffff_ffff;

export type Granted = (typeof GRANTED)[number];

export type DeployOptions = {
  network: string;
  rpcUrl: string;
  /** Chainlink's; undefined = no attestor is deployed */
  functions: { router: Hex; donId: Hex } | undefined;
  /** who gets a role; in the order in which they are granted */
  roles: { role: Granted; account: Hex }[];
  /** s, or NEVER */
  unattestedAfter: number;
  /** W */
  capacityCeiling: number;
  predecessor: Hex | undefined;
  /** the setting up does not end */
  keepOpen: boolean;
  networksFile: string;
  /** nobody needs to be asked */
  yes: boolean;
  /** private key of the deployer */
  key: Hex;
};

/** Which contracts are looked at, instead of deploying any. */
export type CheckOptions = { rpcUrl: string; check: Contracts };

export type DeployOptionsResult =
  | { ok: true; options: DeployOptions | CheckOptions | "help" }
  | { ok: false; problem: string };

const REQUIRED = ["network", "rpc-url"] as const;
const OF_FUNCTIONS = ["router", "don-id"] as const;
const TO_CHECK = ["rpc-url", "registry", "watt-witness"] as const;
/** What only a check is told. */
const ONLY_CHECKED = ["registry", "watt-witness", "attestor"] as const;

type Environment = Record<string, string | undefined>;
type Values = Record<string, string | boolean | undefined>;

/** A problem is one sentence. What might be a private key in the wrong place is not repeated in it. */
export function parseDeployOptions(args: readonly string[], environment: Environment): DeployOptionsResult {
  const result = parse(args, environment);
  return result.ok ? result : { ok: false, problem: result.problem.replace(/(0x)?[0-9a-f]{64}/gi, "…") };
}

function parse(args: readonly string[], environment: Environment): DeployOptionsResult {
  let values: Values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        network: { type: "string" },
        "rpc-url": { type: "string" },
        router: { type: "string" },
        "don-id": { type: "string" },
        "without-functions": { type: "boolean" },
        administrator: { type: "string" },
        registrar: { type: "string" },
        operator: { type: "string" },
        guardian: { type: "string" },
        "unattested-after": { type: "string" },
        "capacity-ceiling": { type: "string" },
        predecessor: { type: "string" },
        "keep-open": { type: "boolean" },
        "networks-file": { type: "string" },
        yes: { type: "boolean" },
        check: { type: "boolean" },
        registry: { type: "string" },
        "watt-witness": { type: "string" },
        attestor: { type: "string" },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    return { ok: false, problem: `${(error as Error).message.split(/\. |\n/)[0]}. --help lists the options.` };
  }
  if (values["help"]) return { ok: true, options: "help" };

  const { check, "without-functions": withoutFunctions } = values;
  const required = check ? TO_CHECK : [...REQUIRED, ...(withoutFunctions ? [] : OF_FUNCTIONS)];
  const missing = required.filter((name) => values[name] === undefined).map((name) => `--${name}`);
  if (missing.length > 0) {
    const are = missing.length === 1 ? "is" : "are";
    return { ok: false, problem: `${missing.join(", ")} ${are} missing. --help lists the options.` };
  }
  const apart = whyApart(values);
  if (apart) return { ok: false, problem: apart };
  const text = (name: string): string => values[name] as string;
  if (!check && !isNetworkName(text("network"))) {
    return { ok: false, problem: `--network ${text("network")} is no name: small letters, digits, - and .` };
  }
  if (!/^https?:\/\//.test(text("rpc-url")) || !URL.canParse(text("rpc-url"))) {
    // it is not repeated: many a node's URL holds a key
    return { ok: false, problem: "--rpc-url is no URL: http://… or https://…" };
  }
  for (const name of ["router", "predecessor", ...GRANTED, ...ONLY_CHECKED]) {
    if (values[name] !== undefined && !isAddress(text(name))) {
      return { ok: false, problem: `--${name} ${text(name)} is no address, or has a typing error.` };
    }
  }
  const addressOf = (name: string): Hex | undefined =>
    values[name] === undefined ? undefined : getAddress(text(name));
  if (check) {
    const [registry, wattWitness] = [addressOf("registry") as Hex, addressOf("watt-witness") as Hex];
    const contracts = { registry, wattWitness, attestor: addressOf("attestor") };
    return { ok: true, options: { rpcUrl: text("rpc-url"), check: contracts } };
  }
  const donId = withoutFunctions ? undefined : donIdOf(text("don-id"));
  if (!withoutFunctions && !donId) {
    return { ok: false, problem: `--don-id ${text("don-id")} must be 1 to 31 ASCII characters, or 0x and 32 bytes.` };
  }
  const unattestedAfter = unattestedAfterOf(values["unattested-after"]);
  if (unattestedAfter === undefined) {
    return { ok: false, problem: `--unattested-after ${text("unattested-after")} must be seconds, never or always.` };
  }
  const capacityCeiling = capacityCeilingOf(values["capacity-ceiling"]);
  if (capacityCeiling === undefined) {
    return {
      ok: false,
      problem: `--capacity-ceiling ${text("capacity-ceiling")} must be W, from 1 to ${MOST_CAPACITY}.`,
    };
  }
  const key = environment["WATTWITNESS_DEPLOYER_KEY"];
  if (!isPrivateKey(key)) {
    const problem = key ? "is no private key" : "is missing: the deployer's private key";
    return { ok: false, problem: `WATTWITNESS_DEPLOYER_KEY ${problem}, 0x and 64 hexadecimal digits.` };
  }
  return {
    ok: true,
    options: {
      network: text("network"),
      rpcUrl: text("rpc-url"),
      functions: donId && { router: addressOf("router") as Hex, donId },
      roles: GRANTED.filter((role) => values[role]).map((role) => ({ role, account: getAddress(text(role)) })),
      unattestedAfter,
      capacityCeiling,
      predecessor: addressOf("predecessor"),
      keepOpen: values["keep-open"] === true,
      networksFile: (values["networks-file"] as string | undefined) ?? NETWORKS_FILE,
      yes: values["yes"] === true,
      key,
    },
  };
}

/** Why options do not go together, in a sentence. */
function whyApart(values: Values): string | undefined {
  const given = Object.keys(values);
  if (values["check"]) {
    const other = given.find((name) => ![...TO_CHECK, ...ONLY_CHECKED, "check"].includes(name));
    return other && `--${other} does not go with --check, which deploys nothing.`;
  }
  const checked = ONLY_CHECKED.find((name) => given.includes(name));
  if (checked) return `--${checked} goes with --check only.`;
  const ofFunctions = values["without-functions"] ? OF_FUNCTIONS.find((name) => given.includes(name)) : undefined;
  return ofFunctions && `--${ofFunctions} does not go with --without-functions.`;
}

/** As Chainlink encodes it: ASCII, zeros to its right, one of them at least. */
function donIdOf(text: string): Hex | undefined {
  if (text.startsWith("0x")) return isHex(text) && text.length === 66 ? text : undefined;
  return /^[\x21-\x7e]{1,31}$/.test(text) ? stringToHex(text, { size: 32 }) : undefined;
}

function unattestedAfterOf(value: unknown): number | undefined {
  if (value === undefined) return THIRTY_DAYS;
  if (value === "never") return NEVER;
  if (value === "always") return 0;
  const seconds = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : NEVER;
  return seconds < NEVER ? seconds : undefined;
}

function capacityCeilingOf(value: unknown): number | undefined {
  if (value === undefined) return CAPACITY_CEILING;
  const capacity = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : 0;
  return capacity >= 1 && capacity <= MOST_CAPACITY ? capacity : undefined;
}

/** 0 and what is beyond the curve's order are none. */
function isPrivateKey(text: string | undefined): text is Hex {
  if (!isHex(text) || size(text) !== 32) return false;
  try {
    privateKeyToAccount(text);
    return true;
  } catch {
    return false;
  }
}
