/** The connected account: what it has, what it owns, what it retired, and what it sent. */
import { readContract } from "viem/actions";
import { count, tokens } from "../model/format.ts";
import { meters } from "../model/live.ts";
import { meterLink } from "../model/router.ts";
import { Tile, When } from "../parts/common.tsx";
import { Asking, Connected, useContracts } from "./connected.tsx";
import type { Contracts } from "./contracts.ts";
import { type Connection, ready } from "./provider.ts";
import { certificateLink, Retire } from "./retire.tsx";
import { sendings, shown } from "./sending.ts";
import { words } from "./strings/index.ts";
import { exact } from "./typed.ts";

/** Retirements that are listed. */
const NEWEST = 20n;

export const Account = () => (
  <>
    {ready.value ? (
      <Known connection={ready.value} />
    ) : (
      <section class="card stack">
        <Connected>{() => null}</Connected>
      </section>
    )}
    <Sent />
  </>
);

async function ask({ client, registry, token }: Contracts, { address }: Connection) {
  const args = [address] as const;
  const [balance, retired, retirementCount, owned] = await Promise.all([
    readContract(client, { ...token, functionName: "balanceOf", args }),
    readContract(client, { ...token, functionName: "retiredBy", args }),
    readContract(client, { ...token, functionName: "retirementCountBy", args }),
    readContract(client, { ...registry, functionName: "balanceOf", args }),
  ]);
  const start = retirementCount > NEWEST ? retirementCount - NEWEST : 0n;
  const retirements = await readContract(client, {
    ...{ ...token, functionName: "retirementsBy", args: [address, start, NEWEST] },
  });
  return { token, balance, retired, retirementCount, owned, retirements: retirements.toReversed() };
}

/** Rounded, from units of the token: 10^15 are a Wh. */
const inKilowattHours = (units: bigint) => ({ value: tokens(Number(units) / 1e15), unit: "kWh" });

function Known({ connection }: { connection: Connection }) {
  const { view: says } = words.value;
  const answer = useContracts(connection, (contracts) => ask(contracts, connection));
  if (!answer.value) return <Asking answer={answer} />;
  const { token, balance, retired, retirementCount, owned, retirements } = answer.value;
  return (
    <>
      <p>
        <code>{connection.address}</code>
      </p>
      <dl class="tiles three">
        <Tile label={says.balance} quantity={inKilowattHours(balance)} main />
        <Tile label={says.retired} quantity={inKilowattHours(retired)} />
        <Tile label={says.meters} quantity={{ value: count(Number(owned)), unit: "" }} />
      </dl>
      <Retire connection={connection} token={token} balance={balance} />
      <Meters address={connection.address} owned={Number(owned)} />
      <section class="card stack" aria-labelledby="retirements">
        <h2 id="retirements">{says.retirements}</h2>
        {retirements.length === 0 ? <p class="text">{says.noRetirements}</p> : <Retirements list={retirements} />}
        {retirementCount > NEWEST && (
          <p class="note">{says.newest(count(retirements.length), count(Number(retirementCount)))}</p>
        )}
      </section>
    </>
  );
}

/** The chain says how many, the oracle which: where they differ, that is said. */
function Meters({ address, owned }: { address: string; owned: number }) {
  const { view: says } = words.value;
  const listed = [...(meters.value?.values() ?? [])].filter(
    ({ glance }) => glance.owner.toLowerCase() === address.toLowerCase() && glance.status !== "superseded",
  );
  return (
    <section class="card stack" aria-labelledby="its-meters">
      <h2 id="its-meters">{says.metersTitle}</h2>
      {listed.length === 0 && <p class="text">{says.noMeters}</p>}
      {listed.length > 0 && (
        <ul class="plain">
          {listed.map(({ keyId, title }) => (
            <li key={keyId}>
              <a href={meterLink(keyId)}>{title}</a>
            </li>
          ))}
        </ul>
      )}
      {listed.length !== owned && <p class="doubt">{says.unlisted(count(listed.length), count(owned))}</p>}
    </section>
  );
}

function Retirements({ list }: { list: Awaited<ReturnType<typeof ask>>["retirements"] }) {
  const { columns } = words.value.view;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby="retirements">
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.serial}</th>
            <th scope="col">{columns.time}</th>
            <th scope="col" class="right">
              {columns.amount}
            </th>
            <th scope="col">{columns.name}</th>
            <th scope="col">{columns.purpose}</th>
          </tr>
        </thead>
        <tbody>
          {list.map(({ serial, retiredAt, amount, name, purpose }) => (
            <tr key={serial}>
              <td>
                <a href={certificateLink(serial)}>{count(Number(serial))}</a>
              </td>
              <td>
                <When time={retiredAt} />
              </td>
              <td class="right">{exact(amount)}</td>
              <td>{name}</td>
              <td>{purpose}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Sent() {
  const { sending: says } = words.value;
  if (sendings.value.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="sent">
      <h2 id="sent">{says.list}</h2>
      <ul class="plain">
        {sendings.value.toReversed().map((sending) => (
          <li key={sending}>
            {sending.act.says}{" "}
            <button
              type="button"
              class="button small"
              onClick={() => {
                shown.value = sending;
              }}
            >
              {says.states[sending.phase.value.is]}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
