/** A retirement as a certificate: read from the contract by the visitor's node, to be shown, shared and printed. */
import { correction, generate } from "lean-qr/nano";
import type { ComponentChildren } from "preact";
import { type Place, toHex } from "../../../protocol/index.ts";
import { type Certificate, certificateOf, tokenAt } from "../../../verification/chain/token.ts";
import type { ChainReader } from "../../../verification/index.ts";
import { fromBlock, NODE } from "../model/chain.ts";
import { count, exactTokens, NONE } from "../model/format.ts";
import { certificateLink } from "../model/router.ts";
import { Empty, Loading, When } from "../parts/common.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { Untold, WithChain } from "../parts/with-chain.tsx";
import { strings } from "../strings/index.ts";

/** Characters of a stranger's text that are shown. */
const LENGTH = 160;

export function CertificateView({ serial }: { serial: number }) {
  const { title } = strings.value.certificate;
  return <WithChain title={title}>{(node, place) => <Asked node={node} place={place} serial={serial} />}</WithChain>;
}

function Asked({ node, place, serial }: { node: ChainReader; place: Place; serial: number }) {
  const { certificate: words } = strings.value;
  const { value, ask } = useAnswer(async () => {
    const at = await tokenAt(node, place);
    return at.ok ? certificateOf(at.value, serial, fromBlock.peek()) : at;
  }, [place, serial]);
  if (!value) return <Loading />;
  if (!value.ok) return <Untold why={value.why} again={ask} />;
  if (value.value) return <Shown certificate={value.value} />;
  return (
    <Empty title={words.none(count(serial))}>
      <p>{words.noneText}</p>
    </Empty>
  );
}

/** What anyone can open: without the visitor's node, whose URL may be a secret. */
function linkOf(serial: number): string {
  const link = new URL(location.href);
  link.searchParams.delete("rpc");
  link.hash = certificateLink(serial);
  return link.href;
}

function Shown({ certificate: { at, retirement, event } }: { certificate: Certificate }) {
  const { certificate: words, chain } = strings.value;
  const { serial, amount, from, beneficiary, name, purpose, retiredAt } = retirement;
  const link = linkOf(Number(serial));
  const type = "(uint256,address,uint40,uint256,address,string,string)";
  return (
    <article class="card certificate">
      <header class="title">
        <h1>
          {words.title} {count(Number(serial))}
        </h1>
        <button type="button" class="button" onClick={() => print()}>
          {words.print}
        </button>
      </header>
      <dl class="facts">
        <Fact name={words.amount}>
          <strong class="number">{exactTokens(amount)} kWh</strong>
        </Fact>
        <Fact name={words.name}>
          <Words text={name} />
        </Fact>
        <Fact name={words.beneficiary}>{BigInt(beneficiary) === 0n ? NONE : <code>{beneficiary}</code>}</Fact>
        <Fact name={words.purpose}>
          <Words text={purpose} />
        </Fact>
        <Fact name={words.from}>
          <code>{from}</code>
        </Fact>
        <Fact name={chain.columns.time}>
          <When time={retiredAt} />
        </Fact>
        <Fact name={chain.title}>{at.chainId}</Fact>
        <Fact name={words.token}>
          <code>{at.token}</code>
        </Fact>
        <Fact name={chain.columns.transaction}>{event ? <code>{toHex(event.transaction)}</code> : words.hidden}</Fact>
        <Fact name={words.link}>
          <a href={link}>{link}</a>
        </Fact>
        <Fact name={words.check}>
          {words.checked(NODE, count(at.block))} {words.how}{" "}
          <code>
            cast call {at.token} "retirement(uint256)({type})" {String(serial)} --rpc-url …
          </code>
        </Fact>
      </dl>
      <Qr text={link} label={`QR: ${words.link}`} />
      <p class="note">{words.what}</p>
    </article>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** Anybody's words: in quotation marks, on the lines that they are given, in their own direction of writing. */
function Words({ text }: { text: string }) {
  const characters = [...text.replace(/\p{Cc}/gu, " ")];
  return (
    <q class="words" dir="auto">
      {characters.slice(0, LENGTH).join("")}
      {characters.length > LENGTH && "…"}
    </q>
  );
}

function Qr({ text, label }: { text: string; label: string }) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const modules = Array.from({ length: code.size ** 2 }, (_, i) => [i % code.size, Math.floor(i / code.size)] as const);
  const path = modules.map(([x, y]) => (code.get(x, y) ? `M${x} ${y}h1v1h-1z` : "")).join("");
  return (
    <svg
      class="qr"
      viewBox={`-4 -4 ${code.size + 8} ${code.size + 8}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <path d={path} />
    </svg>
  );
}
