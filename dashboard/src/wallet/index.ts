/** Everything that a wallet is needed for, in one chunk that is loaded when the visitor asks for one. */
import "./corner.tsx";

export { Account } from "./account.tsx";
export { Owner } from "./owner.tsx";
export { Register, Registrar } from "./registrar.tsx";
