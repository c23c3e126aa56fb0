/** What administrators have announced. */
import { type Hex, type PublicClient, parseAbi } from "viem";

const authorityAbi = parseAbi([
  "event OperationScheduled(bytes32 indexed operationId, uint32 indexed nonce, uint48 schedule, address caller, address target, bytes data)",
  "function getSchedule(bytes32 id) view returns (uint48)",
]);

/** `when`: Unix time, s, from which it may be done. */
export type Operation = { when: number; target: Hex; data: Hex };

/** What is scheduled in an Authority since a block, and neither executed nor cancelled nor expired. */
export async function scheduledIn(publicClient: PublicClient, authority: Hex, since: number): Promise<Operation[]> {
  const onAuthority = { address: authority, abi: authorityAbi } as const;
  const events = await publicClient.getContractEvents({
    ...{ ...onAuthority, eventName: "OperationScheduled", fromBlock: BigInt(since), strict: true },
  } as const);
  // one that was scheduled again has the same id
  const operations = new Map(events.map(({ args }) => [args.operationId, args]));
  const scheduled: Operation[] = [];
  for (const [operationId, { target, data }] of operations) {
    const when = await publicClient.readContract({ ...onAuthority, functionName: "getSchedule", args: [operationId] });
    if (when !== 0) scheduled.push({ when, target, data });
  }
  return scheduled;
}
