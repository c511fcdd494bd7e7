export { indexValueOf, locatorOf } from "./locator.ts";
export {
  countRecords,
  countSubject,
  deleteSubject,
  type IndexEntry,
  type SealedRecord,
  type SubjectRecord,
  type SubjectRows,
  selectLocators,
  selectRecordsOf,
  selectVersions,
  upsertRecords,
} from "./postgres.ts";
export { levelsMax, openLevel, type Place, sealLevel } from "./seal.ts";
