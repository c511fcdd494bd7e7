export { indexValueOf, locatorOf } from "./locator.ts";
export {
  countRecords,
  type IndexEntry,
  type SealedRecord,
  type SubjectRecord,
  selectLocators,
  selectRecordsOf,
  selectVersions,
  upsertRecords,
} from "./postgres.ts";
export { levelsMax, openLevel, type Place, sealLevel } from "./seal.ts";
