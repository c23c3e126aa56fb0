export { type ChainReader, RpcError, rpc } from "./chain/reader.ts";
export { type EnergyVerdict, type EnergyVerification, verifyEnergy } from "./energy.ts";
export { EXTENSION, proofFile, proofFromText } from "./file.ts";
export { FORMAT, type Inclusion, type Mark, type Parsed, proofFrom, type ReadingProof } from "./proof.ts";
export { type Against, type Verification, verifyReading } from "./reading.ts";
export {
  type Facts,
  type ProofRule,
  RULES,
  type Rule,
  STEPS,
  type State,
  type Step,
  type StepName,
  type Verdict,
  verdictOf,
  type Why,
} from "./steps.ts";
