/**
 * Opens a contract's keys for a request and keeps them a short while.
 * A cached set is used only while the epoch that the request's own load names is the cached one, and lives at most a minute, so a fence cuts it.
 */
import { type Aead, keyBytes, randomBytes } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type ContractKeys, commitmentTo, createPurposeKeys, deriveContractKey, keyPurposes, openContractKeys } from "./contract-keys.ts";
import { KeysUnavailable, type RootKey, type ShareHolder, type ShareHolders, type ShareStore } from "./ports.ts";
import { insertContractKeys, insertKeyEpoch, type KeyEpoch, selectContractKeys, selectKeyEpochs, selectMerchant } from "./postgres.ts";

const keysLifeMs = 60_000;
const contractsMax = 1_000;

export interface Keyring {
  /** Throws KeysUnavailable where a share is gone or does not open. `epoch` is the contract's newest, as the request's load read it. */
  keysOf(database: Queryable, contract: ContractId, epoch: number): Promise<ContractKeys>;
  /**
   * Makes epoch 1 of a contract. Crash order: share B lies in its store before the rows are committed by the caller's transaction;
   * a share without rows is replaced by the next try.
   */
  create(
    tx: Queryable,
    contract: ContractId,
  ): Promise<{ epoch: number; commitmentA: string; commitmentB: string; commitmentC: string | null }>;
  /**
   * Makes the shares of a further epoch, in the same crash order. Keys stay wrapped as they are; new ones are wrapped under it once `tx` commits. `index`: the generation of a new
   * index key, which stands beside the one that is asked with; `null` = none is made.
   */
  addEpoch(tx: Queryable, contract: ContractId, epoch: number, index: number | null): Promise<void>;
  /** Asks the merchant to retire share C of those epochs that have one; the commitments to those that it says are gone. Last of all: A and B went before. */
  retireSharesC(database: Queryable, contract: ContractId, epochs: readonly KeyEpoch[]): Promise<string[]>;
  /** Drops what is cached of a contract: the fence. */
  forget(contract: ContractId): void;
}

export interface KeyringParts {
  readonly aead: Aead;
  readonly root: RootKey;
  readonly shares: ShareStore;
  /** Default: no merchant holds a share. */
  readonly holders?: ShareHolders | undefined;
  /** Milliseconds. */
  readonly now: () => number;
  /** Default: its own. Several keyrings in turn may remember in one, as on Workers, where each lives for one request. */
  readonly opened?: OpenedKeys | undefined;
}

interface Opened {
  readonly keys: ContractKeys;
  readonly epoch: number;
  readonly until: number;
}

/** What was opened. Holds nothing that is still under way: on Workers that would belong to one request, and hang the others that wait for it. */
export type OpenedKeys = Map<ContractId, Opened>;

export function createKeyring({ aead, root, shares, holders = () => null, now, opened = new Map() }: KeyringParts): Keyring {
  const opening = new Map<ContractId, { readonly keys: Promise<ContractKeys>; readonly epoch: number }>();

  const holderOf = async (database: Queryable, contract: ContractId): Promise<ShareHolder | null> =>
    holders(await selectMerchant(database, contract));

  /** None where the epoch has none. Asked last: the merchant counts what it opened, and that should have opened something. */
  const openSharesC = async (database: Queryable, contract: ContractId, { epoch, commitmentC }: KeyEpoch): Promise<Uint8Array[]> => {
    if (commitmentC === null) return [];
    const holder = await holderOf(database, contract);
    if (!holder) throw new KeysUnavailable("the operator's file does not say where the merchant's share is");
    const share = await holder.open(contract, epoch);
    if (commitmentTo(share) !== commitmentC) throw new KeysUnavailable("the merchant answers another share than the one it made");
    return [share];
  };

  /** Whatever happens, the shares are overwritten in memory. */
  const joinShares = async (database: Queryable, contract: ContractId, row: KeyEpoch): Promise<Uint8Array> => {
    const { epoch, shareA } = row;
    const opened: Uint8Array[] = [];
    try {
      const a = shareA && (await root.unwrap(shareContext(contract, epoch), shareA));
      if (a) opened.push(a);
      const b = await shares.get(contract, epoch);
      if (b) opened.push(b);
      if (!a || !b) throw new KeysUnavailable("a share of the contract's key is missing");
      if (b.length !== keyBytes) throw new KeysUnavailable("a share has the wrong length");
      opened.push(...(await openSharesC(database, contract, row)));
      return deriveContractKey(contract, epoch, ...opened);
    } finally {
      for (const share of opened) share.fill(0);
    }
  };

  const openKeys = async (database: Queryable, contract: ContractId): Promise<ContractKeys> => {
    const contractKeys = new Map<number, Uint8Array>();
    // What is wrapped before the epochs that wrap it: a rotation that commits in between makes an epoch too many, never one too few.
    const wrapped = await selectContractKeys(database, contract);
    for (const row of await selectKeyEpochs(database, contract)) {
      if (row.retiredAt === null) contractKeys.set(row.epoch, await joinShares(database, contract, row));
    }
    if (contractKeys.size === 0) throw new KeysUnavailable("the contract has no keys");
    return openContractKeys(aead, contract, contractKeys, wrapped);
  };

  /** The merchant's share, if it holds one, then share B, then the row; all are overwritten in memory once the contract key is derived. */
  const makeEpoch = async (tx: Queryable, contract: ContractId, epoch: number) => {
    const holder = await holderOf(tx, contract);
    const a = randomBytes(keyBytes);
    const b = randomBytes(keyBytes);
    const c = holder ? [await holder.make(contract, epoch)] : [];
    const [commitmentC = null] = c.map(commitmentTo);
    const commitments = { commitmentA: commitmentTo(a), commitmentB: commitmentTo(b), commitmentC };
    await shares.put(contract, epoch, b);
    await insertKeyEpoch(tx, { contract, epoch, shareA: await root.wrap(shareContext(contract, epoch), a), ...commitments });
    const contractKey = deriveContractKey(contract, epoch, a, b, ...c);
    for (const share of [a, b, ...c]) share.fill(0);
    return { contractKey, commitments };
  };

  /** Those that began to be opened first stand first, but for the time that opening takes. */
  const dropExpired = (): void => {
    for (const [contract, { until }] of opened) {
      if (until > now()) return;
      opened.delete(contract);
    }
  };

  const remember = (contract: ContractId, entry: Opened): void => {
    opened.delete(contract);
    opened.set(contract, entry);
    if (opened.size <= contractsMax) return;
    const oldest = opened.keys().next();
    if (!oldest.done) opened.delete(oldest.value);
  };

  return {
    async keysOf(database, contract, epoch) {
      dropExpired();
      const known = opened.get(contract);
      if (known && known.epoch === epoch && known.until > now()) return known.keys;
      const underWay = opening.get(contract);
      if (underWay?.epoch === epoch) return underWay.keys;
      const until = now() + keysLifeMs;
      const begun = { keys: openKeys(database, contract), epoch };
      opening.set(contract, begun);
      try {
        const keys = await begun.keys;
        // Not where a fence cut it meanwhile.
        if (opening.get(contract) === begun) remember(contract, { keys, epoch, until });
        return keys;
      } finally {
        if (opening.get(contract) === begun) opening.delete(contract);
      }
    },
    async create(tx, contract) {
      const epoch = 1;
      const { contractKey, commitments } = await makeEpoch(tx, contract, epoch);
      const made = createPurposeKeys(aead, { contract, epoch, contractKey }, keyPurposes);
      await insertContractKeys(tx, { contract, epoch, generation: 1 }, made);
      contractKey.fill(0);
      return { epoch, ...commitments };
    },
    async addEpoch(tx, contract, epoch, index) {
      const { contractKey } = await makeEpoch(tx, contract, epoch);
      if (index !== null) {
        const made = createPurposeKeys(aead, { contract, epoch, contractKey }, ["index_beside"]);
        await insertContractKeys(tx, { contract, epoch, generation: index }, made);
      }
      contractKey.fill(0);
    },
    async retireSharesC(database, contract, epochs) {
      const holder = await holderOf(database, contract);
      const gone: string[] = [];
      for (const { epoch, commitmentC } of epochs) {
        if (commitmentC === null) continue;
        if (!holder) throw new KeysUnavailable("the operator's file does not say where the merchant's share is");
        await holder.retire(contract, epoch);
        gone.push(commitmentC);
      }
      return gone;
    },
    forget(contract) {
      opening.delete(contract);
      opened.delete(contract);
    },
  };
}

/** The root key port's, of share A. */
export function shareContext(contract: ContractId, epoch: number): string {
  return `share-a/${contract}/${epoch}`;
}
