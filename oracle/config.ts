/** The environment, validated once, as a typed object. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Type, { type Static, type TSchema } from "typebox";
import { Value } from "typebox/value";
import { BATCH_LIMIT } from "../protocol/index.ts";
import type { Hex } from "./chain/chain.ts";
import { openKeystore } from "./keystore.ts";

const HOUR = 3600;
/** Where they are built. */
const DASHBOARD = fileURLToPath(new URL("../dashboard/dist", import.meta.url));
const GWEI = 1_000_000_000n;

const text = (pattern: string, description: string) => Type.String({ pattern, description });
const address = () => text("^0x[0-9a-fA-F]{40}$", "an address: 0x and 40 hexadecimal digits");
const whole = (minimum: number, maximum: number, fallback: number) =>
  Type.Integer({ minimum, maximum, default: fallback, description: `a whole number from ${minimum} to ${maximum}` });

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

const Environment = Type.Object({
  /** JSON-RPC endpoint of the chain */
  WATTWITNESS_RPC_URL: text("^https?://.+", "a URL: http://… or https://…"),
  /** MeterRegistry */
  WATTWITNESS_REGISTRY: address(),
  /** WattWitness */
  WATTWITNESS_WATTWITNESS: address(),
  /** HourlyCertificates; without it pages show no certificates of hours */
  WATTWITNESS_HOURLY_CERTIFICATES: Type.Optional(address()),
  /** ParkFactory; without it pages show no parks */
  WATTWITNESS_PARK_FACTORY: Type.Optional(address()),
  /** FunctionsAttestor; without it meters settle on their signatures alone, where the contract allows it */
  WATTWITNESS_ATTESTOR: Type.Optional(address()),
  /** Chainlink Functions subscription that the operator owns */
  WATTWITNESS_SUBSCRIPTION_ID: Type.Optional(text("^\\d{1,20}$", "the number of a subscription")),
  /** Chainlink Functions' router there; with it the subscription's balance is watched */
  WATTWITNESS_FUNCTIONS_ROUTER: Type.Optional(address()),
  /** private key of the operator's account; without it the oracle keeps readings and settles nothing */
  WATTWITNESS_OPERATOR_KEY: Type.Optional(text("^0x[0-9a-fA-F]{64}$", "a private key: 0x and 64 hexadecimal digits")),
  /** of a keystore, where the file with the operator's key is one */
  WATTWITNESS_OPERATOR_PASSWORD: Type.Optional(Type.String({ minLength: 1, description: "a password" })),
  /** base URLs at which the DON reaches this oracle or its mirrors, separated by commas; five at most */
  WATTWITNESS_PUBLIC_URLS: Type.Optional(
    text(
      "^ *https?://[^, ]+ *(, *https?://[^, ]+ *){0,4}$",
      "one to five URLs (http://… or https://…) separated by commas",
    ),
  ),
  /** a folder that a static host serves: batches and logs are put there before an attestation is asked for */
  WATTWITNESS_PUBLISH_DIR: Type.Optional(Type.String({ minLength: 1, description: "a directory" })),
  /** the same for a bucket of an S3-compatible store, or a folder in one */
  WATTWITNESS_PUBLISH_S3_URL: Type.Optional(
    text("^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$", "the URL of a bucket, without a key in it"),
  ),
  WATTWITNESS_PUBLISH_S3_KEY_ID: Type.Optional(Type.String({ minLength: 1, description: "an access key id" })),
  WATTWITNESS_PUBLISH_S3_SECRET: Type.Optional(Type.String({ minLength: 1, description: "a secret access key" })),
  /** where it is not in the URL */
  WATTWITNESS_PUBLISH_S3_REGION: Type.Optional(text("^[\\w-]+$", "the name of a region")),
  /** an MQTT broker that is told of the meters, as Home Assistant discovers them */
  WATTWITNESS_MQTT_URL: Type.Optional(
    text("^(mqtts?|wss?)://[^\\s]+$", "the URL of an MQTT broker: mqtt://… or mqtts://…"),
  ),
  /** PostgreSQL database in which everything is kept, by any number of oracles; without it, a directory */
  WATTWITNESS_DATABASE_URL: Type.Optional(text("^postgres(ql)?://.+", "a URL: postgres://… or postgresql://…")),
  /** where everything is kept by an oracle without a database */
  WATTWITNESS_DATA_DIR: Type.String({ minLength: 1, default: "data", description: "a directory" }),
  /** a folder with pages for people, as `npm run dashboard:build` makes them */
  WATTWITNESS_DASHBOARD_DIR: Type.String({ minLength: 1, default: DASHBOARD, description: "a directory" }),
  /** block in which the contracts were deployed, or any before */
  WATTWITNESS_FROM_BLOCK: whole(0, Number.MAX_SAFE_INTEGER, 0),
  /** s between looks at the chain */
  WATTWITNESS_POLL_EVERY: whole(1, HOUR, 5),
  /** s between seals */
  WATTWITNESS_SETTLE_EVERY: whole(0, 365 * 24 * HOUR, 24 * HOUR),
  /** s before the second attempt at a batch that was refused; doubles with each, five in all */
  WATTWITNESS_RETRY_AFTER: whole(1, HOUR, 60),
  /** s; settlements end at a multiple of it, at a full UTC hour by default; 0 = anywhere */
  WATTWITNESS_ALIGNMENT: whole(0, 24 * HOUR, HOUR),
  /** bytes of a batch: the DON's HTTP limit */
  WATTWITNESS_BATCH_LIMIT: whole(1000, BATCH_LIMIT, BATCH_LIMIT),
  /** blocks, its own included, after which an event is final */
  WATTWITNESS_CONFIRMATIONS: whole(1, 1000, 12),
  /** gwei per gas at most */
  WATTWITNESS_MAX_GAS_PRICE: whole(1, 1_000_000, 50),
  /** how much is logged */
  LOG_LEVEL: Type.String({
    pattern: `^(${LOG_LEVELS.join("|")})$`,
    default: "info",
    description: `one of ${LOG_LEVELS.join(", ")}`,
  }),
  /** whether heads that nothing needs any more are kept, too */
  WATTWITNESS_KEEP_HEADS: Type.String({ pattern: "^(all|needed)$", default: "needed", description: "all or needed" }),
  /** whose pages may read this oracle in a browser */
  WATTWITNESS_CORS_ORIGINS: Type.String({
    pattern: "^(\\*|https?://[^/, ]+( *, *https?://[^/, ]+)*)$",
    default: "*",
    description: "* or origins (https://…, without a path) separated by commas",
  }),
  /** whether a proxy that is trusted stands before it and says who asks */
  WATTWITNESS_TRUST_PROXY: Type.String({ pattern: "^(yes|no)$", default: "no", description: "yes or no" }),
  HOST: Type.String({ minLength: 1, default: "127.0.0.1", description: "an address to listen on" }),
  PORT: whole(0, 65_535, 8000),
});

/** Names whose values are never shown, and may stand in a file instead: `<name>_FILE` says in which. */
const SECRETS = new Set([
  "WATTWITNESS_OPERATOR_PASSWORD",
  "WATTWITNESS_OPERATOR_KEY",
  "WATTWITNESS_RPC_URL",
  "WATTWITNESS_DATABASE_URL",
  "WATTWITNESS_MQTT_URL",
  "WATTWITNESS_PUBLISH_S3_URL",
  "WATTWITNESS_PUBLISH_S3_KEY_ID",
  "WATTWITNESS_PUBLISH_S3_SECRET",
]);

/** Names of all settings, and of those that say in which file a secret stands. */
export const SETTINGS: readonly string[] = [
  ...Object.keys(Environment.properties),
  ...[...SECRETS].map((name) => `${name}_FILE`),
];

export type Config = {
  rpcUrl: string;
  registry: Hex;
  wattWitness: Hex;
  hourlyCertificates: Hex | undefined;
  parkFactory: Hex | undefined;
  attestor: Hex | undefined;
  router: Hex | undefined;
  operatorKey: Hex | undefined;
  attestation: { subscriptionId: bigint; publicUrls: string[] } | undefined;
  publishing:
    | {
        directory?: string;
        s3?: { url: string; keyId: string; secret: string; region?: string };
        /** base URLs from which everybody fetches what was published */
        publicUrls: string[];
      }
    | undefined;
  mqttUrl: string | undefined;
  databaseUrl: string | undefined;
  dataDirectory: string;
  /** with pages for people */
  dashboardDirectory: string;
  fromBlock: number;
  /** s */
  pollEvery: number;
  /** s */
  settleEvery: number;
  /** s */
  retryAfter: number;
  /** s */
  alignment: number;
  /** bytes */
  batchLimit: number;
  confirmations: number;
  /** wei */
  maxGasPrice: bigint;
  keepsHeads: boolean;
  origins: "*" | string[];
  trustProxy: boolean;
  logLevel: string;
  host: string;
  port: number;
};

export type ConfigResult = { ok: true; config: Config } | { ok: false; problems: string[] };

const readText = (path: string): string => readFileSync(path, "utf8");

/**
 * Every problem is one sentence that begins with the variable's name. An empty variable counts as missing. `read` gives the
 * content of a file.
 */
export function readConfig(environment: Record<string, string | undefined>, read = readText): ConfigResult {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const { given, problems } = withSecrets(set as Record<string, string>, read);
  const known = Object.keys(Environment.properties);
  const values = Value.Default(
    Environment,
    Object.fromEntries(
      known.filter((name) => name in given).map((name) => [name, asGiven(name, given[name] as string)]),
    ),
  ) as Record<string, unknown>;

  problems.push(...known.flatMap((name) => problemOf(name, values[name])));
  problems.push(...together(given));
  problems.push(
    ...Object.keys(given)
      .filter((name) => name.startsWith("WATTWITNESS_") && !known.includes(name))
      .map((name) => `${name} is no setting of this oracle`),
  );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: configOf(values as Environment) };
}

/** The database's URL, for commands that need no other setting; or the problem, in a sentence. */
export function readDatabaseUrl(
  environment: Record<string, string | undefined>,
  read = readText,
): { ok: true; url: string } | { ok: false; problem: string } {
  const name = "WATTWITNESS_DATABASE_URL";
  const { value, problem } = secretOf(name, environment, read);
  if (problem !== undefined) return { ok: false, problem };
  if (!value) return { ok: false, problem: `${name} is missing: it must be ${propertyOf(name).description}` };
  const [wrong] = problemOf(name, value);
  return wrong === undefined ? { ok: true, url: value } : { ok: false, problem: wrong };
}

/** What a secret is, itself or in a file. */
function secretOf(
  name: string,
  environment: Record<string, string | undefined>,
  read: (path: string) => string,
): { value?: string | undefined; problem?: string } {
  const file = `${name}_FILE`;
  const [value, path] = [environment[name] || undefined, environment[file] || undefined];
  if (path === undefined) return { value };
  if (value !== undefined) return { value, problem: `${file} is one too many: ${name} is set, too` };
  try {
    return { value: read(path).replace(/[\r\n]+$/, "") };
  } catch (error) {
    return { problem: `${file} cannot be read: ${(error as Error).message}` };
  }
}

const KEY = "WATTWITNESS_OPERATOR_KEY";

/** With what stands in files in its place, and the key of a keystore in that of the keystore. */
function withSecrets(set: Record<string, string>, read: (path: string) => string) {
  const given = { ...set };
  const problems: string[] = [];
  for (const name of SECRETS) {
    const { value, problem } = secretOf(name, given, read);
    delete given[`${name}_FILE`];
    if (value !== undefined) given[name] = value;
    if (problem !== undefined) problems.push(problem);
  }
  if (given[KEY]?.startsWith("{")) {
    const opening = openKeystore(given[KEY], given["WATTWITNESS_OPERATOR_PASSWORD"] ?? "");
    if (opening.ok) given[KEY] = opening.key;
    else {
      delete given[KEY];
      problems.push(`${KEY} ${opening.problem}`);
    }
  }
  return { given, problems };
}

type Environment = Static<typeof Environment>;

type Described = TSchema & { type?: string; description?: string };

const propertyOf = (name: string): Described => Environment.properties[name as keyof Environment];

const asGiven = (name: string, value: string): unknown =>
  propertyOf(name).type === "integer" && /^\d+$/.test(value) ? Number(value) : value;

function problemOf(name: string, value: unknown): string[] {
  const property = propertyOf(name);
  const isRequired = Environment.required.includes(name as never);
  if (value === undefined) return isRequired ? [`${name} is missing: it must be ${property.description}`] : [];
  if (Value.Check(property, value)) return [];
  const shown = SECRETS.has(name) ? "" : `, not "${value}"`;
  return [`${name} must be ${property.description}${shown}`];
}

/** What is of no use alone. */
function together(given: Record<string, unknown>): string[] {
  const needed = (by: string, names: string[], why: string) =>
    by in given ? names.filter((name) => !(name in given)).map((name) => `${name} is missing: ${why}`) : [];
  return [
    // an attestor is asked by an operator, for a subscription, to fetch from somewhere
    ...needed(
      "WATTWITNESS_ATTESTOR",
      ["WATTWITNESS_SUBSCRIPTION_ID", "WATTWITNESS_OPERATOR_KEY", "WATTWITNESS_PUBLIC_URLS"],
      "WATTWITNESS_ATTESTOR cannot be asked without it",
    ),
    ...needed("WATTWITNESS_FUNCTIONS_ROUTER", ["WATTWITNESS_ATTESTOR"], "its subscription pays for an attestor"),
    ...needed("WATTWITNESS_PUBLISH_DIR", ["WATTWITNESS_OPERATOR_KEY"], "who settles nothing publishes nothing"),
    ...needed(
      "WATTWITNESS_PUBLISH_S3_URL",
      ["WATTWITNESS_OPERATOR_KEY", "WATTWITNESS_PUBLISH_S3_KEY_ID", "WATTWITNESS_PUBLISH_S3_SECRET"],
      "WATTWITNESS_PUBLISH_S3_URL cannot be written to without it",
    ),
  ];
}

function publishingOf(environment: Environment, publicUrls: string[]): Config["publishing"] {
  const directory = environment.WATTWITNESS_PUBLISH_DIR;
  const url = environment.WATTWITNESS_PUBLISH_S3_URL;
  const keyId = environment.WATTWITNESS_PUBLISH_S3_KEY_ID;
  const secret = environment.WATTWITNESS_PUBLISH_S3_SECRET;
  const region = environment.WATTWITNESS_PUBLISH_S3_REGION;
  if (directory === undefined && url === undefined) return undefined;
  return {
    ...(directory !== undefined && { directory }),
    ...(url && keyId && secret && { s3: { url, keyId, secret, ...(region !== undefined && { region }) } }),
    publicUrls,
  };
}

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function configOf(environment: Environment): Config {
  const subscriptionId = environment.WATTWITNESS_SUBSCRIPTION_ID;
  const publicUrls = listOf(environment.WATTWITNESS_PUBLIC_URLS ?? "");
  return {
    rpcUrl: environment.WATTWITNESS_RPC_URL,
    registry: environment.WATTWITNESS_REGISTRY as Hex,
    wattWitness: environment.WATTWITNESS_WATTWITNESS as Hex,
    hourlyCertificates: environment.WATTWITNESS_HOURLY_CERTIFICATES as Hex | undefined,
    parkFactory: environment.WATTWITNESS_PARK_FACTORY as Hex | undefined,
    attestor: environment.WATTWITNESS_ATTESTOR as Hex | undefined,
    router: environment.WATTWITNESS_FUNCTIONS_ROUTER as Hex | undefined,
    operatorKey: environment.WATTWITNESS_OPERATOR_KEY as Hex | undefined,
    attestation:
      environment.WATTWITNESS_ATTESTOR && subscriptionId
        ? { subscriptionId: BigInt(subscriptionId), publicUrls }
        : undefined,
    publishing: publishingOf(environment, publicUrls),
    mqttUrl: environment.WATTWITNESS_MQTT_URL,
    databaseUrl: environment.WATTWITNESS_DATABASE_URL,
    dataDirectory: environment.WATTWITNESS_DATA_DIR,
    dashboardDirectory: environment.WATTWITNESS_DASHBOARD_DIR,
    fromBlock: environment.WATTWITNESS_FROM_BLOCK,
    pollEvery: environment.WATTWITNESS_POLL_EVERY,
    settleEvery: environment.WATTWITNESS_SETTLE_EVERY,
    retryAfter: environment.WATTWITNESS_RETRY_AFTER,
    alignment: environment.WATTWITNESS_ALIGNMENT,
    batchLimit: environment.WATTWITNESS_BATCH_LIMIT,
    confirmations: environment.WATTWITNESS_CONFIRMATIONS,
    maxGasPrice: BigInt(environment.WATTWITNESS_MAX_GAS_PRICE) * GWEI,
    keepsHeads: environment.WATTWITNESS_KEEP_HEADS === "all",
    origins: environment.WATTWITNESS_CORS_ORIGINS === "*" ? "*" : listOf(environment.WATTWITNESS_CORS_ORIGINS),
    trustProxy: environment.WATTWITNESS_TRUST_PROXY === "yes",
    logLevel: environment.LOG_LEVEL,
    host: environment.HOST,
    port: environment.PORT,
  };
}
