/** What a wallet is needed for: what that is and a button that asks for one, and then the thing itself. */
import type { ComponentChildren } from "preact";
import { isWalletAsked } from "../model/wallet.ts";
import { strings } from "../strings/index.ts";

export function NeedsWallet({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <section class="card stack" aria-labelledby="needs-wallet">
      <h2 id="needs-wallet">{title}</h2>
      <p class="text">{text}</p>
      {isWalletAsked.value ? (
        children
      ) : (
        <p>
          <button
            type="button"
            class="button"
            onClick={() => {
              isWalletAsked.value = true;
            }}
          >
            {strings.value.wallet.connect}
          </button>
        </p>
      )}
    </section>
  );
}
