/** The report of a DON, signed by its nodes as OCR2 demands, for FunctionsCoordinator.transmit. */
import {
  concat,
  encodeAbiParameters,
  type Hex,
  keccak256,
  pad,
  parseAbi,
  parseAbiParameters,
  parseSignature,
  toHex,
} from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Outcome } from "./aggregate.ts";

const COMMITMENT =
  "struct Commitment { bytes32 requestId; address coordinator; uint96 estimatedTotalCostJuels; address client; uint64 subscriptionId; uint32 callbackGasLimit; uint72 adminFee; uint72 donFee; uint40 gasOverheadBeforeCallback; uint40 gasOverheadAfterCallback; uint32 timeoutTimestamp; }";

export const coordinatorAbi = parseAbi([
  COMMITMENT,
  "function setConfig(address[] signers, address[] transmitters, uint8 f, bytes onchainConfig, uint64 offchainConfigVersion, bytes offchainConfig)",
  "function latestConfigDetails() view returns (uint32 configCount, uint32 blockNumber, bytes32 configDigest)",
  "function transmit(bytes32[3] reportContext, bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)",
  "event OracleRequest(bytes32 indexed requestId, address indexed requestingContract, address requestInitiator, uint64 subscriptionId, address subscriptionOwner, bytes data, uint16 dataVersion, bytes32 flags, uint64 callbackGasLimit, Commitment commitment)",
  "error ReportInvalid(string reason)",
]);

const commitmentParameters = parseAbiParameters(["Commitment commitment", COMMITMENT]);
const reportParameters = parseAbiParameters(
  "bytes32[] requestIds, bytes[] results, bytes[] errors, bytes[] onchainMetadata, bytes[] offchainMetadata",
);

/** What the coordinator keeps the hash of, and wants to see again. */
export type Commitment = {
  requestId: Hex;
  coordinator: Hex;
  estimatedTotalCostJuels: bigint;
  client: Hex;
  subscriptionId: bigint;
  callbackGasLimit: number;
  adminFee: bigint;
  donFee: bigint;
  gasOverheadBeforeCallback: number;
  gasOverheadAfterCallback: number;
  timeoutTimestamp: number;
};

/** One node signs with one key and sends transactions with another. */
export type NodeKeys = { signer: PrivateKeyAccount; transmitter: PrivateKeyAccount };

export const createNodeKeys = (): NodeKeys => ({
  signer: privateKeyToAccount(generatePrivateKey()),
  transmitter: privateKeyToAccount(generatePrivateKey()),
});

export type ReportContext = readonly [configDigest: Hex, epochAndRound: Hex, extraHash: Hex];

export const reportContext = (configDigest: Hex, epoch: number): ReportContext => [
  configDigest,
  pad(toHex((BigInt(epoch) << 8n) | 1n), { size: 32 }),
  pad("0x", { size: 32 }),
];

/** A report of one request. */
export const encodeReport = (commitment: Commitment, { response, error }: Outcome): Hex =>
  encodeAbiParameters(reportParameters, [
    [commitment.requestId],
    [response],
    [error],
    [encodeAbiParameters(commitmentParameters, [commitment])],
    ["0x"],
  ]);

export type TransmitArguments = readonly [ReportContext, report: Hex, rs: Hex[], ss: Hex[], rawVs: Hex];

/** The arguments of `transmit`, with a signature of each of `signers`. */
export async function signReport(
  context: ReportContext,
  report: Hex,
  signers: readonly PrivateKeyAccount[],
): Promise<TransmitArguments> {
  const hash = keccak256(concat([keccak256(report), ...context]));
  const signatures = await Promise.all(signers.map(async (signer) => parseSignature(await signer.sign({ hash }))));
  const rawVs = concat(signatures.map(({ yParity }) => toHex(yParity, { size: 1 })));
  return [context, report, signatures.map(({ r }) => r), signatures.map(({ s }) => s), pad(rawVs, { dir: "right" })];
}
