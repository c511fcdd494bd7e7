/**
 * The keys of one contract:  shares → contract key → { locator, index, pseudonym, each data subject's key }.
 * A wrapped key binds its contract, its name and its epoch, so a row copied elsewhere does not open.
 */
import { type Aead, concat, hkdfSha256, keyBytes, open, randomBytes, seal, sha256, toBase64, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";
import { KeysUnavailable } from "./ports.ts";

export const keyPurposes = ["locator", "index", "pseudonym"] as const;
/** `index_beside`: there while a rotation moves the index from one key to another. */
export type KeyPurpose = (typeof keyPurposes)[number] | "index_beside";

export interface WrappedKey {
  readonly epoch: number;
  readonly wrapped: Uint8Array;
}

/** A row of `postern.contract_key`. `generation`: of an index key, which index rows are its own; 1 of the others. */
export interface WrappedPurposeKey extends WrappedKey {
  readonly generation: number;
}

export interface IndexKey {
  readonly generation: number;
  readonly key: Uint8Array;
}

/** The opened keys of one contract. Inert: knows nothing of where they came from. */
export interface ContractKeys {
  readonly contract: ContractId;
  /** The newest epoch, under which new keys are wrapped. */
  readonly epoch: number;
  readonly locator: Uint8Array;
  /** What searches ask with. */
  readonly index: Uint8Array;
  /** What a record's index rows are written under: `index`, and behind it the other one while a rotation moves the index. */
  readonly indexes: readonly IndexKey[];
  readonly pseudonym: Uint8Array;
  wrapSubjectKey(subject: string, key: Uint8Array): WrappedKey;
  wrapPurposeKey(purpose: KeyPurpose, key: Uint8Array): WrappedKey;
  /** Lends the opened key to `use`, then overwrites it. `null` = it is gone, or does not open: another contract's, another subject's, or changed bytes. */
  withSubjectKey<Made>(subject: string, wrapped: WrappedKey | null, use: (key: Uint8Array) => Made): Made | null;
  /** The same key under the newest epoch; what it opens stays as it is. `null` = it does not open. */
  rewrapSubjectKey(subject: string, wrapped: WrappedKey): WrappedKey | null;
  rewrapPurposeKey(purpose: KeyPurpose, wrapped: WrappedKey): WrappedKey | null;
}

/** HKDF-SHA256(share A ‖ share B [‖ share C], salt = contract ‖ epoch, info = "data"). */
export function deriveContractKey(contract: ContractId, epoch: number, ...shares: readonly Uint8Array[]): Uint8Array {
  const joined = concat(...shares);
  try {
    return hkdfSha256(joined, utf8(`${contract}/${epoch}`), utf8("data"), keyBytes);
  } finally {
    joined.fill(0);
  }
}

/** Logged when a share is made, so that a certificate can name exactly what was destroyed. SHA-256("keycommit" ‖ share), base64. */
export function commitmentTo(share: Uint8Array): string {
  return toBase64(sha256(concat(utf8("keycommit"), share)));
}

/** A new random key for each of `purposes`, wrapped under `contractKey`. */
export function createPurposeKeys(
  aead: Aead,
  { contract, epoch, contractKey }: { readonly contract: ContractId; readonly epoch: number; readonly contractKey: Uint8Array },
  purposes: readonly KeyPurpose[],
): Map<KeyPurpose, Uint8Array> {
  const wrapNew = (purpose: KeyPurpose): Uint8Array => {
    const key = randomBytes(keyBytes);
    const wrapped = seal(aead, contractKey, place(contract, purpose, epoch), key);
    key.fill(0);
    return wrapped;
  };
  return new Map(purposes.map((purpose) => [purpose, wrapNew(purpose)]));
}

/** Throws KeysUnavailable where a key is missing or does not open: the contract cannot be served. */
export function openContractKeys(
  aead: Aead,
  contract: ContractId,
  contractKeys: ReadonlyMap<number, Uint8Array>,
  wrapped: ReadonlyMap<string, WrappedPurposeKey>,
): ContractKeys {
  const epoch = Math.max(...contractKeys.keys());
  const newest = contractKeys.get(epoch);
  if (!newest) throw new KeysUnavailable("the contract has no keys");
  const openNamed = (name: string, key: WrappedKey): Uint8Array | null => {
    const parent = contractKeys.get(key.epoch);
    return parent ? open(aead, parent, place(contract, name, key.epoch), key.wrapped) : null;
  };
  const purposeKey = (purpose: KeyPurpose): Uint8Array => {
    const found = wrapped.get(purpose);
    const key = found ? openNamed(purpose, found) : null;
    if (!key) throw new KeysUnavailable(`the ${purpose} key does not open`);
    return key;
  };
  const withSubjectKey = <Made>(subject: string, wrapped: WrappedKey | null, use: (key: Uint8Array) => Made): Made | null => {
    const key = wrapped && openNamed(subjectName(subject), wrapped);
    if (!key) return null;
    try {
      return use(key);
    } finally {
      key.fill(0);
    }
  };
  const wrap = (name: string, key: Uint8Array): WrappedKey => ({ epoch, wrapped: seal(aead, newest, place(contract, name, epoch), key) });
  const rewrap = (name: string, key: WrappedKey): WrappedKey | null => {
    const plain = openNamed(name, key);
    if (plain === null) return null;
    const wrapped = wrap(name, plain);
    plain.fill(0);
    return wrapped;
  };
  const indexKey = (purpose: "index" | "index_beside"): IndexKey => ({
    generation: wrapped.get(purpose)?.generation ?? 1,
    key: purposeKey(purpose),
  });
  const asked = indexKey("index");
  return {
    contract,
    epoch,
    locator: purposeKey("locator"),
    index: asked.key,
    indexes: wrapped.has("index_beside") ? [asked, indexKey("index_beside")] : [asked],
    pseudonym: purposeKey("pseudonym"),
    wrapSubjectKey: (subject, key) => wrap(subjectName(subject), key),
    wrapPurposeKey: wrap,
    withSubjectKey,
    rewrapSubjectKey: (subject, key) => rewrap(subjectName(subject), key),
    rewrapPurposeKey: rewrap,
  };
}

function subjectName(subject: string): string {
  return `subject:${subject}`;
}

function place(contract: ContractId, name: string, epoch: number): Uint8Array {
  return utf8(canonicalJson([contract, name, epoch]));
}
