/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "839e9a372ac6ff4a06abc09063c362ab24fb0c02195d26ea744a5a72314bfee9" },
  { number: 2, name: "0002-publishing.sql", digest: "319b34f2c24c996c94fce2a9bad0088c1d516c109ef4c257d11a9e0269ceca09" },
  { number: 3, name: "0003-ladder.sql", digest: "5f466940c12f51c184e8eabff7458e8b8f6e06eccc42c174b4a00a8a267a6929" },
  { number: 4, name: "0004-rotation.sql", digest: "3c7f3e6d93fd707adcb293e05e56d17675ddd138e9d64476513126db963b7ac5" },
  { number: 5, name: "0005-retention.sql", digest: "ca080b47487a789610ae830a2308d8037f4cd64e43695eb9d4e317c55aa3fb9c" },
  { number: 6, name: "0006-returning.sql", digest: "b523727cb24cf9a233086955ed34b5fa525aca21bb50000ac5049f0162cbd441" },
  { number: 7, name: "0007-rights.sql", digest: "ec9c29a60e9c550e2b4eb00e7a30511a0f98a849ae9c8df0f1133dc8d7563b69" },
  { number: 8, name: "0008-share-c.sql", digest: "9a974479df441961dd885c5f83800c8f9fa8e282229a0ef9c445f18ecfcf6577" },
  { number: 9, name: "0009-idempotency.sql", digest: "0ff3fec519aa990c3a1ce0d3c4939b8b7d6b02e68343b514769cd6fd85d5c532" },
  { number: 10, name: "0010-index-key.sql", digest: "0e1f0e0428d7fafac5271a1dc3c7a060678e38853afd18b148a5bd038dd30b4b" },
  { number: 12, name: "0012-age.sql", digest: "a729c498cb1f778b1c4fee19df7a76fe6f7e3f7fbad5e7ef464f8b58406ac096" },
  { number: 17, name: "0017-revocation.sql", digest: "1d50a51a36edc32c6390ccfa14db030ab4ae03c7881fc1ae25900aa9470c4ba3" },
];
