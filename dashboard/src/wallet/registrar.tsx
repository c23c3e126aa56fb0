/** Registers what applied, where the chain says that the connected account may. */
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type AbiFunction, type Hex, slice, toFunctionSelector } from "viem";
import { readContract } from "viem/actions";
import type { Application } from "../model/answers.ts";
import { power } from "../model/format.ts";
import { Asking, Connected, useContracts } from "./connected.tsx";
import type { Contracts } from "./contracts.ts";
import { Field } from "./field.tsx";
import type { Connection } from "./provider.ts";
import { on, propose } from "./sending.ts";
import { words } from "./strings/index.ts";
import { capacityIn, plainCapacity } from "./typed.ts";

/** Of OpenZeppelin's AccessManager, which says who may call what. */
const AUTHORITY = [
  {
    type: "function",
    name: "canCall",
    stateMutability: "view",
    inputs: [
      { name: "caller", type: "address" },
      { name: "target", type: "address" },
      { name: "selector", type: "bytes4" },
    ],
    outputs: [
      { name: "immediate", type: "bool" },
      { name: "delay", type: "uint32" },
    ],
  },
] as const;

/** Who registers: set where the chain says that the connected account may. `ceiling`: W. */
const registrar = signal<{ connection: Connection; contracts: Contracts; ceiling: number } | undefined>(undefined);

export const Registrar = () => <Connected>{(connection) => <Role connection={connection} />}</Connected>;

async function ask(contracts: Contracts, { address }: Connection) {
  const { client, registry } = contracts;
  const authority = await readContract(client, { ...registry, functionName: "authority" });
  const register = registry.abi.find((item) => item.type === "function" && item.name === "register") as AbiFunction;
  const [[may, delay], ceiling] = await Promise.all([
    readContract(client, {
      ...{ address: authority, abi: AUTHORITY, functionName: "canCall" },
      args: [address, registry.address, toFunctionSelector(register)],
    }),
    readContract(client, { ...registry, functionName: "capacityCeiling" }),
  ]);
  return { contracts, may, delay, ceiling };
}

function Role({ connection }: { connection: Connection }) {
  const { registrar: says } = words.value;
  const answer = useContracts(connection, (contracts) => ask(contracts, connection));
  const known = answer.value;
  useEffect(() => {
    registrar.value = known?.may ? { connection, ...known } : undefined;
    return () => {
      registrar.value = undefined;
    };
  }, [known]);
  if (!known) return <Asking answer={answer} />;
  return <p role="status">{known.may ? says.may : known.delay > 0 ? says.delayed : says.mayNot}</p>;
}

/** Nothing for who may not. */
export function Register({ application, done }: { application: Application; done: () => void }) {
  const known = registrar.value;
  return known ? <Form {...{ application, done, ...known }} /> : null;
}

type Registering = NonNullable<typeof registrar.value> & { application: Application; done: () => void };

/** The claim does not say a capacity: it is the registrar's to state. */
function Form({ application, done, connection, contracts, ceiling }: Registering) {
  const { registrar: says } = words.value;
  const text = useSignal(plainCapacity(Math.min(application.capacity, ceiling)));
  const problem = useSignal<string | undefined>(undefined);
  const register = (capacity: number) =>
    propose(connection, {
      ...{ ...on(contracts.registry), functionName: "register", args: [registrationOf(application, capacity)], done },
      says: says.says(`${application.keyId.slice(0, 10)}…`, power(capacity), application.owner),
      ...(capacity !== application.capacity && { warns: says.another(power(application.capacity), power(capacity)) }),
    });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const capacity = capacityIn(text.value, ceiling);
        problem.value = capacity.ok ? undefined : capacity.problem;
        if (capacity.ok) register(capacity.value);
      }}
    >
      <Field label={says.capacity} text={text} problem={problem.value} numeric />
      <p>
        <button type="submit" class="button">
          {says.button}
        </button>
      </p>
    </form>
  );
}

/** As the registry takes it. */
function registrationOf({ publicKey, owner, source, details, baseline, claim }: Application, capacity: number) {
  return {
    ...{ owner, capacity, source, details },
    key: { x: slice(publicKey as Hex, 0, 32), y: slice(publicKey as Hex, 32) },
    baseline: { ...baseline, size: BigInt(baseline.size) },
    claim: { r: slice(claim as Hex, 0, 32), s: slice(claim as Hex, 32) },
  };
}
