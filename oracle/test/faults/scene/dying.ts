/**
 * Loaded before an oracle's own modules (`node --import`), it ends that process as kill -9 would, before or after one of
 * the things that last: a write, a sync or a new name of a file, or a transaction that is sent. The oracle knows nothing
 * of it. Each such moment has a name, as `before sync journal`, and is counted under it:
 *
 *   FAULT_LIST   a file to which the name of each moment is added when it comes
 *   FAULT_KILL   the moment that is the last, with how many of its name are passed over first: `before sync journal/0`
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { relative, sep } from "node:path";

const { FAULT_LIST: list, FAULT_KILL: kill = "" } = process.env;
const [lastName, passedOver = "0"] = kill.split("/");
const directory = process.env["FAULT_DIRECTORY"] ?? "";
const told = list === undefined ? undefined : fs.openSync(list, "a");
let left = Number(passedOver);

function moment(name: string): void {
  if (told !== undefined) fs.writeSync(told, `${name}\n`);
  if (name !== lastName) return;
  if (left > 0) left -= 1;
  else process.kill(process.pid, "SIGKILL");
}

/** What a path is about: the first folder below the oracle's data, and of logs which file. */
function kindOf(path: unknown): string | undefined {
  if (typeof path !== "string") return undefined;
  const [place, ...names] = relative(directory, path)
    .split(sep)
    .map((part) => part.replace(/\.unfinished$/, ""));
  if (place === "site") return `published ${names[0] ?? "folder"}`;
  if (place !== "data" || names.length === 0) return undefined;
  if (names[0] === "logs") return names.find((part) => ["entries", "heads"].includes(part)) ?? "tile";
  return names[0];
}

/** by descriptor */
const opened = new Map<number, string>();

type Call = (...given: unknown[]) => unknown;
type Named = (given: unknown[]) => string | undefined;
const source = fs as unknown as Record<string, Call>;
const promises = fs.promises as unknown as Record<string, Call>;

/** What a call is for util.promisify stays what it was. */
function replace(of: Record<string, Call>, name: string, make: (original: Call) => Call): void {
  const original = of[name] as Call;
  of[name] = Object.defineProperties(make(original), Object.getOwnPropertyDescriptors(original));
}

function watchCallback(name: string, what: string, named: Named): void {
  replace(source, name, (original) => (...given) => {
    const kind = named(given);
    if (kind === undefined) return original(...given);
    moment(`before ${what} ${kind}`);
    const done = given.pop() as Call;
    return original(...given, (...results: unknown[]) => {
      if (!results[0]) moment(`after ${what} ${kind}`);
      done(...results);
    });
  });
}

function watchSync(name: string, what: string, named: Named): void {
  replace(source, name, (original) => (...given) => {
    const kind = named(given);
    if (kind === undefined) return original(...given);
    moment(`before ${what} ${kind}`);
    const result = original(...given);
    moment(`after ${what} ${kind}`);
    return result;
  });
}

function watchPromise(
  of: Record<string, Call>,
  name: string,
  what: string,
  named: (self: unknown, given: unknown[]) => string | undefined,
): void {
  const original = of[name] as Call;
  of[name] = async function (this: unknown, ...given: unknown[]) {
    const kind = named(this, given);
    if (kind !== undefined) moment(`before ${what} ${kind}`);
    const result = await original.apply(this, given);
    if (kind !== undefined) moment(`after ${what} ${kind}`);
    return result;
  };
}

const byPath: Named = ([path]) => kindOf(path);
const byDescriptor: Named = ([descriptor]) => opened.get(descriptor as number);
const byTarget: Named = ([, path]) => kindOf(path);

replace(source, "open", (original) => (...given) => {
  const done = given.pop() as Call;
  return original(...given, (error: unknown, descriptor: unknown) => {
    const kind = kindOf(given[0]);
    if (!error && kind !== undefined) opened.set(descriptor as number, kind);
    done(error, descriptor);
  });
});
watchCallback("writev", "write", byDescriptor);
watchCallback("fdatasync", "sync", byDescriptor);
watchCallback("fsync", "sync", byDescriptor);
watchCallback("rename", "name", byTarget);
watchCallback("unlink", "remove", byPath);
watchSync("writeFileSync", "write", byPath);
watchSync("renameSync", "name", byTarget);
watchPromise(promises, "rename", "name", (_self, given) => byTarget(given));
watchPromise(promises, "unlink", "remove", (_self, given) => byPath(given));

/** by handle */
const handles = new WeakMap<object, string>();
let areHandlesWatched = false;
const openHandle = promises["open"] as (...given: unknown[]) => Promise<object>;
promises["open"] = async (...given) => {
  const handle = await openHandle(...given);
  const kind = kindOf(given[0]);
  if (kind !== undefined) handles.set(handle, kind);
  if (!areHandlesWatched) {
    areHandlesWatched = true;
    const prototype = Object.getPrototypeOf(handle) as Record<string, Call>;
    const ofHandle = (self: unknown) => handles.get(self as object);
    watchPromise(prototype, "writeFile", "write", ofHandle);
    watchPromise(prototype, "sync", "sync", ofHandle);
  }
  return handle;
};
syncBuiltinESMExports();

const ask = globalThis.fetch;
globalThis.fetch = async (...given) => {
  const sends = String(given[1]?.body ?? "").includes("eth_sendRawTransaction");
  if (sends) moment("before send transaction");
  const answer = await ask(...given);
  if (sends) moment("after send transaction");
  return answer;
};
