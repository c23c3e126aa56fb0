/** Uses tokens up for good, in somebody's name. */
import { useSignal } from "@preact/signals";
import { type Address, parseEventLogs, zeroAddress } from "viem";
import type { Contracts } from "./contracts.ts";
import { Field } from "./field.tsx";
import type { Connection } from "./provider.ts";
import { on, propose } from "./sending.ts";
import { words } from "./strings/index.ts";
import { addressIn, amountIn, exact, plain } from "./typed.ts";

export const certificateLink = (serial: bigint): string => `#/certificate/${serial}`;

type Retiring = { connection: Connection; token: Contracts["token"]; balance: bigint };

export function Retire({ connection, token, balance }: Retiring) {
  const { retire: says } = words.value;
  const [amount, beneficiary, name, purpose] = [useSignal(""), useSignal(""), useSignal(""), useSignal("")];
  const problems = useSignal<{ amount?: string; beneficiary?: string }>({});
  const submit = () => {
    const units = amountIn(amount.value, balance);
    const whose =
      beneficiary.value.trim() === "" ? { ok: true as const, value: zeroAddress } : addressIn(beneficiary.value);
    problems.value = {
      ...(!units.ok && { amount: units.problem }),
      ...(!whose.ok && { beneficiary: whose.problem }),
    };
    if (units.ok && whose.ok) retire(units.value, whose.value);
  };
  const retire = (units: bigint, whose: Address) =>
    propose(connection, {
      ...{ ...on(token), functionName: "retire", args: [units, whose, name.value.trim(), purpose.value.trim()] },
      says: says.says(exact(units), name.value.trim()),
      leadsTo({ logs }) {
        const [retired] = parseEventLogs({ abi: token.abi, eventName: "Retired", logs });
        return retired && { href: certificateLink(retired.args.serial), text: says.certificate };
      },
    });
  return (
    <section class="card stack" aria-labelledby="retire">
      <h2 id="retire">{says.title}</h2>
      <p class="text">{balance === 0n ? says.none : says.text}</p>
      {balance > 0n && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <p>
            {says.balance}: {exact(balance)} kWh{" "}
            <button
              type="button"
              class="button small"
              onClick={() => {
                amount.value = plain(balance);
              }}
            >
              {says.all}
            </button>
          </p>
          <Field label={says.amount} text={amount} problem={problems.value.amount} numeric />
          <Field label={says.name} text={name} />
          <Field label={says.purpose} text={purpose} />
          <Field label={says.beneficiary} text={beneficiary} problem={problems.value.beneficiary} />
          <p>
            <button type="submit" class="button">
              {says.button}
            </button>
          </p>
        </form>
      )}
    </section>
  );
}
