/**
 * The migrations of this build by their digests, for Workers, which have no disk to read `migrations/` from. A test holds it to the files,
 * and says what belongs here when they differ.
 */
import type { MigrationDigest } from "./migrate.ts";

export const migrationsOfThisBuild: readonly MigrationDigest[] = [
  { number: 1, name: "0001-spine.sql", digest: "11f1b7a05c396e3a202d8208258ef2aa8da3bf2077166c83cc4ef9093eb4c70e" },
  { number: 2, name: "0002-publishing.sql", digest: "04008cc7f52a13edc4369d5e7f70c597eb843e5a8956780e530db83e48cd0002" },
  { number: 3, name: "0003-ladder.sql", digest: "6dcd94c19837c863549bcf3b9030dae35122c476ea60eece6710a861b0ffb681" },
  { number: 4, name: "0004-rotation.sql", digest: "905899758386758004fc5d3e807ab9f9b8553f6a64421e7e726225adfbb2816c" },
  { number: 5, name: "0005-retention.sql", digest: "ca080b47487a789610ae830a2308d8037f4cd64e43695eb9d4e317c55aa3fb9c" },
  { number: 6, name: "0006-returning.sql", digest: "b523727cb24cf9a233086955ed34b5fa525aca21bb50000ac5049f0162cbd441" },
  { number: 7, name: "0007-rights.sql", digest: "ec9c29a60e9c550e2b4eb00e7a30511a0f98a849ae9c8df0f1133dc8d7563b69" },
  { number: 8, name: "0008-share-c.sql", digest: "9a974479df441961dd885c5f83800c8f9fa8e282229a0ef9c445f18ecfcf6577" },
  { number: 9, name: "0009-idempotency.sql", digest: "82de5fa32828266ee0408707404b40b35f0c9d762cc71a0c507ad7b1605fd5b9" },
  { number: 10, name: "0010-index-key.sql", digest: "0e1f0e0428d7fafac5271a1dc3c7a060678e38853afd18b148a5bd038dd30b4b" },
  { number: 11, name: "0011-reasons.sql", digest: "40e4fb9bba11e4b721a04961fa2f43b47937620e9a84c247e2936746610e737c" },
  { number: 12, name: "0012-age.sql", digest: "e186507121eccebaf687bdb151bf2a32c12edd10b7f4f174764cc98065019c10" },
  { number: 13, name: "0013-seat-use.sql", digest: "9076575d70a3dc43a9342c4ed70aa0f953c558d5f5d717d245596587f7fc2977" },
  { number: 14, name: "0014-possession.sql", digest: "c1d93e27f4820efcc5fdbe64dd5153d26b2baf4e0e96c2b0d154a04b06817b2b" },
  { number: 15, name: "0015-seats.sql", digest: "228f18131c71ca8e96f1c48bd7a1ecbec122f73df5a67089cf200fde0deb0096" },
  { number: 16, name: "0016-scim.sql", digest: "dae24554fd3ac3bb4fbb22221367dfa37f8b3f880de6b8e976e73971eef9645d" },
  { number: 17, name: "0017-revocation.sql", digest: "0d7a7084a96f2e14113ce65072b2fe8cda9fe244292664a6c30b983b4a8bf1b0" },
  { number: 18, name: "0018-shop.sql", digest: "34063fa448e62c2291a87a539a3712ba91b4361b75b77f0dd4b9ccedd088fbae" },
  { number: 19, name: "0019-sessions.sql", digest: "f0cc63ae690c15682b599478d172f6ca4198d196e39fd2497f1eb80a29c88ec9" },
  { number: 20, name: "0020-service-keys.sql", digest: "7380bf241347788fefa924539f0fd01734a9bdc509c7b5a22c49272fb7663890" },
  { number: 21, name: "0021-upstream.sql", digest: "3bd6637e289ac903176d4267bb01eaf51f1152ed9d1651d666e9fde9b304265d" },
  { number: 24, name: "0024-connector-refusals.sql", digest: "5af613444ca6d3abadd68e5d8650e0105cb1056fb1eeadd93e8b2196fc14c8ea" },
  { number: 25, name: "0025-passkeys.sql", digest: "d170e5ac471e9180edec6e9d51b872d0638c16b847598943880e35dd188852e2" },
  { number: 26, name: "0026-upstream-writes.sql", digest: "c26d4ab596739418c51731934db3f872d35bb80cc877d08e9eb9be949c480cec" },
  { number: 27, name: "0027-break-glass.sql", digest: "bb95c990844172833c7dc1149a2dee4a52b96ab694bf935f879f56e46894d1d9" },
];
