/** `wattwitness meter register`: what devices have applied for, sent by a registrar. */
import { type Hex, hexToBytes, parseEventLogs } from "viem";
import { meterRegistryAbi } from "../../../contracts/abi.ts";
import { publicKeyParts, signatureParts } from "../../../contracts/settlement.ts";
import { keyIdOf, toHex } from "../../../protocol/index.ts";
import { type Application, applicationInFile, applicationsAt } from "../../applications.ts";
import { type Deployment, deploymentOf } from "../../chain/deployment.ts";
import { onRegistry } from "../../chain/meters.ts";
import { outcome, outcomeText, type Sender, senderOf } from "../../chain/sending.ts";
import type { SendingOptions } from "../../command.ts";
import { Problem } from "../../problem.ts";
import { type Answer, list } from "../../terminal/telling.ts";
import { notSent } from "../token.ts";

export type RegisterOptions = SendingOptions & { application?: string; oracle?: string; key?: Hex };

export async function registerMeter(options: RegisterOptions): Promise<Answer> {
  const application = await applicationOf(options);
  const deployment = await deploymentOf(options);
  const sender = await senderOf(deployment, options);
  const registered = await register(deployment, sender, application);
  if (!registered) return notSent;
  const { meter, receipt } = registered;
  const { owner, capacity } = application;
  return {
    text: list({
      ...{ meter, owner, capacity: `${capacity} W`, registered: outcomeText(receipt) },
      next: "the device uploads, the oracle settles: nothing else is to be done",
    }),
    data: { meter, owner, capacity, ...outcome(receipt) },
  };
}

/** The one that is meant: of a file, of a key, or the only one that waits at an oracle. */
async function applicationOf({ application, oracle, key }: RegisterOptions): Promise<Application> {
  if (application !== undefined && oracle !== undefined) {
    throw new Problem("--application and --oracle do not go together: one of them says where the application is.");
  }
  if (application !== undefined) return applicationInFile(application);
  if (oracle === undefined) {
    throw new Problem("Which application? --oracle URL at which the device applied, or --application FILE.");
  }
  const all = await applicationsAt(oracle);
  if (key !== undefined) {
    const found = all.find(({ keyId }) => keyId === key);
    if (!found) throw new Problem(`No key ${key} has applied at ${oracle}: ${keysIn(all)}`);
    return found.application;
  }
  const pending = all.filter(({ status }) => status === "pending");
  const [only] = pending;
  if (!only) throw new Problem(`Nothing waits for registration at ${oracle}: has the device applied there?`);
  if (pending.length > 1) throw new Problem(`${pending.length} wait at ${oracle}, choose by --key: ${keysIn(pending)}`);
  return only.application;
}

const keysIn = (all: readonly { keyId: Hex }[]): string => all.map(({ keyId }) => keyId).join(", ") || "none has";

/** Undefined after `--dry-run`. */
export async function register(deployment: Deployment, sender: Sender, application: Application) {
  const { publicKey, owner, capacity, source, details, baseline, claim } = application;
  const receipt = await sender.send({
    ...onRegistry(deployment),
    does: `registers the meter ${toHex(keyIdOf(hexToBytes(publicKey)))} with ${capacity} W, as ${owner}'s`,
    functionName: "register",
    args: [
      {
        key: publicKeyParts(hexToBytes(publicKey)),
        ...{ owner, capacity, source, details },
        baseline: { ...baseline, size: BigInt(baseline.size) },
        claim: signatureParts(hexToBytes(claim)),
      },
    ],
  });
  if (!receipt) return undefined;
  const [event] = parseEventLogs({ abi: meterRegistryAbi, eventName: "MeterRegistered", logs: receipt.logs });
  if (!event) throw new Problem(`The transaction ${receipt.transactionHash} registered nothing.`);
  return { meter: event.args.meter, receipt };
}
