import { useSignal } from "@preact/signals";
import { strings } from "../strings/index.ts";

/** Asks for a node of the chain, and then the same of it: the page with it in its address. */
export function AskForChain() {
  const { proof: words } = strings.value;
  const url = useSignal("");
  return (
    <form
      class="toolbar"
      onSubmit={(event) => {
        event.preventDefault();
        const there = new URL(location.href);
        there.searchParams.set("rpc", url.value);
        location.assign(there);
      }}
    >
      <input
        type="url"
        required
        placeholder="https://…"
        aria-label={words.rpc}
        value={url.value}
        onInput={({ currentTarget }) => {
          url.value = currentTarget.value;
        }}
      />
      <button type="submit" class="button">
        {words.askChain}
      </button>
    </form>
  );
}
