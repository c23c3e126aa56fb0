/**
 * `wattwitness meter rotate`, `propose-key`, `replace-key`: another key succeeds a meter's. Everything that the contracts
 * would refuse a key for is looked for here first, where it can be said what to do.
 */
import { type Hex, hexToBytes, zeroHash } from "viem";
import { publicKeyParts, signatureParts } from "../../../contracts/settlement.ts";
import { CLOCK_TOLERANCE, HARMLESS_CONDITIONS } from "../../../oracle/chain/rules.ts";
import {
  conditionsOf,
  domain,
  encodeRotation,
  isSize,
  keyIdOf,
  signersOf,
  sourceOf,
  timestampOf,
  toHex,
  verify,
  verifyClaim,
} from "../../../protocol/index.ts";
import { type Application, applicationInFile, type Rotation, rotationInFile } from "../../applications.ts";
import { type Deployment, deploymentOf } from "../../chain/deployment.ts";
import { type Meter, meterOf, onRegistry, proposalsOf } from "../../chain/meters.ts";
import { outcome, outcomeText, senderOf } from "../../chain/sending.ts";
import type { SendingOptions } from "../../command.ts";
import { Problem } from "../../problem.ts";
import { type Answer, time } from "../../terminal/telling.ts";
import { notSent } from "../token.ts";

/** s that a new key's baseline may be behind the block: WattWitness.ROTATION_AGE */
const BASELINE_AGE = 3600;
const AGAIN = "Let the new device claim again";

export type RotateOptions = SendingOptions & { application: string; rotation: string };

export async function rotateMeter(id: Hex, options: RotateOptions): Promise<Answer> {
  if (options.application === "-" && options.rotation === "-") {
    throw new Problem("--application and --rotation cannot both be standard input.");
  }
  const application = await applicationInFile(options.application);
  const rotation = await rotationInFile(options.rotation);
  const deployment = await deploymentOf(options);
  const meter = await meterOf(deployment, id);
  const newKeyId = await checkSuccessor(deployment, meter, application);
  const key = await checkRotation(deployment, meter, newKeyId, rotation);
  const sender = await senderOf(deployment, options);
  if (sender.account.address !== meter.owner) {
    throw new Problem(
      `The meter is ${meter.owner}'s, who alone rotates its key: ${sender.account.address} would send it.`,
    );
  }
  const receipt = await sender.send({
    ...onRegistry(deployment),
    does: `rotates the meter to the key ${newKeyId}. What its key ${meter.keyId} has not settled ${settledUntil(meter)} mints nothing any more`,
    functionName: "rotate",
    args: [id, newKeyOf(application), publicKeyParts(key), signatureParts(hexToBytes(rotation.rotation))],
  });
  if (!receipt) return notSent;
  return {
    text: `The meter's key is ${newKeyId}: ${outcomeText(receipt)}`,
    data: { meter: id, key_id: newKeyId, previous_key_id: meter.keyId, ...outcome(receipt) },
  };
}

export async function proposeKey(id: Hex, keyId: Hex, options: SendingOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  checkInService(await meterOf(deployment, id));
  await checkUnused(deployment, keyId);
  const sender = await senderOf(deployment, options);
  const receipt = await sender.send({
    ...onRegistry(deployment),
    does: `proposes that the key ${keyId} succeeds the meter's, whose chip is dead: its owner can cancel it, and so does whatever that chip measures from now on`,
    ...{ functionName: "proposeKey", args: [id, keyId] },
  });
  if (!receipt) return notSent;
  const proposed = (await proposalsOf(deployment, id)).find(({ change }) => change === "key");
  const from = proposed && `${time(proposed.executableAt)} UTC`;
  return {
    text: `The key ${keyId} is proposed; from ${from} on: wattwitness meter replace-key ${id} --application FILE\n${outcomeText(receipt)}`,
    data: { meter: id, key_id: keyId, executable_at: proposed?.executableAt, ...outcome(receipt) },
  };
}

export async function replaceKey(id: Hex, options: SendingOptions & { application: string }): Promise<Answer> {
  const application = await applicationInFile(options.application);
  const deployment = await deploymentOf(options);
  const meter = await meterOf(deployment, id);
  const newKeyId = await checkSuccessor(deployment, meter, application);
  await checkProposal(deployment, id, newKeyId);
  const sender = await senderOf(deployment, options);
  const receipt = await sender.send({
    ...onRegistry(deployment),
    does: `replaces the meter's key by ${newKeyId}. What the dead chip measured and has not settled ${settledUntil(meter)} mints nothing any more`,
    ...{ functionName: "replaceKey", args: [id, newKeyOf(application)] },
  });
  if (!receipt) return notSent;
  return {
    text: `The meter's key is ${newKeyId}: ${outcomeText(receipt)}`,
    data: { meter: id, key_id: newKeyId, previous_key_id: meter.keyId, ...outcome(receipt) },
  };
}

const settledUntil = ({ timestamp }: Meter): string => `(it has until ${time(timestamp)} UTC)`;

const newKeyOf = ({ publicKey, baseline, claim }: Application) => ({
  key: publicKeyParts(hexToBytes(publicKey)),
  baseline: { ...baseline, size: BigInt(baseline.size) },
  claim: signatureParts(hexToBytes(claim)),
});

/* WHAT WOULD BE REFUSED. Each throws a Problem. */

function checkInService({ meter, status }: Meter): void {
  if (status === "decommissioned") throw new Problem(`The meter ${meter} was taken down: it gets no other key.`);
}

async function checkUnused(deployment: Deployment, keyId: Hex): Promise<void> {
  const { client } = deployment;
  const used = await client.readContract({ ...onRegistry(deployment), functionName: "meterOfKey", args: [keyId] });
  if (used !== zeroHash) {
    throw new Problem(`The key ${keyId} is, or was, the meter ${used}'s: a key is used once. Take another device.`);
  }
}

/** That the key may succeed at the meter; returns its id. */
async function checkSuccessor(deployment: Deployment, meter: Meter, application: Application): Promise<Hex> {
  checkInService(meter);
  const keyId = toHex(keyIdOf(hexToBytes(application.publicKey)));
  await checkUnused(deployment, keyId);
  if (application.owner.toLowerCase() !== meter.owner.toLowerCase()) {
    throw new Problem(
      `The new device claims to be ${application.owner}'s, and the meter is ${meter.owner}'s: set owner there, and claim again.`,
    );
  }
  await checkClaim(deployment, meter.meter, application);
  await checkBaseline(deployment, meter, hexToBytes(application.baseline.reading));
  return keyId;
}

async function checkClaim({ chainId, registry }: Deployment, meter: Hex, application: Application): Promise<void> {
  if (!isSize(application.baseline.size)) throw new Problem("The new device has no reading yet: wait for the first.");
  const place = { chainId, registry };
  if ((await verifyClaim(application, place, hexToBytes(meter))).ok) return;
  if ((await verifyClaim(application, place)).ok) {
    throw new Problem(
      `The new device claims a meter of its own: on its console, set meter ${meter}, save, restart, and claim again.`,
    );
  }
  throw new Problem(
    `The new key has not signed this claim to the meter ${meter} on chain ${chainId} and registry ${registry}: compare its settings.`,
  );
}

async function checkBaseline({ client }: Deployment, meter: Meter, reading: Uint8Array): Promise<void> {
  const now = Number((await client.getBlock()).timestamp);
  const taken = timestampOf(reading);
  const at = `The new device's reading of ${time(taken)} UTC`;
  if (taken + BASELINE_AGE < now)
    throw new Problem(`${at} is over an hour old. ${AGAIN}, and hand it in within the hour.`);
  if (taken > now + CLOCK_TOLERANCE) throw new Problem(`${at} is ahead of the chain, at ${time(now)}: mend its clock.`);
  if (taken <= meter.timestamp) {
    throw new Problem(`${at} is not later than what is settled, until ${time(meter.timestamp)}. ${AGAIN} later.`);
  }
  if (sourceOf(reading) !== meter.source) {
    throw new Problem(
      `${at} is of source ${hex(sourceOf(reading))}, and the meter is registered with ${hex(meter.source)}: set its channel and register.`,
    );
  }
  if ((conditionsOf(reading) & ~HARMLESS_CONDITIONS) !== 0) {
    throw new Problem(`${at} says that its clock drifts, or that its enclosure was opened: begin-log on its console.`);
  }
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;

/** That the meter's key named the other its successor; returns the meter's public key, which follows from the signature. */
async function checkRotation(
  { chainId, registry }: Deployment,
  { meter, keyId }: Meter,
  newKeyId: Hex,
  rotation: Rotation,
): Promise<Uint8Array> {
  if (rotation.meter !== meter)
    throw new Problem(`The rotation is of the meter ${rotation.meter}, and not of ${meter}.`);
  if (rotation.oldKeyId !== keyId) {
    throw new Problem(`The rotation is of the key ${rotation.oldKeyId}, and the meter's is ${keyId}: ask that device.`);
  }
  if (rotation.newKeyId !== newKeyId) {
    throw new Problem(
      `The rotation is to the key ${rotation.newKeyId}, and the application of ${newKeyId}: rotate ${newKeyId} on the old device.`,
    );
  }
  const statement = encodeRotation(domain("rotate", { chainId, registry }), {
    ...{ meter: hexToBytes(meter), newKeyId: hexToBytes(newKeyId) },
  });
  const signature = hexToBytes(rotation.rotation);
  const key = signersOf(statement, signature).find((each) => toHex(keyIdOf(each)) === keyId);
  if (key && (await verify(statement, signature, key)).ok) return key;
  throw new Problem(
    `The meter's key has not signed this rotation on chain ${chainId} and registry ${registry}: compare the old device's settings.`,
  );
}

async function checkProposal(deployment: Deployment, id: Hex, keyId: Hex): Promise<void> {
  const proposal = (await proposalsOf(deployment, id)).find(({ change }) => change === "key");
  if (!proposal) {
    throw new Problem(
      `No key is proposed for the meter: a registrar does, wattwitness meter propose-key ${id} ${keyId}`,
    );
  }
  if (proposal.value !== BigInt(keyId)) {
    const proposed = `0x${proposal.value.toString(16).padStart(64, "0")}`;
    throw new Problem(`Proposed is the key ${proposed}, and the application is of ${keyId}.`);
  }
  const { timestamp } = await deployment.client.getBlock();
  if (timestamp < proposal.executableAt) {
    throw new Problem(`The key is proposed, and can replace the meter's from ${time(proposal.executableAt)} UTC on.`);
  }
}
