export { type AuditKeys, createAuditKeys, monthOf, type OpenedAuditKeys } from "./audit-keys.ts";
export { type ContractKeys, keyPurposes, type WrappedKey } from "./contract-keys.ts";
export { createKeyring, type Keyring, type OpenedKeys } from "./keyring.ts";
export { KeysUnavailable, type RootKey, type ShareStore } from "./ports.ts";
export {
  destroyShareA,
  insertSubjectKeys,
  type KeyEpoch,
  newestEpoch,
  selectContractKeys,
  selectKeyEpochs,
  selectSubjectKeys,
} from "./postgres.ts";
export {
  countWrapped,
  deleteSubjectKey,
  lockSubjectKeys,
  movePurposeKey,
  moveSubjectKeys,
  retireEpochsBefore,
  type Wrapped,
} from "./postgres-rotation.ts";
export { createRootKey } from "./root-key.ts";
