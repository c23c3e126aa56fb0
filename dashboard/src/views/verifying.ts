/** The views that verify in the page, in one file that comes with the first of them: apart, they would be larger together. */
export { ProofFileView, ProofView } from "./proof.tsx";
export { RegisterView } from "./register.tsx";
