/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "0b307fd8bb2f66d2345f489e257be1d259422642a5a20383280a56e0ec2f8715" },
  { number: 6, name: "0006-publishing.sql", digest: "ec432559ad4668d06cbae2159e69976ac5b29f60e05b5618f353d89a6fe56ae4" },
];
