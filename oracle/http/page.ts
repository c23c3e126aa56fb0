/** What stands at `/`: which routes there are, for a program as JSON, for a person as a page. */
import type { Static } from "typebox";
import type { RootAnswer } from "./schemas.ts";

const WHAT =
  "An oracle of WattWitness: it keeps what solar meters sign, serves it, and settles it. It cannot invent, change, reorder or drop a reading.";

/** What a person can follow, and what takes something to fill in. */
const ROUTES = [
  { method: "GET", path: "/docs", what: "all routes with all that they take and answer (OpenAPI 3.1), these and more" },
  { method: "GET", path: "/api/v1/overview", what: "all meters at a glance" },
  { method: "GET", path: "/meters", what: "every key that a meter has or had, its readings stored and settled" },
  { method: "GET", path: "/meters/:keyId", what: "one of them, with its newest hundred settlements" },
  { method: "GET", path: "/logs/:keyId/:epoch/readings?from&limit", what: "readings, page by page" },
  { method: "GET", path: "/logs/:keyId/:epoch/readings/:index", what: "one reading with its proofs" },
  { method: "GET", path: "/tlog/:keyId/:epoch/checkpoint", what: "the newest head as a signed note (c2sp.org)" },
  { method: "GET", path: "/tlog/:keyId/:epoch/:index.tlog-proof", what: "one reading's proof as a file" },
  { method: "GET", path: "/equivocations", what: "logs of which a device told two stories" },
  { method: "GET", path: "/equivocations/:keyId/:epoch", what: "both heads, as the contract takes them for proof" },
  { method: "GET", path: "/batches/:digest", what: "a batch, immutable: what the DON fetches" },
  { method: "GET", path: "/registrations", what: "applications that wait for the registrar" },
  { method: "GET", path: "/api/v1/installations", what: "meters by the name that their owners gave them" },
  { method: "GET", path: "/health", what: "block, meters, batches under way" },
  { method: "GET", path: "/metrics", what: "in numbers, for Prometheus" },
  { method: "POST", path: "/readings", what: "a meter's readings under one signed head" },
  { method: "POST", path: "/registrations", what: "an application to register a meter" },
] as const;

/** Meters that the page links to. */
const SHOWN = 20;

export type Facts = { chainId: number; registry: string; block: number; keyIds: readonly string[] };

export const rootOf = ({ chainId, registry }: Facts): Static<typeof RootAnswer> => ({
  what: WHAT,
  chainId,
  registry,
  routes: ROUTES.map((route) => ({ ...route })),
});

/** Whether somebody sits before it: programs do not ask for HTML. */
export const wantsPage = (accept: string | undefined): boolean => accept?.includes("text/html") ?? false;

/** Allows the page its own style, and nothing else. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function pageOf({ chainId, registry, block, keyIds }: Facts): string {
  const routes = ROUTES.map(({ method, path, what }) => {
    const shown = `<code>${method} ${path.replaceAll("&", "&amp;")}</code>`;
    const isLink = method === "GET" && !path.includes(":");
    return `<dt>${isLink ? `<a href="${path}">${shown}</a>` : shown}</dt><dd>${what}</dd>`;
  });
  const meters = keyIds.slice(0, SHOWN).map((keyId) => `<li><a href="/meters/${keyId}"><code>${keyId}</code></a></li>`);
  const none = "<p>None is registered yet.</p>";
  const more = keyIds.length > SHOWN ? `<p><a href="/meters">All ${keyIds.length}</a></p>` : "";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WattWitness oracle</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
  code { overflow-wrap: anywhere }
  dd { margin: 0 0 .5rem 1.5rem }
</style>
<h1>WattWitness oracle</h1>
<p>${WHAT}</p>
<p>Chain ${chainId}, block ${block}, registry <code>${registry}</code></p>
<h2>Routes</h2>
<dl>
${routes.join("\n")}
</dl>
<h2>Keys of meters</h2>
${meters.length > 0 ? `<ul>\n${meters.join("\n")}\n</ul>` : none}${more}
</html>
`;
}
