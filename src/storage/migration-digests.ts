/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "085b32ac382434650dc78d7c96c0300ae072a403ca6eb4710c5bf1290a69de87" },
];
