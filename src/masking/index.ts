export { type ClassRules, classNames, type DataClass, dataClasses, maskValue, normalize } from "./classes.ts";
export { compilePlan, type Masked, type MaskingPlan, maskDocument, type PlannedField } from "./document.ts";
export { buildTrie, type ObjectTrie, parsePath, type Step, type Trie } from "./path.ts";
export { type Treatment, treatmentNames } from "./treatment.ts";
