/** What stands around every view. */
import { useEffect, useRef } from "preact/hooks";
import { count } from "../model/format.ts";
import { connection, facts, meters } from "../model/live.ts";
import { place } from "../model/router.ts";
import { switchTheme, theme } from "../model/theme.ts";
import { Corner } from "../model/wallet.ts";
import { Empty } from "../parts/common.tsx";
import { lazy } from "../parts/lazy.tsx";
import { ORACLE } from "../settings.ts";
import { LANGUAGES, type Language, language, speak, strings } from "../strings/index.ts";
import { Overview } from "./overview.tsx";
import { WalletView } from "./wallet.tsx";

const MeterView = lazy(async () => (await import("./meter.tsx")).MeterView);
const proving = () => import("./proving.ts");
const ProofView = lazy(async () => (await proving()).ProofView);
const ProofFileView = lazy(async () => (await proving()).ProofFileView);
const EnergyView = lazy(async () => (await proving()).EnergyView);
const RegisterView = lazy(async () => (await import("./register.tsx")).RegisterView);
const history = () => import("./history.ts");
const ChainView = lazy(async () => (await history()).ChainView);
const CertificateView = lazy(async () => (await history()).CertificateView);

export function Frame() {
  const main = useRef<HTMLElement>(null);
  const { path } = place.value;
  const where = path.join("/");
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = titleOf(path);
    // who does not see the page is told that it is another one
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [where]);
  const { failed, skip } = strings.value;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {skip}
      </button>
      <Header />
      <Places />
      <main ref={main} tabIndex={-1}>
        {connection.value === "lost" && meters.value && (
          <p class="card notice" role="status">
            {failed.stale}
          </p>
        )}
        <View path={path} />
      </main>
      <Footer />
    </>
  );
}

function View({ path }: { path: readonly string[] }) {
  const [view, keyId, epoch, index] = path;
  if (view === undefined) return <Overview />;
  if (view === "meters" && keyId !== undefined && path.length === 2) return <MeterView keyId={keyId} />;
  if (view === "proof" && keyId !== undefined && epoch !== undefined && index !== undefined) {
    return <ProofView keyId={keyId} epoch={epoch} index={index} />;
  }
  if (view === "proof" && path.length === 1) return <ProofFileView />;
  if (view === "energy" && path.length === 6) return <EnergyView path={path.slice(1)} />;
  if (view === "chain" && path.length === 1) return <ChainView />;
  if (view === "certificate" && /^\d{1,15}$/.test(keyId ?? "") && path.length === 2) {
    return <CertificateView serial={Number(keyId)} />;
  }
  if (view === "register" && path.length === 1) return <RegisterView />;
  if (view === "wallet" && path.length === 1) return <WalletView />;
  return <Nowhere />;
}

function titleOf([view = "", keyId = ""]: readonly string[]): string {
  const { proof, overview, energy, chain, certificate, register, wallet } = strings.value;
  const titles: Record<string, { title: string }> = { proof, energy, chain, certificate, register, wallet };
  const meter = view === "meters" ? meters.peek()?.get(keyId) : undefined;
  return `${(meter ?? titles[view] ?? overview).title} · WattWitness`;
}

function Nowhere() {
  const { notFound } = strings.value;
  return (
    <Empty title={notFound.title}>
      <p>{notFound.text}</p>
      <a class="button" href="#/">
        {notFound.back}
      </a>
    </Empty>
  );
}

/** The views that have an address of their own, by its first word. */
function Places() {
  const { nav, chain } = strings.value;
  const [here = ""] = place.value.path;
  const places = {
    ...{ "": nav.meters, chain: chain.title, proof: nav.proof },
    ...{ register: nav.register, wallet: nav.wallet },
  };
  const isHere = (word: string) => word === here || (word === "" && here === "meters");
  return (
    <nav class="places" aria-label={nav.places}>
      {Object.entries(places).map(([word, name]) => (
        <a key={word} href={`#/${word}`} aria-current={isHere(word) ? "page" : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}

function Header() {
  const { nav, connection: words, theme: themeWords, chooseLanguage } = strings.value;
  const toOther = theme.value === "dark" ? themeWords.toLight : themeWords.toDark;
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label={nav.home}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M8 17.5 13.5 23 25 9.5" />
        </svg>
        <span>WattWitness</span>
      </a>
      <p class={`connection ${connection.value}`} role="status">
        <span class="dot" aria-hidden="true" />
        <span>{words[connection.value]}</span>
      </p>
      <select
        aria-label={chooseLanguage}
        value={language.value}
        onChange={({ currentTarget }) => void speak(currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" class="icon" aria-label={toOther} title={toOther} onClick={switchTheme}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          {theme.value === "dark" ? (
            <path d="M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5" />
          ) : (
            <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z" />
          )}
        </svg>
      </button>
      {Corner.value && <Corner.value />}
    </header>
  );
}

function Footer() {
  const { footer } = strings.value;
  const known = facts.value;
  return (
    <footer class="bottom">
      <p>{footer.claim}</p>
      <p class="links">
        {known && <span>{footer.chain(known.chain_id, count(known.block))}</span>}
        {known && (
          <span>
            {footer.registry} <code>{known.registry}</code>
          </span>
        )}
        <a href="#/proof">{strings.value.proof.title}</a>
        <a href={new URL("docs", ORACLE).href}>{footer.docs}</a>
        <a href={new URL("routes", ORACLE).href}>{footer.routes}</a>
      </p>
    </footer>
  );
}
