/** What the subgraph has to say of a run: whether that is what the chain says, and its answers to the README's questions. */
import { readQuestions } from "../subgraph/questions.ts";
import { letThingsHappen } from "./incidents.ts";
import type { GraphNode } from "./indexer/index.ts";
import { mintedAt } from "./tally.ts";
import type { World } from "./world.ts";

export type History = {
  /** tokens minted, by the subgraph and by the contract, at the same block */
  agrees: boolean;
  answers: { title: string; answer: unknown }[];
};

/** Lets happen what there should be to ask about, and asks every question. Time must stand still. */
export async function askHistory(world: World, indexer: GraphNode): Promise<History> {
  await letThingsHappen(world);
  const block = await world.chain.publicClient.getBlockNumber({ cacheTime: 0 });
  await indexer.indexed(block);
  const { data } = await indexer.ask(`{ protocol(id: "wattwitness", block: { number: ${block} }) { supply retired } }`);
  const { supply, retired } = (data as { protocol: { supply: string; retired: string } }).protocol;
  const agrees = BigInt(supply) + BigInt(retired) === (await mintedAt(world, block));

  const answers: History["answers"] = [];
  for (const { title, query } of await readQuestions()) {
    const answer = await indexer.ask(query);
    if (answer.errors) throw new Error(`${title} ${answer.errors[0]?.message}`);
    answers.push({ title, answer: answer.data });
  }
  return { agrees, answers };
}
