/** `wattwitness meter`: registering meters, and what there is to decide about them. */
import { Argument, Command } from "commander";
import type { Hex } from "viem";
import { CHANGES } from "../../chain/meters.ts";
import { aboutChain, address, id, type SendingOptions, sends, telling } from "../../command.ts";
import type { Answer } from "../../terminal/telling.ts";
import { cancelProposal, decommissionMeter, setPayout, transferMeter } from "./own.ts";
import type { RegisterOptions } from "./register.ts";
import type { RotateOptions } from "./rotate.ts";
import { listMeters, listProposals, showMeter } from "./show.ts";

const ROTATE = `
On the new device's console: set meter <meter>, the id of the meter, and set owner, yours; save, restart; claim DETAILS.
On the old device's: rotate NEW_KEY_ID. Both print what goes into the files, as it is. Settle first: what the old key has
not settled mints nothing any more. Where the old chip is dead: propose-key, and replace-key 14 days later.

Examples:
  $ wattwitness meter rotate 0x4b5c… --application new.json --rotation old.txt --key-file owner.json
  $ wattwitness meter rotate 0x4b5c… --application new.json --rotation - --dry-run    paste the console's lines, then Ctrl-D`;

export function meterCommand(): Command {
  const meter = new Command("meter").description("the meters: register, look at, sell, take down");
  const reads = (name: string) => aboutChain(meter.command(name));
  const writes = (name: string) => sends(aboutChain(meter.command(name)));
  reads("list").description("all meters, with what they produced").action(telling(listMeters));
  reads("show")
    .description("one meter: owner, keys, what it produced, what is proposed")
    .argument("<meter>", "its id", id)
    .action(telling(showMeter));
  writes("register")
    .description("register what a device has applied for, as a registrar")
    .option("--oracle <url>", "oracle at which it applied")
    .option("--key <id>", "its key id, where several wait there", id)
    .option("--application <file>", "or a file with its application, as JSON")
    .option("--file <csv>", "or many: a column application (a file) or key (one that applied at --oracle)")
    .action(telling(register));
  writes("rotate")
    .description("move a meter of yours to another device's key")
    .argument("<meter>", "its id", id)
    .requiredOption("--application <file>", "what the new device prints for claim: its registration, JSON")
    .requiredOption("--rotation <file>", "what the old device prints for rotate NEW_KEY_ID; - is standard input")
    .addHelpText("after", ROTATE)
    .action(telling(rotate));
  writes("propose-key")
    .description("propose another key where the chip is dead, as a registrar")
    .argument("<meter>", "its id", id)
    .argument("<key>", "the new device's key id", id)
    .action(telling(propose));
  writes("replace-key")
    .description("move a meter to the key that was proposed, 14 days later, as anyone")
    .argument("<meter>", "its id", id)
    .requiredOption("--application <file>", "what the new device prints for claim: its registration, JSON")
    .action(telling(replace));
  writes("payout")
    .description("say who receives what a meter produces")
    .argument("<meter>", "its id", id)
    .argument("<account>", "who", address)
    .action(telling(setPayout));
  writes("transfer")
    .description("give a meter to another owner")
    .argument("<meter>", "its id", id)
    .argument("<to>", "whom", address)
    .action(telling(transferMeter));
  writes("decommission")
    .description("take a meter down, for good")
    .argument("<meter>", "its id", id)
    .action(telling(decommissionMeter));
  reads("proposals")
    .description("what registrars have proposed, of all meters or one")
    .argument("[meter]", "its id", id)
    .action(telling(listProposals));
  writes("cancel")
    .description("cancel what is proposed for a meter of yours")
    .argument("<meter>", "its id", id)
    .addArgument(new Argument("<what>", "which proposal").choices(CHANGES))
    .action(telling(cancelProposal));
  return meter;
}

/** Loaded when it is used: checking applications takes longer to load than all the rest. */
const register = async ({ file, ...options }: RegisterOptions & { file?: string }): Promise<Answer> =>
  file === undefined
    ? (await import("./register.ts")).registerMeter(options)
    : (await import("./fleet.ts")).registerFleet(file, options);

const rotate = async (meter: Hex, options: RotateOptions): Promise<Answer> =>
  (await import("./rotate.ts")).rotateMeter(meter, options);

const propose = async (meter: Hex, key: Hex, options: SendingOptions): Promise<Answer> =>
  (await import("./rotate.ts")).proposeKey(meter, key, options);

const replace = async (meter: Hex, options: SendingOptions & { application: string }): Promise<Answer> =>
  (await import("./rotate.ts")).replaceKey(meter, options);
