/**
 * Of the oracles on a store one leads: it writes down what the chain says, seals and settles. The others follow the chain,
 * too, as they accept posts of every meter, but what they see they keep to themselves.
 *
 * A term is a time in which this oracle leads, or does not. What was made of a term's store is made anew with the next.
 */
import { Low } from "lowdb";
import { uptime } from "../uptime.ts";
import type { Records, Store } from "./store.ts";

/** s after which one that does not lead begins anew with what the leader has stored, and forgets its own */
const VIEW_AGE = 600;

export type Term = {
  readonly leads: boolean;
  /** of a leader: fails to write what is small and changes once the term is over; of others: writes it nowhere */
  store: Store;
};

export type Terms = {
  /** The term that it is now; the same for as long as that lasts. */
  now(): Promise<Term>;
};

/** `wall`: s that have passed on this machine, whatever its clock is set to. */
export function createTerms(store: Store, wall = uptime): Terms {
  let term: Term | undefined;
  let [isOver, began] = [false, 0];

  function begin(leads: boolean): Term {
    [isOver, began] = [false, wall()];
    const begun: Term = { leads, store: leads ? leadersStore(store, requireLead) : viewOf(store) };
    return begun;

    async function requireLead(): Promise<void> {
      if (term === begun && !isOver && (await store.leads())) return;
      if (term === begun) isOver = true;
      throw new Error("this oracle leads no more: another one goes on");
    }
  }

  return {
    async now() {
      const leads = await store.leads();
      const isOld = !leads && wall() >= began + VIEW_AGE;
      if (!term || isOver || isOld || term.leads !== leads) term = begin(leads);
      return term;
    },
  };
}

/** The store for who may write only while it leads, which is asked before every write. */
const leadersStore = (store: Store, requireLead: () => Promise<void>): Store => ({
  ...store,
  async records<T extends object>(name: string): Promise<Records<T>> {
    const records = await store.records<T>(name);
    return {
      ...records,
      put: async (id, record) => {
        await requireLead();
        await records.put(id, record);
      },
      add: async (id, record) => {
        await requireLead();
        return records.add(id, record);
      },
      remove: async (id) => {
        await requireLead();
        await records.remove(id);
      },
    };
  },
  async document<T extends object>(name: string, initial: T): Promise<Low<T>> {
    const document = await store.document<T>(name, initial);
    return lowOf(document.data, async (data) => {
      await requireLead();
      document.data = data;
      await document.write();
    });
  },
});

/** The store as it is, under what is written to it here, which goes nowhere. */
function viewOf(store: Store): Store {
  const written = new Map<string, Map<string, object | undefined>>();
  return {
    ...store,
    async records<T extends object>(name: string): Promise<Records<T>> {
      const stored = await store.records<T>(name);
      const own = (written.get(name) ?? new Map()) as Map<string, T | undefined>;
      written.set(name, own);
      const ids = async () => {
        const all = new Set([...(await stored.ids()), ...own.keys()]);
        return [...all].filter((id) => !own.has(id) || own.get(id) !== undefined);
      };
      const get = async (id: string) => (own.has(id) ? own.get(id) : stored.get(id));
      return {
        ids,
        get,
        async all() {
          if (own.size === 0) return stored.all();
          return (await Promise.all((await ids()).map(get))).filter((record) => record !== undefined);
        },
        async put(id, record) {
          own.set(id, record);
        },
        async add(id, record) {
          if (await get(id)) return false;
          own.set(id, record);
          return true;
        },
        async remove(id) {
          own.set(id, undefined);
        },
      };
    },
    document: async (name, initial) => lowOf((await store.document(name, initial)).data, async () => {}),
  };
}

const lowOf = <T extends object>(data: T, write: (data: T) => Promise<void>): Low<T> =>
  new Low<T>({ read: async () => data, write }, data);
