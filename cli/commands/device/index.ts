/**
 * `wattwitness device run`: a device in software beside a real meter. It is the one that stays, where `simulate` forgets: its
 * key, its register and its log are in a folder, and a start goes on with them. `device rotate`: its key names a successor.
 */
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Hex } from "viem";
import { createShellyReader } from "../../../meter/ask-shelly.ts";
import { createDevice } from "../../../meter/device.ts";
import { domain, encodeRotation, fromHex, keyIdOf, publicKeyOf, sign, toHex } from "../../../protocol/index.ts";
import { address, id, oracleUrl, telling, watts, whole } from "../../command.ts";
import { Problem } from "../../problem.ts";
import { type Answer, list } from "../../terminal/telling.ts";
import { degrees, interval, type Life, live, newestLogAt, placeOf, sunOver } from "./living.ts";
import {
  afterLoss,
  type Identity,
  identityIn,
  keep,
  type Log,
  logIn,
  makeIdentity,
  openFolder,
  replaceFile,
} from "./state.ts";

const AFTER = `
It is for trials, and for those who trust themselves: the key is in a file, so who has the folder can sign what he likes. The
firmware signs with a secure element. One process per folder; never restore a folder from a copy: a device that signs two
stories is frozen.

Examples:
  $ wattwitness device run --shelly http://192.168.1.40 --capacity 5000 --owner 0x… --oracle http://roof:8000
  $ wattwitness device run --sun --capacity 5000 --owner 0x… --oracle http://127.0.0.1:8000 --interval 10
  $ wattwitness device rotate 0x7e21… > rotation.txt                      to a chip, once it was a good trial`;

export function deviceCommand(): Command {
  const device = new Command("device").description("a device in software, beside a real meter");
  device
    .command("run")
    .description("read a Shelly, sign with a key in a file, and post to an oracle, for good")
    .requiredOption("--oracle <url>", "where it applies and posts", oracleUrl)
    .requiredOption("--owner <address>", "whose the meter is, or is to be", address)
    .requiredOption("--capacity <watts>", "what the installation can: more is not counted", watts)
    .addOption(new Option("--shelly <url>", "the Shelly that measures it").argParser(oracleUrl).conflicts("sun"))
    .option("--sun", "or a modelled sun, for a trial without one")
    .addOption(new Option("--channel <number>", "which clamp or phase, from 0, or all").default(0).argParser(channel))
    .addOption(
      new Option("--register <which>", "where the Shelly counts production")
        .choices(["export", "import"])
        .default("export"),
    )
    .option("--state <folder>", "its key and its log, made at its first start", "device")
    .option("--meter <id>", "where its key is to succeed another: that meter's id", id)
    .option("--latitude <degrees>", "of the sun's roof, north", degrees, 48.1)
    .option("--longitude <degrees>", "of the sun's roof, east", degrees, 11.6)
    .option("--interval <seconds>", "between readings; divides 900", interval, 60)
    .option("--readings <count>", "to end after so many are stored", whole)
    .addHelpText("after", AFTER)
    .action(telling(run));
  device
    .command("rotate")
    .description("sign that another key succeeds this one's, for meter rotate --rotation")
    .argument("<key>", "the new device's key id", id)
    .option("--state <folder>", "this device's", "device")
    .option("--meter <id>", "its meter's id, where that is not its key's own", id)
    .action(telling(rotate));
  return device;
}

/** In the words of the firmware's console. */
async function rotate(newKeyId: Hex, { state, meter }: { state: string; meter?: Hex }): Promise<Answer> {
  const identity = identityIn(state);
  if (!identity) throw new Problem(`There is no device in ${state}: --state names its folder.`);
  const { privateKey, place } = identity;
  const keyId = toHex(keyIdOf(publicKeyOf(privateKey)));
  if (newKeyId === keyId) throw new Problem("That is this key itself: the new device tells its own.");
  const of = meter ?? keyId;
  const statement = encodeRotation(domain("rotate", place), { meter: fromHex(of), newKeyId: fromHex(newKeyId) });
  const rotation = toHex(sign(statement, privateKey));
  return {
    text: list({ meter: of, "old key id": keyId, "new key id": newKeyId, rotation }),
    data: { meter: of, old_key_id: keyId, new_key_id: newKeyId, rotation },
  };
}

type RunOptions = {
  oracle: string;
  owner: Hex;
  capacity: number;
  shelly?: string;
  sun?: boolean;
  channel: number;
  register: "export" | "import";
  state: string;
  meter?: Hex;
  latitude: number;
  longitude: number;
  interval: number;
  readings?: number;
};

function channel(text: string): number {
  if (text === "all") return 15;
  const value = whole(text);
  if (value > 14) throw new InvalidArgumentError("It is no channel: 0 to 14, or all.");
  return value;
}

async function run(options: RunOptions): Promise<Answer> {
  const { oracle, owner, capacity, interval, meter, state: folder } = options;
  if (options.shelly === undefined && !options.sun)
    throw new Problem("Which meter? --shelly URL, or --sun for a trial.");
  const source = options.channel | (options.register === "export" ? 0x10 : 0);
  await openFolder(folder);
  const made = identityIn(folder);
  const { privateKey, place } = made ? await checked(made, options, source) : await make(folder, oracle, source);
  const keyId = toHex(keyIdOf(publicKeyOf(privateKey)));
  const newest = await newestLogAt(oracle, keyId);
  const kept = goingOn(logIn(folder), newest);
  const device = createDevice({ privateKey, epoch: kept.epoch, interval, source, place, capacity, kept });
  console.error(
    list({
      ...{ key: keyId, epoch: device.epoch, readings: device.size, oracle },
      ...{ chain: place.chainId, registry: place.registry, state: folder },
    }),
  );
  const terms = { owner, capacity, details: new Uint8Array(32), ...(meter && { meter: fromHex(meter) }) };
  const application = () => device.registration(terms);
  const show = showing(folder);
  await live({
    ...{ device, oracle, readings: options.readings, saysAll: true },
    measure: measuring(options, source, keyId, kept),
    keep() {
      keep(folder, device.kept(), device.readings.at(-1));
      if (!newest) show(application());
    },
    // an oracle takes applications for meters of their own only: one to succeed another is handed to the meter's owner
    application: meter === undefined ? application : undefined,
  });
  const { epoch, acknowledged } = device;
  return { text: `${acknowledged} readings are stored.`, data: { key_id: keyId, epoch, readings: acknowledged } };
}

/** For the chain and registry of the oracle, with an empty log. */
async function make(folder: string, oracle: string, source: number): Promise<Identity> {
  const identity = makeIdentity(folder, await placeOf(oracle), source);
  const { privateKey, place } = identity;
  keep(folder, createDevice({ privateKey, epoch: 1, interval: 1, source, place }).kept());
  return identity;
}

/** That it is still for what it was made for. */
async function checked(made: Identity, { state, oracle }: RunOptions, source: number): Promise<Identity> {
  if (made.source !== source) {
    throw new Problem(`The device in ${state} is of another channel or register: choose another --state for this one.`);
  }
  const place = await placeOf(oracle).catch(() => made.place);
  if (place.chainId !== made.place.chainId || place.registry.toLowerCase() !== made.place.registry.toLowerCase()) {
    throw new Problem(
      `The device in ${state} signs for the registry ${made.place.registry} on chain ${made.place.chainId}, and the oracle is for ${place.registry} on chain ${place.chainId}.`,
    );
  }
  return made;
}

/** Where the oracle has more of the log than is here, it was lost here, and another one begins. */
function goingOn(log: Log, newest: { epoch: number; size: number } | undefined): Log {
  if (!newest || newest.epoch < log.epoch || (newest.epoch === log.epoch && newest.size <= log.size)) return log;
  return afterLoss(log, newest.epoch);
}

/** Prints the first application, and keeps the newest beside the key: for who registers it, or rotates to it, from a file. */
function showing(folder: string): (application: object) => void {
  const file = join(folder, "application.json");
  let isShown = false;
  return (application) => {
    const text = JSON.stringify(application);
    replaceFile(file, `${text}\n`);
    if (!isShown) console.error(`application, also in ${file}:\n${text}`);
    isShown = true;
  };
}

function measuring(options: RunOptions, source: number, keyId: Hex, { counted }: Log): Life["measure"] {
  const { shelly } = options;
  if (shelly === undefined) return sunOver(options, keyId, counted.believed?.total);
  const ask = createShellyReader(shelly, source, counted.meter);
  return async () => {
    const asked = await ask();
    return asked.ok ? asked.measurement : `the Shelly at ${shelly}: ${asked.problem}`;
  };
}
