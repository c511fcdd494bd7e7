/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "2bafcc8805b8a045469bd51eb0bbb833593f3f6b175849eddf87521bff49d7bb" },
  { number: 2, name: "0002-publishing.sql", digest: "ec432559ad4668d06cbae2159e69976ac5b29f60e05b5618f353d89a6fe56ae4" },
  { number: 3, name: "0003-returning.sql", digest: "b523727cb24cf9a233086955ed34b5fa525aca21bb50000ac5049f0162cbd441" },
];
