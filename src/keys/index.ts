export { type AuditKeys, createAuditKeys, monthOf, type OpenedAuditKeys, unwrapsGatewayKey } from "./audit-keys.ts";
export { createAwsKms } from "./aws-kms.ts";
export { type ContractKeys, keyPurposes, type WrappedKey } from "./contract-keys.ts";
export { createKeyring, type Keyring, type OpenedKeys } from "./keyring.ts";
export { joinRootKeys } from "./named-root-key.ts";
export {
  type Deletion,
  KeysUnavailable,
  type RootKey,
  ShareClosed,
  type ShareHolder,
  type ShareHolders,
  type ShareStore,
} from "./ports.ts";
export {
  destroyShareA,
  insertSubjectKeys,
  type KeyEpoch,
  newestEpoch,
  selectContractKeys,
  selectKeyEpochs,
  selectSubjectKeys,
} from "./postgres.ts";
export { countByRoot, mayChangeAuditKeys, type UnderRoot } from "./postgres-root.ts";
export {
  countWrapped,
  deleteSubjectKey,
  deleteSubjectKeys,
  dropIndexBeside,
  lockSubjectKeys,
  movePurposeKey,
  moveSubjectKeys,
  retireEpochsBefore,
  type Wrapped,
} from "./postgres-rotation.ts";
export { type Rewrapped, rewrapRoot } from "./rewrap-root.ts";
export { createRootKey } from "./root-key.ts";
export { createServiceRootKey, type KeyService } from "./service-root-key.ts";
export { createHttpShareHolder } from "./share-holder.ts";
export { createVaultTransit } from "./vault-transit.ts";
