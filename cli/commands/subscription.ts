/**
 * `wattwitness subscription`: of Chainlink Functions, which pays the DON for attestations. Chainlink's own toolkit does the
 * same, over a library that is larger than all the rest of the package.
 */
import { Command, Option } from "commander";
import { encodeAbiParameters, formatEther, type Hex, parseAbi, parseEventLogs } from "viem";
import { functionsAttestorAbi } from "../../contracts/abi.ts";
import { routerAbi, subscriptionFunds } from "../../oracle/chain/viem/funds.ts";
import { functionsOn } from "../chain/chains.ts";
import { type Deployment, deploymentOf, reach } from "../chain/deployment.ts";
import { refusalIn } from "../chain/refusals.ts";
import { type Call, outcome, outcomeText, senderOf } from "../chain/sending.ts";
import { aboutChain, address, link as linkAmount, type SendingOptions, sends, telling, whole } from "../command.ts";
import { EXIT, firstLine, Problem } from "../problem.ts";
import { type Answer, list } from "../terminal/telling.ts";
import { notSent } from "./token.ts";

const writingAbi = parseAbi([
  "function createSubscription() returns (uint64 subscriptionId)",
  "function addConsumer(uint64 subscriptionId, address consumer)",
  "event SubscriptionCreated(uint64 indexed subscriptionId, address owner)",
  "error InvalidSubscription()",
  "error MustBeSubscriptionOwner()",
  "error TooManyConsumers(uint16 maximumConsumers)",
  "error SenderMustAcceptTermsOfService(address sender)",
]);
const linkAbi = parseAbi([
  "function balanceOf(address account) view returns (uint256)",
  "function transferAndCall(address to, uint256 amount, bytes data) returns (bool)",
  "error InvalidSubscription()",
  "error OnlyCallableFromLink()",
]);

const AFTER = `
The oracle's operator has to own it: an attestor lets nobody spend another's. Chainlink lists routers and LINK under
"Supported Networks" of Functions: https://docs.chain.link/chainlink-functions/supported-networks

Examples:
  $ export WATTWITNESS_RPC_URL=https://… WATTWITNESS_FUNCTIONS_ROUTER=0x… WATTWITNESS_ATTESTOR=0x…
  $ wattwitness subscription create --key-file operator.json
  $ wattwitness subscription fund 42 5 --link 0x… --key-file operator.json       5 LINK, of whomever
  $ wattwitness subscription consumer add 42 --key-file operator.json
  $ wattwitness subscription status 42`;

export function subscriptionCommand(): Command {
  const subscription = new Command("subscription")
    .description("Chainlink Functions' subscription, which pays for attestations")
    .addHelpText("after", AFTER);
  const reads = (parent: Command, name: string) =>
    onRouter(aboutChain(parent.command(name))).addHelpText("after", AFTER);
  const writes = (parent: Command, name: string) => sends(reads(parent, name));
  writes(subscription, "create").description("open one, which is the sender's").action(telling(create));
  writes(subscription, "fund")
    .description("pay LINK into one, whosever it is")
    .argument("<id>", "its number", whole)
    .argument("<LINK>", "how much: 5.5", linkAmount)
    .option("--link <address>", "the LINK token there (on a public chain, that which Chainlink listed)", address)
    .action(telling(fund));
  const consumer = subscription.command("consumer").description("who may spend it").addHelpText("after", AFTER);
  writes(consumer, "add")
    .description("let an attestor spend one of yours")
    .argument("<id>", "its number", whole)
    .argument("[attestor]", "the FunctionsAttestor; that of --attestor or --network", address)
    .action(telling(addConsumer));
  reads(subscription, "status")
    .description("what is in it, whose it is, who spends it, and for how many requests it lasts")
    .argument("<id>", "its number", whole)
    .action(telling(status));
  return subscription;
}

const onRouter = (command: Command): Command =>
  command
    .addOption(
      new Option("--router <address>", "Chainlink Functions' router there")
        .env("WATTWITNESS_FUNCTIONS_ROUTER")
        .argParser(address),
    )
    .addOption(
      new Option("--attestor <address>", "the FunctionsAttestor").env("WATTWITNESS_ATTESTOR").argParser(address),
    );

type Options = SendingOptions & { router?: Hex; attestor?: Hex };

/** A chain with a router of Chainlink Functions. */
type Place = Pick<Deployment, "client" | "chainId"> & { router: Hex };

async function placeOf({ router: told, rpcUrl }: Options): Promise<Place> {
  const place = await reach(rpcUrl);
  const router = told ?? (await functionsOn(place.chainId))?.router;
  if (router === undefined) throw new Problem("Which router? --router 0x…, or WATTWITNESS_FUNCTIONS_ROUTER.");
  if (!(await place.client.getCode({ address: router }))) {
    throw new Problem(`--router ${router} has no code on chain ${place.chainId}.`);
  }
  return { ...place, router };
}

/** As it is told, or in the table of networks; undefined where neither says so. */
const attestorOf = async (options: Options): Promise<Hex | undefined> =>
  options.attestor ?? (options.network === undefined ? undefined : (await deploymentOf(options)).attestor);

async function subscriptionOf({ client, router }: Place, id: number) {
  const asked = { address: router, abi: routerAbi, functionName: "getSubscription", args: [BigInt(id)] } as const;
  return client.readContract(asked).catch((error: unknown) => {
    const isUnknown = refusalIn(error)?.includes("InvalidSubscription");
    throw new Problem(
      isUnknown
        ? `The router ${router} keeps no subscription ${id}.`
        : `${router} does not answer as a router of Chainlink Functions: ${firstLine(error)}`,
    );
  });
}

async function create(options: Options): Promise<Answer> {
  const place = await placeOf(options);
  const attestor = await attestorOf(options);
  const sender = await senderOf(place, options);
  const receipt = await sender.send({
    ...{ address: place.router, abi: writingAbi, functionName: "createSubscription", args: [] },
    does: `opens a subscription of Chainlink Functions, which is ${sender.account.address}'s`,
  });
  if (!receipt) return notSent;
  const [event] = parseEventLogs({ abi: writingAbi, eventName: "SubscriptionCreated", logs: receipt.logs });
  if (!event) throw new Problem(`The transaction ${receipt.transactionHash} opened none: is ${place.router} a router?`);
  const { subscriptionId: id, owner } = event.args;
  const lines = [
    `The subscription ${id} is ${owner}'s: ${outcomeText(receipt)}`,
    "",
    "Next:",
    `  wattwitness subscription fund ${id} 5 --link 0x…`,
    `  wattwitness subscription consumer add ${id} ${attestor ?? "0x…"}`,
    `  WATTWITNESS_SUBSCRIPTION_ID=${id} and WATTWITNESS_FUNCTIONS_ROUTER=${place.router} for the oracle, whose operator's key is this one`,
  ];
  return { text: lines.join("\n"), data: { subscription: id, owner, router: place.router, ...outcome(receipt) } };
}

async function fund(id: number, juels: bigint, options: Options & { link?: Hex }): Promise<Answer> {
  const place = await placeOf(options);
  const link = options.link ?? (await functionsOn(place.chainId))?.link;
  if (link === undefined) throw new Problem("Which token is LINK there? --link 0x…", EXIT.usage);
  const { balance } = await subscriptionOf(place, id);
  const sender = await senderOf(place, options);
  const onLink = { address: link, abi: linkAbi } as const;
  const has = await place.client
    .readContract({ ...onLink, functionName: "balanceOf", args: [sender.account.address] })
    .catch(() => {
      throw new Problem(`--link ${link} is no token on chain ${place.chainId}.`);
    });
  if (juels === 0n) throw new Problem("Nothing would be paid in.");
  if (has < juels)
    throw new Problem(`${sender.account.address} has ${formatEther(has)} LINK: not ${formatEther(juels)}.`);
  const receipt = await sender.send({
    ...onLink,
    does: `pays ${formatEther(juels)} LINK into the subscription ${id}, which has ${formatEther(balance)}`,
    functionName: "transferAndCall",
    args: [place.router, juels, encodeAbiParameters([{ type: "uint64" }], [BigInt(id)])],
  });
  if (!receipt) return notSent;
  const { balance: now } = await subscriptionOf(place, id);
  return {
    text: `The subscription ${id} has ${formatEther(now)} LINK: ${outcomeText(receipt)}`,
    data: { subscription: id, paid_juels: juels, balance_juels: now, ...outcome(receipt) },
  };
}

async function addConsumer(id: number, given: Hex | undefined, options: Options): Promise<Answer> {
  const place = await placeOf(options);
  const attestor = given ?? (await attestorOf(options));
  if (!attestor) throw new Problem("Which attestor? Its address, or --network of one that has it in the table.");
  const { owner, consumers } = await subscriptionOf(place, id);
  await checkAttestor(place, attestor);
  if (consumers.includes(attestor)) throw new Problem(`The subscription ${id} has ${attestor} as consumer already.`);
  const sender = await senderOf(place, options);
  if (sender.account.address !== owner) {
    throw new Problem(`The subscription ${id} is ${owner}'s: ${sender.account.address} would send it.`);
  }
  const call: Call = {
    ...{ address: place.router, abi: writingAbi, functionName: "addConsumer", args: [BigInt(id), attestor] },
    does: `lets the attestor ${attestor} spend the subscription ${id}, whenever its owner asks for an attestation`,
  };
  const receipt = await sender.send(call);
  if (!receipt) return notSent;
  return {
    text: `${attestor} spends the subscription ${id}: ${outcomeText(receipt)}`,
    data: { subscription: id, consumer: attestor, ...outcome(receipt) },
  };
}

async function checkAttestor({ client, chainId }: Place, attestor: Hex): Promise<void> {
  const asked = { address: attestor, abi: functionsAttestorAbi, functionName: "donId" } as const;
  await client.readContract(asked).catch(() => {
    throw new Problem(`There is no FunctionsAttestor at ${attestor} on chain ${chainId}.`);
  });
}

async function status(id: number, options: Options): Promise<Answer> {
  const place = await placeOf(options);
  const { balance, blockedBalance, owner, consumers } = await subscriptionOf(place, id);
  const attestor = await attestorOf(options);
  if (attestor) await checkAttestor(place, attestor);
  const price = await place.client.getGasPrice();
  const needed = attestor && (await neededFor(place, attestor, id, price));
  const lasts = needed === undefined ? undefined : (balance - blockedBalance) / needed;
  const isConsumer = attestor && consumers.includes(attestor);
  return {
    text: list({
      ...{ subscription: id, owner, has: `${formatEther(balance)} LINK` },
      reserved: blockedBalance === 0n ? undefined : `${formatEther(blockedBalance)} LINK, for requests under way`,
      consumers: consumers.join(", ") || "none",
      attestor:
        attestor && (isConsumer ? `${attestor} spends it` : `${attestor} is no consumer: subscription consumer add`),
      lasts:
        needed === undefined
          ? "not known: --attestor says which DON is asked"
          : `for ${lasts} requests, of up to ${formatEther(needed)} LINK where gas costs what it does now`,
      router: `${place.router} on chain ${place.chainId}`,
    }),
    data: {
      ...{ subscription: id, owner, balance_juels: balance, reserved_juels: blockedBalance, consumers },
      ...(attestor && { attestor, is_consumer: isConsumer }),
      ...(needed !== undefined && { request_juels: needed, requests: lasts, gas_price: price }),
    },
  };
}

/** Juels that the DON may take for a request. */
async function neededFor(place: Place, attestor: Hex, id: number, price: bigint): Promise<bigint> {
  const subscription = { router: place.router, attestor, id: BigInt(id) };
  const { needed } = await subscriptionFunds(place.client, subscription, price).catch((error: unknown) => {
    throw new Problem(`The DON of ${attestor} does not say what a request costs: ${firstLine(error)}`);
  });
  return needed;
}
