/**
 * Opens a contract's keys for a request and keeps them a short while.
 * A cached set is used only while the epoch that the request's own load names is the cached one, and lives at most a minute, so a fence cuts it.
 */
import { type Aead, keyBytes, randomBytes } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type ContractKeys, commitmentTo, createPurposeKeys, deriveContractKey, openContractKeys } from "./contract-keys.ts";
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
  /** Asks the merchant to retire share C of every epoch that has one; the commitments to those that it says are gone. For the end: A and B went before. */
  retireSharesC(database: Queryable, contract: ContractId): Promise<string[]>;
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

  const openKeys = async (database: Queryable, contract: ContractId): Promise<ContractKeys> => {
    const contractKeys = new Map<number, Uint8Array>();
    for (const row of await selectKeyEpochs(database, contract)) {
      const { epoch, shareA } = row;
      const a = shareA && (await root.unwrap(shareContext(contract, epoch), shareA));
      const b = await shares.get(contract, epoch);
      if (!a || !b) throw new KeysUnavailable("a share of the contract's key is missing");
      if (b.length !== keyBytes) throw new KeysUnavailable("a share has the wrong length");
      contractKeys.set(epoch, deriveContractKey(contract, epoch, a, b, ...(await openSharesC(database, contract, row))));
    }
    if (contractKeys.size === 0) throw new KeysUnavailable("the contract has no keys");
    return openContractKeys(aead, contract, contractKeys, await selectContractKeys(database, contract));
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
      const a = randomBytes(keyBytes);
      const b = randomBytes(keyBytes);
      const holder = await holderOf(tx, contract);
      const c = holder ? [await holder.make(contract, epoch)] : [];
      const [commitmentC = null] = c.map(commitmentTo);
      const commitments = { commitmentA: commitmentTo(a), commitmentB: commitmentTo(b), commitmentC };
      await shares.put(contract, epoch, b);
      await insertKeyEpoch(tx, { contract, epoch, shareA: await root.wrap(shareContext(contract, epoch), a), ...commitments });
      await insertContractKeys(
        tx,
        contract,
        epoch,
        createPurposeKeys(aead, contract, epoch, deriveContractKey(contract, epoch, a, b, ...c)),
      );
      return { epoch, ...commitments };
    },
    async retireSharesC(database, contract) {
      const holder = await holderOf(database, contract);
      const gone: string[] = [];
      for (const { epoch, commitmentC } of await selectKeyEpochs(database, contract)) {
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

function shareContext(contract: ContractId, epoch: number): string {
  return `share-a/${contract}/${epoch}`;
}
