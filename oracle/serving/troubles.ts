/** What goes wrong for as long as it does: a store that nothing can be written to, a chain that cannot be looked at. */
import { firstLine } from "../said.ts";
import { type Store, StoreUnavailable } from "../store/store.ts";
import { uptime } from "../uptime.ts";

/** Looks that fail in a row before that is told: a node may be away for one. */
const LOOKS = 3;
/** s that a look may take before that is told: a node may never answer. */
const LOOK_TAKES = 30;

export type Troubles = {
  /** A sentence each; none where all is well. */
  told(): string[];
  /** `act`, remembering whether the store kept what it was to keep. */
  ofPosts<I, O>(act: (input: I) => Promise<O>): (input: I) => Promise<O>;
  /** `look`, remembering what it fails with; where the store failed, it is tried again after it. */
  ofLook(look: () => Promise<void>): Promise<void>;
};

/** `passed`: s that have passed on this machine. */
export function createTroubles(store: Pick<Store, "document">, passed = uptime): Troubles {
  let lookingSince: number | undefined;
  let ofStore: string | undefined;
  let ofChain: string | undefined;
  let failed = 0;

  /** Nobody may post for long: that something can be written again is found out by writing. */
  async function tryStore(): Promise<void> {
    await (await store.document("writable", {})).write();
    ofStore = undefined;
  }

  async function remembering<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof StoreUnavailable) ofStore = firstLine(error);
      throw error;
    }
  }

  return {
    told() {
      const takes = lookingSince === undefined ? 0 : Math.floor(passed() - lookingSince);
      const isLong = takes > LOOK_TAKES ? `the chain has been looked at for ${takes} s` : undefined;
      return [ofStore, failed >= LOOKS ? ofChain : undefined, isLong].filter((reason) => reason !== undefined);
    },
    ofPosts: (act) => (input) => remembering(() => act(input)),
    async ofLook(look) {
      lookingSince = passed();
      try {
        await remembering(async () => {
          await look();
          if (ofStore !== undefined) await tryStore();
        });
        failed = 0;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) {
          ofChain = `the chain cannot be asked: ${firstLine(error)}`;
          failed += 1;
        }
        throw error;
      } finally {
        lookingSince = undefined;
      }
    },
  };
}
