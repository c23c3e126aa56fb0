/** `wattwitness meter`: registering meters, and what there is to decide about them. */
import { Argument, Command } from "commander";
import { CHANGES } from "../../chain/meters.ts";
import { aboutChain, address, id, sends, telling } from "../../command.ts";
import type { Answer } from "../../terminal/telling.ts";
import { cancelProposal, decommissionMeter, setPayout, transferMeter } from "./own.ts";
import type { RegisterOptions } from "./register.ts";
import { listMeters, listProposals, showMeter } from "./show.ts";

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
