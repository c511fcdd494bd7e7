/** A merchant holds the third share of its contracts' keys: nothing opens without it, it counts what opens, and it can say no at any time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseTrust } from "../src/audit/index.ts";
import { createSigner, randomBytes, type Signer, toBase64, verifySignature } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { deriveContractKey, openContractKeys } from "../src/keys/contract-keys.ts";
import { createHttpShareHolder, createKeyring, createRootKey, KeysUnavailable, ShareClosed, selectKeyEpochs } from "../src/keys/index.ts";
import { selectContractKeys } from "../src/keys/postgres.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { bringIntoForce, expectStatus, importLines } from "./support/agreement.ts";
import { createGateway, createMemoryShareStore, type Gateway } from "./support/gateway.ts";
import { contentOf, fetchCertificate, purge } from "./support/purge-world.ts";
import { type MerchantShare, startMerchantShare } from "./support/share-holder.ts";

const contract = "c-test" as ContractId;
const customer = { id: "U1", name: "欧阳娜娜", phone: "13800138000" };

const root = createRootKey(nodeAead, randomBytes(32));
let merchant: MerchantShare;
let signer: Signer;
let gateway: Gateway;
let clock: { aheadMs: number };

beforeAll(async () => {
  merchant = await startMerchantShare();
  signer = await createSigner(randomBytes(32));
  merchant.trust(signer.publicKey);
  const shares = createMemoryShareStore();
  clock = { aheadMs: 0 };
  const holder = createHttpShareHolder({ url: merchant.url, signer });
  const holders = (name: string) => (name === "m-linxi" ? holder : null);
  const keyring = createKeyring({ aead: nodeAead, root, shares, holders, now: () => Date.now() + clock.aheadMs });
  gateway = await createGateway({ common: { root, shares, keyring } });
  await bringIntoForce(gateway);
  await importLines(gateway, [customer]);
});
afterAll(async () => {
  await gateway.close();
  await merchant.stop();
});
beforeEach(() => {
  merchant.answer(null);
  merchant.reopen(contract);
  clock.aheadMs += 60_001;
});

const search = () =>
  gateway.call("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", body: { by: { phone: customer.phone } } });

async function refusedWith(status: number, code: string): Promise<void> {
  const answer = await search();
  const text = await answer.text();
  expect([answer.status, JSON.parse(text).code]).toEqual([status, code]);
  const share = merchant.shareOf(contract, 1);
  expect(text).not.toContain(share ? toBase64(share) : "欧阳");
}

describe("a contract whose merchant holds share C", () => {
  it("names its commitment, and keeps no byte of it", async () => {
    const [epoch] = await selectKeyEpochs(gateway.database, contract);
    expect(epoch?.commitmentC).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const share = merchant.shareOf(contract, 1) ?? new Uint8Array();
    const rows = await gateway.database.query("select t::text, now() from postern.key_epoch t");
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(share).toString("hex"));
  });

  it("is opened by the merchant once a minute, and the merchant counts", async () => {
    const before = merchant.counts.get(contract)?.opened ?? 0;
    for (let i = 0; i < 3; i++) await expectStatus(search(), 200);
    expect((merchant.counts.get(contract)?.opened ?? 0) - before).toBe(1);
  });

  it("is closed to agents within a minute of the merchant's saying so, with a code of its own, and opens again", async () => {
    await expectStatus(search(), 200);
    merchant.close(contract);
    await expectStatus(search(), 200);
    clock.aheadMs += 60_001;
    await refusedWith(403, "share_closed");
    expect(merchant.counts.get(contract)?.refused).toBeGreaterThan(0);
    merchant.reopen(contract);
    await expectStatus(search(), 200);
  });

  it("leaves one entry for each refusal, in the gateway's log, whose key is not the merchant's", async () => {
    const countOf = async () => {
      const rows = await gateway.database.query("select encode(entries, 'escape'), now() from audit.flush where log = 'gateway'");
      return rows
        .map(([entries]) => String(entries))
        .join("")
        .split('"code":"share_closed"').length;
    };
    const before = await countOf();
    merchant.close(contract);
    await refusedWith(403, "share_closed");
    expect((await countOf()) - before).toBe(1);
  });

  it.each<[string, (share: Uint8Array) => { status: number; body: string }]>([
    ["another share", () => ({ status: 200, body: JSON.stringify({ share: toBase64(randomBytes(32)) }) })],
    ["a share of 16 bytes", (share) => ({ status: 200, body: JSON.stringify({ share: toBase64(share.slice(0, 16)) }) })],
    ["zeros", () => ({ status: 200, body: JSON.stringify({ share: toBase64(new Uint8Array(32)) }) })],
    ["a page", () => ({ status: 200, body: "<html>" })],
    ["a fault", () => ({ status: 500, body: "{}" })],
  ])("does not open where the merchant answers %s", async (_case, answer) => {
    merchant.answer(answer);
    await refusedWith(503, "keys_unavailable");
    merchant.answer(null);
    await expectStatus(search(), 200);
  });

  it("says to whoever looks that another share than the one it made is answered", async () => {
    merchant.answer(() => ({ status: 200, body: JSON.stringify({ share: toBase64(randomBytes(32)) }) }));
    const { keyring } = gateway.keeper.purge;
    keyring.forget(contract);
    await expect(keyring.keysOf(gateway.database, contract, 1)).rejects.toThrow(/another share than the one it made/);
  });

  it("has a key that A and B make only with C", async () => {
    const [epoch] = await selectKeyEpochs(gateway.database, contract);
    const a = await root.unwrap(`share-a/${contract}/1`, epoch?.shareA ?? new Uint8Array());
    const b = await gateway.shares.get(contract, 1);
    const c = merchant.shareOf(contract, 1);
    if (!a || !b || !c) throw new Error("a share is missing");
    const wrapped = await selectContractKeys(gateway.database, contract);
    const openedBy =
      (...shares: Uint8Array[]) =>
      () =>
        openContractKeys(nodeAead, contract, new Map([[1, deriveContractKey(contract, 1, ...shares)]]), wrapped);
    for (const some of [
      [a, b],
      [a, c],
      [b, c],
      [a, b, randomBytes(32)],
    ])
      expect(openedBy(...some)).toThrow(KeysUnavailable);
    expect(openedBy(a, b, c)().contract).toBe(contract);
  });
});

describe("the merchant's share holder", () => {
  const ask = (url = merchant.url, by = signer) => createHttpShareHolder({ url, signer: by });

  it("answers nobody but a writer of the trust file", async () => {
    await expect(ask(merchant.url, await createSigner(randomBytes(32))).open(contract, 1)).rejects.toThrow(/answers 401/);
  });

  it("answers each request once", async () => {
    await ask().open(contract, 1);
    const again = await fetch(merchant.url, { method: "POST", body: merchant.lastRequest() });
    expect(again.status).toBe(401);
  });

  it("gives back the share of an activation that did not complete, and after it was retired none, ever", async () => {
    const holder = ask();
    const made = await holder.make("c-new" as ContractId, 1);
    expect(await holder.make("c-new" as ContractId, 1)).toEqual(made);
    await holder.retire("c-new" as ContractId, 1);
    await holder.retire("c-new" as ContractId, 1);
    for (const act of ["make", "open"] as const) await expect(holder[act]("c-new" as ContractId, 1)).rejects.toThrow(ShareClosed);
  });

  it("retires what the contract had, at its end, and says which", async () => {
    const holders = () => ask();
    const keyring = createKeyring({ aead: nodeAead, root, shares: createMemoryShareStore(), holders, now: Date.now });
    const epochs = await selectKeyEpochs(gateway.database, contract);
    expect(await keyring.retireSharesC(gateway.database, contract, epochs)).toEqual(epochs.map(({ commitmentC }) => commitmentC));
    expect(merchant.shareOf(contract, 1)).toBeNull();
    await refusedWith(403, "share_closed");
    const without = createKeyring({ aead: nodeAead, root, shares: createMemoryShareStore(), now: Date.now });
    await expect(without.retireSharesC(gateway.database, contract, epochs)).rejects.toThrow(KeysUnavailable);
  });
});

describe("a contract that is purged", () => {
  async function certified(name: string): Promise<readonly [state: string | undefined, problems: readonly unknown[]]> {
    const { trust } = await bringIntoForce(gateway, { contract: name });
    await importLines(gateway, [customer], { contract: name });
    if (name === "c-silent") merchant.answer(() => ({ status: 500, body: "" }));
    const jws = await fetchCertificate(gateway, await purge(gateway, name), name);
    const known = parseTrust(JSON.stringify(trust));
    if (!known.ok) throw new Error(known.refusal);
    const { problems } = await verifyCertificate(jws, known.value, verifySignature);
    return [contentOf(jws).shares.find(({ share }) => share === "C")?.state, problems];
  }

  it("has the merchant retire its share last, and the certificate says on whose word; where the merchant is silent it says that", async () => {
    expect(await certified("c-told")).toEqual(["retired", []]);
    expect(merchant.shareOf("c-told" as ContractId, 1)).toBeNull();
    expect(await certified("c-silent")).toEqual(["retirement asked", []]);
  });
});
