/** PostgreSQL from npm, for as long as the indexer runs: durable for nobody, so as fast as it can be. */
import { chown, mkdir, readFile, symlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { basename, dirname, join } from "node:path";
import { endOf, freePort, startProgram, until } from "../processes/process.ts";
import type { Stops } from "../processes/stop.ts";
import { POSTGRES } from "./platform.ts";

const HOST = "127.0.0.1";
const USER = "graph";
/** PostgreSQL refuses to run as root: there, it runs as nobody. */
const NOBODY = 65_534;
/** ms until it must answer */
const PATIENCE = 20_000;

/** A new database below `folder`. Resolves to its URL. */
export async function startPostgres(folder: string, stops: Stops): Promise<string> {
  const bin = join(POSTGRES, "native", "bin");
  const home = join(folder, "postgres");
  const [data, log] = [join(home, "data"), join(folder, "postgres.log")];
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const options = { ...who, cwd: home, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  await mkdir(home);
  if (who.uid) for (const path of [folder, home]) await chown(path, NOBODY, NOBODY);
  await linkLibraries();

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

/** The links between its libraries, which the package makes in a script that npm may not have been allowed to run. */
async function linkLibraries(): Promise<void> {
  const table = await readFile(join(POSTGRES, "native", "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(table) as { source: string; target: string }[]) {
    const to = dirname(source) === dirname(target) ? basename(source) : join(POSTGRES, source);
    await symlink(to, join(POSTGRES, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
