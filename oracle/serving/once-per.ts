/** Looks something up that several ask for, not more often than every `ms`. */
export function oncePer<T>(ms: number, look: () => Promise<T>): () => Promise<T> {
  let last: { at: number; found: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (!last || at - last.at > ms) last = { at, found: look() };
    return last.found;
  };
}
