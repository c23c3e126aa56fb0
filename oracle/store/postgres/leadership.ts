/**
 * Which of the oracles on a database leads: the one whose session holds an advisory lock. The lock goes with the session,
 * so a leader whose process ends, or whose connection breaks, leads no more, and the next one that asks does.
 */
import pg from "pg";
import { clientOptions, shown } from "./database.ts";

/** "WW" and 1: a database is of one registry on one chain, so one lock is enough. */
const LOCK = [0x5757, 1];
/** ms that the session may take to answer before it counts as lost */
const PATIENCE = 5000;
/** s; a session whose machine is gone ends within 20 s, and its lock with it */
const KEEPALIVE = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

export type Leadership = {
  /** Never throws: who cannot ask does not lead. */
  leads(): Promise<boolean>;
  close(): Promise<void>;
};

type Session = { client: pg.Client; isLost: boolean; holdsLock: boolean };

export function openLeadership(url: string, warn: (message: string) => void): Leadership {
  let session: Session | undefined;
  let closed = false;

  async function connect(): Promise<Session> {
    const options = { ...clientOptions(url), query_timeout: PATIENCE, options: KEEPALIVE };
    const made: Session = { client: new pg.Client(options), isLost: false, holdsLock: false };
    made.client.on("error", (error) => lose(made, error));
    made.client.on("end", () => lose(made, new Error("it was ended")));
    await made.client.connect();
    return made;
  }

  function lose(lost: Session, error: unknown): void {
    if (lost.isLost) return;
    lost.isLost = true;
    if (lost.holdsLock && !closed) warn(`This oracle leads no more, its connection was lost: ${shown(error, url)}`);
    // also where the server does not know yet: what is left of the session is to end, and its lock with it
    lost.client.end().catch(() => {});
  }

  async function ask(): Promise<boolean> {
    if (closed) return false;
    if (session?.isLost) {
      const led = session.holdsLock;
      session = undefined;
      // who led is told that it does not, before it may again
      if (led) return false;
    }
    try {
      session ??= await connect();
      const text = session.holdsLock
        ? "select true as held"
        : `select pg_try_advisory_lock(${LOCK[0]}, ${LOCK[1]}) as held`;
      const { rows } = await session.client.query<{ held: boolean }>(text);
      if (session.isLost) throw new Error("it was ended");
      session.holdsLock = rows[0]?.held === true;
      return session.holdsLock;
    } catch (error) {
      if (session) lose(session, error);
      session = undefined;
      return false;
    }
  }

  /** One question after the other. */
  let turn: Promise<boolean> = Promise.resolve(false);
  return {
    leads() {
      turn = turn.then(ask);
      return turn;
    },
    async close() {
      closed = true;
      await turn;
      await session?.client.end().catch(() => {});
    },
  };
}
