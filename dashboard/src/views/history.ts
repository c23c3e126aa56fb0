/** The views of what became of the tokens, by the chain's events. They are loaded together when the first is shown. */
export { heldNow } from "../model/held.ts";
export { CertificateView } from "./certificate.tsx";
export { ChainView } from "./chain.tsx";
