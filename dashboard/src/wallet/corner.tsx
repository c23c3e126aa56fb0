/** What a wallet shows in the header: whose it is, what it is sending, and how to let go of it. */
import { Corner } from "../model/wallet.ts";
import { Dialog } from "./dialog.tsx";
import { connection, disconnect } from "./provider.ts";
import { sendings, shown } from "./sending.ts";
import { words } from "./strings/index.ts";

export const shortOf = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

function WalletCorner() {
  const { disconnect: text, account, sending: says } = words.value;
  const known = connection.value;
  const latest = sendings.value.at(-1);
  return (
    <>
      {(known || latest) && (
        <div class="corner">
          {latest && (
            <button
              type="button"
              class="button small"
              onClick={() => {
                shown.value = latest;
              }}
            >
              {says.title}: {says.states[latest.phase.value.is]}
            </button>
          )}
          {known && (
            <>
              <a class="account" href="#/wallet" title={known.address}>
                <span class="hidden">{account} </span>
                {shortOf(known.address)}
              </a>
              <button type="button" class="button small" onClick={disconnect}>
                {text}
              </button>
            </>
          )}
        </div>
      )}
      <Dialog />
    </>
  );
}

Corner.value = WalletCorner;
