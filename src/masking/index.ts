export {
  type ClassRules,
  classNames,
  type DataClass,
  dataClasses,
  generalizationsOf,
  generalizeValue,
  isComparable,
  isStored,
  maskValue,
  normalize,
  pseudonymizeValue,
  showsNothing,
} from "./classes.ts";
export { type AnswerName, ageBandOf, answerNames, answerSources, carrierOf, type Derivation, salutation, sameAs } from "./derived.ts";
export { compilePlan, type Masked, type MaskingMoment, type MaskingPlan, maskDocument, type PlannedField } from "./document.ts";
export { hutoolMasks } from "./hutool.ts";
export { guardJoins, joinOf, joins, type Shown } from "./joins.ts";
export { readJsonText } from "./json-text.ts";
export { buildTrie, type ObjectTrie, PathSet, parsePath, type Step, type Trie } from "./path.ts";
export { type Generalization, generalizations, type MaskProfile, maskProfiles, type Treatment, treatmentNames } from "./treatment.ts";
export { piecedTogether, placesOf } from "./views.ts";
