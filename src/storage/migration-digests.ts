/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "7317853b646197a4725f7907948c65c3dcc3783e268a731dfd62b57fb7bcd586" },
  { number: 2, name: "0002-publishing.sql", digest: "ec432559ad4668d06cbae2159e69976ac5b29f60e05b5618f353d89a6fe56ae4" },
  { number: 3, name: "0003-ladder.sql", digest: "f44c85cfd558c5914a1c4d35008bc39ff090f0b32859ddd17890179e1fef319b" },
  { number: 6, name: "0006-share-c.sql", digest: "9a974479df441961dd885c5f83800c8f9fa8e282229a0ef9c445f18ecfcf6577" },
  { number: 7, name: "0007-rights.sql", digest: "b5f6db2c939cc204d22cd3e982867d18d84d84ecc8024a7da29c08a1048f2f30" },
];
