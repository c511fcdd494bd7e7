/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "95f06dd058dd3fc456de5073001492563938d0366f4f1f9c567bd15e969eb336" },
];
