/** What the page is told by its address: `?oracle=URL&rpc=URL&from_block=N`. Without them it asks whoever served it, and no chain. */

/** An http(s) URL with a slash at its end; undefined where the text is none. */
function baseIn(text: string | null): string | undefined {
  if (text === null || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

const asked = new URLSearchParams(location.search);

/** Base URL of the oracle. */
export const ORACLE = baseIn(asked.get("oracle")) ?? new URL("./", location.href).href;
/** The visitor's own way to the chain. */
export const RPC = baseIn(asked.get("rpc"))?.replace(/\/$/, "");

/** The block from which its events are read; undefined = the oracle says, which can hide some and invent none. */
export const FROM_BLOCK = /^\d{1,15}$/.test(asked.get("from_block") ?? "")
  ? Number(asked.get("from_block"))
  : undefined;

/** Whose time days and months are of. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** From here on the browser asks these two and nobody else, whatever else the page would do. */
export function narrowPolicy(): void {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  const origins = [ORACLE, ...(RPC ? [RPC] : [])].map((url) => new URL(url).origin);
  meta.content = `connect-src ${[...new Set(origins)].join(" ")}`;
  document.head.append(meta);
}
