/**
 * Chainlink Functions on a local chain: router v1.0.0, coordinator v1.3.0, allow list and LINK are the contracts that run
 * in production, from @chainlink/contracts; the two price feeds are that package's mocks.
 */
import { encodeAbiParameters, type Hex, parseAbi, parseEther, parseEventLogs, stringToHex, zeroAddress } from "viem";
import { type Deployer, deploy } from "../../contracts/deploy.ts";

export type Chainlink = { router: Hex; coordinator: Hex; link: Hex; donId: Hex };

/** Who calls, and through which node. */
export type Caller = Pick<Deployer, "publicClient" | "wallet">;

const DON_ID = stringToHex("fun-local-1", { size: 32 });
const ALLOW_LIST_ID = stringToHex("allowlist", { size: 32 });

/** wei per LINK, 18 decimals, and US dollars per LINK, 8 decimals */
const LINK_PRICE = { native: parseEther("0.006"), usd: 15_00000000n };

const ROUTER_CONFIG = {
  maxConsumersPerSubscription: 100,
  // the coordinator puts its own fee there and needs this one to be 0
  adminFee: 0n,
  handleOracleFulfillmentSelector: "0x0ca76175",
  gasForCallExactCheck: 5000,
  maxCallbackGasLimits: [300_000, 500_000, 1_000_000],
  subscriptionDepositMinimumRequests: 0,
  subscriptionDepositJuels: 0n,
};

const COORDINATOR_CONFIG = {
  fulfillmentGasPriceOverEstimationBP: 4000,
  feedStalenessSeconds: 86_400,
  gasOverheadBeforeCallback: 105_000,
  gasOverheadAfterCallback: 93_942,
  minimumEstimateGasPriceWei: 10_000_000_000n,
  maxSupportedRequestDataVersion: 1,
  fallbackUsdPerUnitLink: LINK_PRICE.usd,
  fallbackUsdPerUnitLinkDecimals: 8,
  fallbackNativePerUnitLink: LINK_PRICE.native,
  requestTimeoutSeconds: 300,
  donFeeCentsUsd: 3,
  operationFeeCentsUsd: 0,
};

const linkAbi = parseAbi([
  "function grantMintRole(address minter)",
  "function mint(address account, uint256 amount)",
  "function transferAndCall(address to, uint256 amount, bytes data) returns (bool)",
]);

export const routerAbi = parseAbi([
  "function setAllowListId(bytes32 allowListId)",
  "function proposeContractsUpdate(bytes32[] ids, address[] addresses)",
  "function updateContracts()",
  "function createSubscription() returns (uint64 subscriptionId)",
  "function addConsumer(uint64 subscriptionId, address consumer)",
  "event SubscriptionCreated(uint64 indexed subscriptionId, address owner)",
  "event RequestProcessed(bytes32 indexed requestId, uint64 indexed subscriptionId, uint96 totalCostJuels, address transmitter, uint8 resultCode, bytes response, bytes err, bytes callbackReturnData)",
  "event RequestNotProcessed(bytes32 indexed requestId, address coordinator, address transmitter, uint8 resultCode)",
]);

/** Deploys Chainlink Functions; `wallet` becomes its owner and holds a million LINK. */
export async function deployChainlink(deployer: Deployer): Promise<Chainlink> {
  const link = await deploy(deployer, "LinkToken", []);
  const linkToNativeFeed = await deploy(deployer, "MockV3Aggregator", [18, LINK_PRICE.native]);
  const linkToUsdFeed = await deploy(deployer, "MockV3Aggregator", [8, LINK_PRICE.usd]);
  const router = await deploy(deployer, "FunctionsRouter", [link, ROUTER_CONFIG]);
  const coordinator = await deploy(deployer, "FunctionsCoordinator", [
    router,
    COORDINATOR_CONFIG,
    linkToNativeFeed,
    linkToUsdFeed,
  ]);
  const allowList = await deploy(deployer, "TermsOfServiceAllowList", [
    { enabled: false, signerPublicKey: zeroAddress },
    [],
    [],
  ]);

  const { wallet } = deployer;
  const owner = wallet.account.address;
  const [onRouter, onLink] = [
    { chain: wallet.chain, address: router, abi: routerAbi },
    { chain: wallet.chain, address: link, abi: linkAbi },
  ] as const;
  await confirmed(
    deployer,
    wallet.writeContract({ ...onRouter, functionName: "setAllowListId", args: [ALLOW_LIST_ID] }),
  );
  await confirmed(
    deployer,
    wallet.writeContract({
      ...onRouter,
      functionName: "proposeContractsUpdate",
      args: [
        [ALLOW_LIST_ID, DON_ID],
        [allowList, coordinator],
      ],
    }),
  );
  await confirmed(deployer, wallet.writeContract({ ...onRouter, functionName: "updateContracts" }));
  await confirmed(deployer, wallet.writeContract({ ...onLink, functionName: "grantMintRole", args: [owner] }));
  await confirmed(
    deployer,
    wallet.writeContract({ ...onLink, functionName: "mint", args: [owner, parseEther("1000000")] }),
  );
  return { router, coordinator, link, donId: DON_ID };
}

/** A subscription that belongs to `wallet`, still without LINK. */
export async function createSubscription(caller: Caller, { router }: Chainlink): Promise<bigint> {
  const { wallet } = caller;
  const { logs } = await confirmed(
    caller,
    wallet.writeContract({ chain: wallet.chain, address: router, abi: routerAbi, functionName: "createSubscription" }),
  );
  const [created] = parseEventLogs({ abi: routerAbi, eventName: "SubscriptionCreated", logs });
  if (!created) throw new Error("the router created no subscription");
  return created.args.subscriptionId;
}

/** Pays LINK of `wallet` into a subscription, whoever owns it. */
export async function fundSubscription(
  caller: Caller,
  { router, link }: Chainlink,
  subscriptionId: bigint,
  juels: bigint = parseEther("10000"),
): Promise<void> {
  const { wallet } = caller;
  const data = encodeAbiParameters([{ type: "uint64" }], [subscriptionId]);
  await confirmed(
    caller,
    wallet.writeContract({
      chain: wallet.chain,
      address: link,
      abi: linkAbi,
      functionName: "transferAndCall",
      args: [router, juels, data],
    }),
  );
}

/** Lets a client contract spend from a subscription that belongs to `wallet`. */
export async function addConsumer(
  caller: Caller,
  { router }: Chainlink,
  subscriptionId: bigint,
  consumer: Hex,
): Promise<void> {
  const { wallet } = caller;
  await confirmed(
    caller,
    wallet.writeContract({
      chain: wallet.chain,
      address: router,
      abi: routerAbi,
      functionName: "addConsumer",
      args: [subscriptionId, consumer],
    }),
  );
}

/** The receipt of a transaction that must not fail. */
export async function confirmed({ publicClient }: Pick<Caller, "publicClient">, transaction: Promise<Hex>) {
  const receipt = await publicClient.waitForTransactionReceipt({ hash: await transaction });
  if (receipt.status !== "success") throw new Error(`transaction ${receipt.transactionHash} reverted`);
  return receipt;
}
