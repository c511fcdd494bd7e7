/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "94f914e565393d5ba155da3e94d6d093f5b719abfbbbde022ff4dda0a0e017c3" },
];
