export { indexEntriesOf, indexValueOf, locatorOf } from "./locator.ts";
export {
  countRecords,
  countSubject,
  deleteSubject,
  type RecordOrigin,
  type SealedRecord,
  type SubjectRecord,
  type SubjectRows,
  selectLocators,
  selectRecordsOf,
  selectVersions,
  upsertRecords,
} from "./postgres.ts";
export { type AgeRules, countOlder, deleteOlder, hasOlder, type Spared, selectSubjectsLeft } from "./postgres-age.ts";
export {
  deleteIndexBefore,
  type IndexEntry,
  type RecordName,
  replaceIndexRows,
  type StoredRecord,
  selectRecordsAfter,
} from "./postgres-index.ts";
export { levelsMax, openLevel, type Place, sealLevel } from "./seal.ts";
export { type NamedSubject, subjectNamed } from "./subject.ts";
