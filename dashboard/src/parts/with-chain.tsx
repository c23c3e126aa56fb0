/** What stands in a view that reads from the visitor's node alone, until it has read. */
import type { ComponentChildren } from "preact";
import type { Place } from "../../../protocol/index.ts";
import type { ChainReader, Why } from "../../../verification/index.ts";
import { chain, deployed } from "../model/chain.ts";
import { failure, refresh } from "../model/live.ts";
import { strings } from "../strings/index.ts";
import { AskForChain } from "./ask-for-chain.tsx";
import { Empty, Failure, Loading } from "./common.tsx";
import { sayWhy } from "./steps.tsx";

/** `children`: what is shown once there is a node to ask and something to ask it about. */
export function WithChain({
  title,
  children,
}: {
  title: string;
  children: (chain: ChainReader, place: Place) => ComponentChildren;
}) {
  if (!chain) {
    return (
      <Empty title={title}>
        <p>{strings.value.chain.ask}</p>
        <AskForChain />
      </Empty>
    );
  }
  const place = deployed.value;
  if (!place) return failure.value ? <Failure error={failure.value} again={refresh} /> : <Loading />;
  return <>{children(chain, place)}</>;
}

/** The node did not tell: why, and what can be done. */
export function Untold({ why, again }: { why: Why; again: () => void }) {
  const { chain: words, failed } = strings.value;
  return (
    <div class="card message" role="alert" data-rule={why.rule}>
      <h2>{words.failed}</h2>
      <p>{sayWhy(why)}</p>
      <code>{why.says}</code>
      <button type="button" class="button" onClick={again}>
        {failed.again}
      </button>
      <AskForChain />
    </div>
  );
}
