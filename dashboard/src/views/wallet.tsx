/** The visitor's own account, once he asks for a wallet. */
import { isWalletAsked } from "../model/wallet.ts";
import { lazy } from "../parts/lazy.tsx";
import { NeedsWallet } from "../parts/needs-wallet.tsx";
import { strings } from "../strings/index.ts";

const Account = lazy(async () => (await import("../wallet/index.ts")).Account);

export function WalletView() {
  const { wallet: words } = strings.value;
  return (
    <>
      <h1>{words.title}</h1>
      {isWalletAsked.value ? <Account /> : <NeedsWallet title={words.askTitle} text={words.askText} />}
    </>
  );
}
