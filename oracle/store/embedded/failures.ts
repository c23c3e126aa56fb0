/** Failures of the folder's file system, as the store's: room, descriptors and media may be there again later. */
import { StoreUnavailable } from "../store.ts";

// biome-ignore lint/suspicious/noExplicitAny: of whatever signature
type Act = (...given: any[]) => Promise<unknown>;

/** What was tried on a file and could not be done; that there is none is no failure of the file system. */
const isOfFileSystem = (error: unknown): error is NodeJS.ErrnoException =>
  typeof (error as NodeJS.ErrnoException).syscall === "string" && (error as NodeJS.ErrnoException).code !== "ENOENT";

/** The same acts, that fail with StoreUnavailable where the file system does not do what it is asked. */
export function passing<T extends Record<keyof T, Act>>(directory: string, acts: T): T {
  const guarded =
    (act: Act): Act =>
    async (...given) => {
      try {
        return await act(...given);
      } catch (error) {
        if (!isOfFileSystem(error)) throw error;
        throw new StoreUnavailable(`The data directory ${directory} cannot be used: ${error.message}`);
      }
    };
  return Object.fromEntries(Object.entries<Act>(acts).map(([name, act]) => [name, guarded(act)])) as T;
}
