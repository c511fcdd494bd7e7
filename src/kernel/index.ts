export { type Brand, type ContractId, isId, type Locator, parseContractId } from "./brand.ts";
export { type Breaker, createBreaker } from "./breaker.ts";
export { type CanonicalValue, canonicalJson } from "./canonical-json.ts";
export { createInFlight, type InFlight } from "./in-flight.ts";
export { inTurn } from "./in-turn.ts";
export {
  holdsNumberText,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonLimits,
  type JsonObject,
  JsonSyntaxError,
  NumberText,
  parseJson,
  printJson,
} from "./lossless-json.ts";
export { nearest } from "./nearest.ts";
export { isProven, isSession, type Presented, type PresentedSession, type PresentedWithProof, proofAlgorithms } from "./presented.ts";
export { type Refusal, type RefusalCode, refusals } from "./refusal.ts";
export { ok, type Result, refuse } from "./result.ts";
