/** One view of a contract, at one block. */
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
} from "viem";
import { type Answer, answered, ask, octets, tag, unanswered } from "../../verification/chain/asking.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";

export type AtBlock = { chain: ChainReader; block: number };

type Views<A extends Abi> = ContractFunctionName<A, "view" | "pure">;

/** Refuses: `unreachable`, `refuses`, `nonsense`. */
export async function viewOf<const A extends Abi, N extends Views<A>>(
  { chain, block }: AtBlock,
  { address, abi }: { address: Hex; abi: A },
  functionName: N,
  args: ContractFunctionArgs<A, "view" | "pure", N> = [] as never,
): Promise<Answer<ContractFunctionReturnType<A, "view" | "pure", N>>> {
  const data = encodeFunctionData({
    abi: abi as Abi,
    functionName: functionName as string,
    args: args as readonly unknown[],
  });
  const answer = await ask(chain, "eth_call", [{ to: address, data }, tag(block)]);
  if (!answer.ok) return answer;
  const nonsense = () =>
    unanswered("nonsense", `The chain's node answers ${functionName} of ${address} with what it cannot be.`);
  if (!octets(answer.value)?.length) return nonsense();
  try {
    return answered(
      decodeFunctionResult({
        abi: abi as Abi,
        functionName: functionName as string,
        data: answer.value as Hex,
      }) as never,
    );
  } catch {
    return nonsense();
  }
}
