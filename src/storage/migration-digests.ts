/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "0a045f83cedc6d967fd413459b04eb10283d2b6da8436232fb7bd25d55c43b1c" },
  { number: 2, name: "0002-publishing.sql", digest: "ec432559ad4668d06cbae2159e69976ac5b29f60e05b5618f353d89a6fe56ae4" },
];
