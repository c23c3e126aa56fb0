/** PostgreSQL from npm, for as long as the indexer runs: durable for nobody, so as fast as it can be. */
import { chown, mkdir } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { endOf, freePort, startProgram, until } from "../processes/process.ts";
import type { Stops } from "../processes/stop.ts";
import { postgresPrograms } from "./programs.ts";

const HOST = "127.0.0.1";
const USER = "graph";
/** ms until it must answer */
const PATIENCE = 20_000;

/** A new database below `folder`. Resolves to its URL. */
export async function startPostgres(folder: string, stops: Stops): Promise<string> {
  const home = join(folder, "postgres");
  const [data, log] = [join(home, "data"), join(folder, "postgres.log")];
  const { bin, who } = await postgresPrograms(folder);
  const options = { ...who, cwd: home, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  await mkdir(home);
  if (who.uid !== undefined) await chown(home, who.uid, who.uid);

  // graph-node wants UTF8 and the order of C
  const cluster = ["-D", data, "-E", "UTF8", "--locale=C", "-U", USER, "--auth=trust", "--no-sync"];
  const initdb = startProgram(join(bin, "initdb"), cluster, log, options);
  stops.add(() => initdb.stop("SIGTERM"));
  await initdb.ended;
  if (initdb.child.exitCode !== 0) throw new Error(`PostgreSQL made no database; see ${log}${await endOf(log)}`);

  const port = await freePort();
  const settings = [`listen_addresses=${HOST}`, "fsync=off", "full_page_writes=off", "synchronous_commit=off"];
  const server = startProgram(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), "-k", home, ...settings.flatMap((setting) => ["-c", setting])],
    log,
    options,
  );
  // the signal of a fast shutdown
  stops.add(() => server.stop("SIGINT"));
  await until("PostgreSQL", server, PATIENCE, () => connect(port));
  // nobody is asked for a password, but graph-node insists on one in the URL
  return `postgresql://${USER}:${USER}@${HOST}:${port}/postgres`;
}

const connect = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = createConnection(port, HOST);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(undefined));
  });
