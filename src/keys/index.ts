export { type AuditKeys, createAuditKeys, monthOf, type OpenedAuditKeys } from "./audit-keys.ts";
export type { ContractKeys, WrappedKey } from "./contract-keys.ts";
export { createKeyring, type Keyring, type OpenedKeys } from "./keyring.ts";
export { KeysUnavailable, type RootKey, type ShareStore } from "./ports.ts";
export { destroyShareA, insertSubjectKeys, type KeyEpoch, newestEpoch, selectKeyEpochs, selectSubjectKeys } from "./postgres.ts";
export { createRootKey } from "./root-key.ts";
