/** `wattwitness mirror`. */
import { setTimeout as delay } from "node:timers/promises";
import { type Mirrored, mirror, placeOf, verdictOf } from "../../../auditor/index.ts";
import type { GlobalOptions } from "../../command.ts";
import { progress } from "../../terminal/progress.ts";
import { list } from "../../terminal/telling.ts";
import { chainOf, type Judged } from "./options.ts";
import { findingText } from "./told.ts";

type MirroringOptions = GlobalOptions & { from: string[]; to: string; watch?: boolean };

/** ms between looks at the chain */
const EVERY = 60_000;

export async function mirroring(options: MirroringOptions): Promise<Judged> {
  for (;;) {
    const mirrored = await once(options);
    if (!options.watch) return judged(mirrored);
    console.error(textOf(mirrored));
    await delay(EVERY);
  }
}

async function once(options: MirroringOptions): Promise<Mirrored> {
  const bar = progress();
  try {
    const from = options.from.map(placeOf);
    return await mirror({ ...chainOf(options), from, to: options.to, onProgress: bar.told });
  } finally {
    bar.clear();
  }
}

const judged = (mirrored: Mirrored): Judged => ({
  ...{ verdict: verdictOf(mirrored.findings), text: textOf(mirrored), data: mirrored },
});

function textOf({ findings, batches, logs, readings, fetched }: Mirrored): string {
  const figures = list({ batches, logs, readings, "files new here": fetched });
  return [figures, ...findings.map(findingText)].join("\n");
}
