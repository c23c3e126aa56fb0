/** Work that many ask for at once, done for all that wait together. */

type Waiting<I, O> = { item: I; resolve: (output: O) => void; reject: (error: unknown) => void };

/**
 * `act` on one item at a time for who asks, on groups of them underneath: what is asked while `atOnce` groups are under
 * way waits for the next. No group has two items of the same name.
 */
export function inGroups<I, O>(
  act: (items: I[]) => Promise<O[]>,
  { most, atOnce, nameOf }: { most: number; atOnce: number; nameOf: (item: I) => string },
): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];
  let running = 0;

  function takeGroup(): Waiting<I, O>[] {
    const group = new Map<string, Waiting<I, O>>();
    const left: Waiting<I, O>[] = [];
    for (const one of waiting) {
      const name = nameOf(one.item);
      if (group.size < most && !group.has(name)) group.set(name, one);
      else left.push(one);
    }
    waiting = left;
    return [...group.values()];
  }

  async function run(): Promise<void> {
    running += 1;
    // what is asked in the same turn is of the same group
    await null;
    while (waiting.length > 0) {
      const group = takeGroup();
      try {
        const outputs = await act(group.map(({ item }) => item));
        for (const [i, { resolve }] of group.entries()) resolve(outputs[i] as O);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    running -= 1;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running < atOnce) void run();
    });
}
