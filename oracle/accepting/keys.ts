/** The meters' public keys as they verify, imported once each. */
import { importKey } from "../../protocol/index.ts";

/** Keys that are remembered: as many as a large node has meters. What was longest unused is forgotten. */
const REMEMBERED = 20_000;

/** Imports keys as the protocol does, and remembers them. */
export function createKeys(limit: number = REMEMBERED): typeof importKey {
  const imported = new Map<string, ReturnType<typeof importKey>>();
  return (publicKey) => {
    const name = Buffer.from(publicKey).toString("latin1");
    const key = imported.get(name) ?? importKey(publicKey);
    imported.delete(name);
    imported.set(name, key);
    const [oldest] = imported.keys();
    if (imported.size > limit && oldest !== undefined) imported.delete(oldest);
    return key;
  };
}
