export { type AuditKeys, createAuditKeys, monthOf, type OpenedAuditKeys, unwrapsGatewayKey } from "./audit-keys.ts";
export { createAwsKms } from "./aws-kms.ts";
export type { ContractKeys, WrappedKey } from "./contract-keys.ts";
export { createKeyring, type Keyring, type OpenedKeys } from "./keyring.ts";
export { KeysUnavailable, type RootKey, type ShareStore } from "./ports.ts";
export { destroyShareA, insertSubjectKeys, type KeyEpoch, newestEpoch, selectKeyEpochs, selectSubjectKeys } from "./postgres.ts";
export { createRootKey } from "./root-key.ts";
export { createServiceRootKey, type KeyService } from "./service-root-key.ts";
export { createVaultTransit } from "./vault-transit.ts";
