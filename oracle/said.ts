/** What was said of a thing, so that what lasts is not said at every look. */
export type Said = {
  /** Whether this is something else than what was said of it last. */
  isNew(of: string, what: string): boolean;
  /** It is over. Returns whether anything had been said. */
  over(of: string): boolean;
};

export function createSaid(): Said {
  const said = new Map<string, string>();
  return {
    isNew(of, what) {
      if (said.get(of) === what) return false;
      said.set(of, what);
      return true;
    },
    over: (of) => said.delete(of),
  };
}

/** An error as a person reads it: its first line, without the request that a client adds. */
export const firstLine = (error: unknown): string =>
  ((error as { shortMessage?: string }).shortMessage ?? String((error as Error).message ?? error)).split("\n")[0] ?? "";
