/** Rotates a meter to another device's key, as its owner does. */
import type { Hex } from "viem";
import { meterRegistryAbi } from "../contracts/abi.ts";
import type { Wallet } from "../contracts/deploy.ts";
import { headParts, publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import type { Device } from "../meter/device.ts";
import {
  domain,
  encodeClaim,
  encodeHead,
  encodeRotation,
  headHash,
  type Place,
  sign,
  toHex,
} from "../protocol/index.ts";

/** A device in software, whose key can be asked for anything. */
export type SoftDevice = { device: Device; privateKey: Uint8Array };

/** Any device whose key is known. */
type KnownDevice = { device: Pick<Device, "publicKey">; privateKey: Uint8Array };

/** `meter`: its id. Resolves to the transaction's hash. */
export function rotate(
  { registry, place, owner }: { registry: Hex; place: Place; owner: Wallet },
  meter: Uint8Array,
  from: KnownDevice,
  to: SoftDevice,
): Promise<Hex> {
  const { keyId, publicKey } = to.device;
  const baseline = to.device.head();
  const claim = encodeClaim(domain("claim", place), {
    ...{ meter, keyId, owner: owner.account.address },
    headHash: headHash(encodeHead(domain("head", place), baseline)),
  });
  const rotation = encodeRotation(domain("rotate", place), { meter, newKeyId: keyId });
  const newKey = {
    key: publicKeyParts(publicKey),
    baseline: headParts(baseline),
    claim: signatureParts(sign(claim, to.privateKey)),
  };
  const signed = signatureParts(sign(rotation, from.privateKey));
  return owner.writeContract({
    ...{ address: registry, abi: meterRegistryAbi, chain: owner.chain, functionName: "rotate" },
    args: [toHex(meter), newKey, publicKeyParts(from.device.publicKey), signed],
  } as const);
}
