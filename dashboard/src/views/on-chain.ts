/** The views that ask the chain. They are of the same parts, and loaded together when the first of them is shown. */
export { heldNow } from "../model/held.ts";
export { CertificateView } from "./certificate.tsx";
export { ChainView } from "./chain.tsx";
export { EnergyView } from "./energy.tsx";
export { ProofFileView, ProofView } from "./proof.tsx";
export { RegisterView } from "./register.tsx";
