export {
  type ClassRules,
  classNames,
  type DataClass,
  dataClasses,
  generalizationsOf,
  generalizeValue,
  isStored,
  maskValue,
  normalize,
  pseudonymizeValue,
} from "./classes.ts";
export { ageBandOf, carrierOf, salutation, sameAs } from "./derived.ts";
export { compilePlan, type Masked, type MaskingMoment, type MaskingPlan, maskDocument, type PlannedField } from "./document.ts";
export { hutoolMasks } from "./hutool.ts";
export { joinOf, joins } from "./joins.ts";
export { readJsonText } from "./json-text.ts";
export { buildTrie, type ObjectTrie, PathSet, parsePath, type Step, type Trie } from "./path.ts";
export { type Generalization, generalizations, type MaskProfile, maskProfiles, type Treatment, treatmentNames } from "./treatment.ts";
