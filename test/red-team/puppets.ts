/**
 * A chain whose contracts check nothing: each is replaced by a puppet for one transaction, which tells what the forger would
 * like it to have told, in the order and the company in which the real ones would. What the contracts keep stays as it was,
 * so that their views contradict it: nobody may rely on that, since a node can lie in views as well.
 */
import { type Abi, type AbiEvent, encodeAbiParameters, encodeEventTopics, type Hex, zeroAddress, zeroHash } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import {
  attestedItems,
  type Fixture,
  headOf,
  type Part,
  registrationOf,
  STATUS,
  type TestMeter,
  UNITS,
} from "../../contracts/test/fixture.ts";
import type { Functions } from "../../contracts/test/functions.ts";
import { energyOf, fromHex, timestampOf, toHex } from "../../protocol/index.ts";
import { batchOf } from "./forging.ts";

export type Told = { by: Hex; topics: Hex[]; data: Hex };
type Args = Record<string, unknown>;

/** What a pretended settlement says instead; `batch`: bytes published for it in place of its own, undefined = none. */
export type Pretended = {
  settled?: Args;
  begun?: Args;
  attestation?: Hex;
  minted?: { to: Hex; amount: bigint };
  batch?: Uint8Array | undefined;
};

export function createPuppets(fixture: Fixture, functions: Functions, publish: (bytes: Uint8Array) => Hex) {
  const { registry, wattWitness, token, publicClient, request, stranger } = fixture;
  const abis: [Hex, Abi][] = [
    [registry.address, meterRegistryAbi],
    [wattWitness.address, wattWitnessAbi],
    [token.address, productionTokenAbi],
    [functions.attestor, functionsAttestorAbi],
  ];

  /** An event as the contract at that address would emit it. */
  function event(by: Hex, eventName: string, args: Args): Told {
    const abi = abis.find(([address]) => address === by)?.[1] as Abi;
    const item = abi.find((each): each is AbiEvent => each.type === "event" && each.name === eventName) as AbiEvent;
    const plain = item.inputs.filter(({ indexed }) => !indexed);
    const topics = encodeEventTopics({ abi: [item], eventName, args } as never) as Hex[];
    const data = encodeAbiParameters(
      plain,
      plain.map(({ name }) => args[name as string]),
    );
    return { by, topics, data };
  }

  /** In one transaction, with `beside` among what is sent. */
  async function tell(events: readonly Told[], beside: Hex = "0x"): Promise<void> {
    const puppet = await fixture.deploy("Puppet");
    const code = await publicClient.getCode({ address: puppet });
    const codes = await Promise.all(abis.map(([address]) => publicClient.getCode({ address })));
    for (const [address] of abis) await request("hardhat_setCode", [address, code]);
    const { abi } = await fixture.deployer.artifact("Puppet");
    const call = { address: wattWitness.address, abi, functionName: "tell", args: [events, beside] };
    await fixture.send(call, stranger);
    for (const [i, [address]] of abis.entries()) await request("hardhat_setCode", [address, codes[i]]);
  }

  const onWattWitness = (eventName: string, args: Args): Told => event(wattWitness.address, eventName, args);
  const onToken = (eventName: string, args: Args): Told => event(token.address, eventName, args);
  const onRegistry = (eventName: string, args: Args): Told => event(registry.address, eventName, args);
  const onAttestor = (eventName: string, args: Args): Told => event(functions.attestor, eventName, args);

  const mint = (to: Hex, value: bigint): Told => onToken("Transfer", { from: zeroAddress, to, value });

  /** A batch that is asked for, and attested. */
  function attested(digest: Hex, root: Hex): Told[] {
    const requestId = root;
    return [
      onAttestor("AttestationRequested", { requestId, digest, root, subscriptionId: 1n }),
      onWattWitness("Attested", { root, attestor: functions.attestor }),
      onAttestor("AttestationConfirmed", { requestId, root }),
    ];
  }

  /** What settling a part tells, whatever of it is true. */
  async function settled(part: Part, change: Pretended = {}): Promise<Told[]> {
    const { meter, epoch = 1, to, settled: fromSize = 1 } = part;
    const keyId = meter.id;
    const head = { ...headOf(meter, to, epoch), ...part.head };
    const { attestation: root } = attestedItems([part]);
    const attestation = change.attestation ?? root;
    const of = (await publicClient.readContract({ ...wattWitness, functionName: "meterOf", args: [keyId] })) as Hex;
    const { payee } = await fixture.termsOf(meter);
    const latest = await fixture.latestOf(meter);
    const first = meter.readingsOf(epoch)[0] as Uint8Array;
    const isLost = fromSize === 0 && epoch !== latest.epoch && energyOf(first) < latest.energy;
    const produced = energyOf(head.reading) - (isLost ? energyOf(first) : latest.energy);
    const args = {
      ...{ meter: of === zeroHash ? keyId : of, keyId, attestation, payee, epoch, fromSize: BigInt(fromSize) },
      ...{ size: BigInt(head.size), timestamp: timestampOf(head.reading), energy: energyOf(head.reading) },
      ...{ produced: produced < 0n ? 0n : produced, root: toHex(head.root), ...change.settled },
    };
    const { to: holder, amount } = change.minted ?? { to: args.payee, amount: BigInt(args.produced) * UNITS };
    const begun = { keyId, epoch, timestamp: timestampOf(first), energy: energyOf(first), ...change.begun };
    return [
      ...(amount > 0n ? [mint(holder as Hex, amount)] : []),
      ...(fromSize === 0 ? [onWattWitness("LogBegun", begun)] : []),
      onWattWitness("Settled", args),
    ];
  }

  /** What a registration tells, at the meter's first reading. */
  function registered(meter: TestMeter, owner: Hex): Told[] {
    const { key, capacity, source, details, baseline } = registrationOf(meter, owner);
    const reading = fromHex(baseline.reading);
    return [
      onRegistry("MeterRegistered", { meter: meter.id, owner, ...key, capacity, source, details }),
      onRegistry("Transfer", { from: zeroAddress, to: owner, tokenId: BigInt(meter.id) }),
      begun(meter.id, baseline.epoch, reading, baseline.root),
    ];
  }

  const begun = (keyId: Hex, epoch: number, reading: Uint8Array, root: Hex): Told => {
    const [timestamp, energy] = [timestampOf(reading), energyOf(reading)];
    return onWattWitness("Begun", { keyId, epoch, size: 1n, timestamp, energy, root });
  };

  /** What a rotation from one device's key to another's tells, at the other's first reading. */
  function rotated(meter: Hex, from: TestMeter, to: TestMeter): Told[] {
    const { key, baseline } = registrationOf(to, zeroAddress);
    const reading = fromHex(baseline.reading);
    return [
      onRegistry("KeyRotated", { meter, keyId: to.id, previousKeyId: from.id, ...key }),
      onWattWitness("Ended", { keyId: from.id, status: STATUS.Superseded, until: timestampOf(reading) }),
      begun(to.id, baseline.epoch, reading, baseline.root),
    ];
  }

  /** As if a batch of this part had been attested, and settled. */
  async function pretend(part: Part, change: Pretended = {}): Promise<void> {
    const { attestation: root } = attestedItems([part]);
    const batch = "batch" in change ? change.batch : batchOf(part);
    const digest = batch ? publish(batch) : root;
    await tell([...attested(digest, change.attestation ?? root), ...(await settled(part, change))]);
  }

  return {
    tell,
    pretend,
    attested,
    settled,
    registered,
    rotated,
    mint,
    onWattWitness,
    onToken,
    onRegistry,
    onAttestor,
  };
}
