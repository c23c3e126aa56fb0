/** The views that verify what a device signed. They are of the same parts, and loaded together when the first is shown. */
export { EnergyView } from "./energy.tsx";
export { ProofFileView, ProofView } from "./proof.tsx";
