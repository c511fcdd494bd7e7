/** Every key that was ever in use, looked for in everything that leaves the process or is stored. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeForOperators } from "../src/app.ts";
import { type Aead, fromUtf8, randomBytes, toBase64, toBase64Url, toHex } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { createKeyring, createRootKey, type RootKey, type ShareStore } from "../src/keys/index.ts";
import { stores } from "../src/purge/plan.ts";
import { importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { customers, populate } from "./support/purge-world.ts";
import { erase, rotate, showKeys } from "./support/rotation.ts";

/** In hex: of the root key, both shares, contract, purpose and subject keys. */
const seen = new Set<string>();
/** Bytes that were handed over to be overwritten. */
const handed: { readonly what: string; readonly bytes: Uint8Array }[] = [];

const note = (key: Uint8Array) => void seen.add(toHex(key));
const hand = (what: string, bytes: Uint8Array | null) => {
  if (!bytes) return;
  note(bytes);
  handed.push({ what, bytes });
};

const aead: Aead = {
  encrypt(key, nonce, aad, plaintext) {
    note(key);
    if (plaintext.length === 32) note(plaintext);
    return nodeAead.encrypt(key, nonce, aad, plaintext);
  },
  decrypt(key, nonce, aad, ciphertext) {
    note(key);
    const opened = nodeAead.decrypt(key, nonce, aad, ciphertext);
    if (fromUtf8(aad).includes('"subject:')) hand("a subject's key, opened", opened);
    return opened;
  },
};

function watchRoot(made: RootKey): RootKey {
  return {
    names: made.names,
    async wrap(context, key) {
      if (context.startsWith("share-a/")) hand(`${context}, made`, key);
      return made.wrap(context, key);
    },
    async unwrap(context, wrapped) {
      const key = await made.unwrap(context, wrapped);
      if (context.startsWith("share-a/")) hand(`${context}, unwrapped`, key);
      return key;
    },
  };
}

function memoryShares(): ShareStore {
  const shares = new Map<string, Uint8Array>();
  return {
    async put(contract, epoch, share) {
      hand(`share B of ${epoch}, made`, share);
      shares.set(`${contract}/${epoch}`, share.slice());
    },
    async get(contract, epoch) {
      const share = shares.get(`${contract}/${epoch}`)?.slice() ?? null;
      hand(`share B of ${epoch}, fetched`, share);
      return share;
    },
    destroy: async (contract, epoch) => void shares.delete(`${contract}/${epoch}`),
    note: async () => {},
    deletions: async () => [],
    bury: async () => {},
    buried: async () => new Map(),
  };
}

let gateway: Gateway;
let said: Map<string, string>;

beforeAll(async () => {
  const root = watchRoot(createRootKey(aead, randomBytes(32)));
  const shares = memoryShares();
  let isDown = false;
  const flaky: ShareStore = {
    ...shares,
    get: (contract, epoch) => (isDown ? Promise.reject(new Error("the store is away")) : shares.get(contract, epoch)),
  };
  const keyring = createKeyring({ aead, root, shares: flaky, now: Date.now });
  gateway = await createGateway({ common: { aead, root, shares: flaky, keyring } });
  await populate(gateway);
  await search(gateway, { phone: "13810000003" });
  await erase(gateway, "U3");
  await rotate(gateway);
  await importLines(gateway, customers(3));
  const answers = [JSON.stringify(await showKeys(gateway))];
  keyring.forget("c-test" as never);
  isDown = true;
  const failed = await gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
    as: "agent-1",
    body: { by: { phone: "13810000003" } },
  });
  answers.push(`${failed.status} ${await failed.text()}`);
  isDown = false;
  said = new Map([
    ["answers", answers.join("\n")],
    ["metrics", await (await gateway.call("GET", "/metrics", { as: "operator" })).text()],
    ["faults", gateway.faults.map((fault) => JSON.stringify(describeForOperators(fault))).join("\n")],
  ]);
  for (const table of Object.keys(stores)) {
    const rows = await gateway.database.query(`select t::text, now() from ${table} t`);
    said.set(table, rows.map(([text]) => String(text)).join("\n"));
  }
});
afterAll(() => gateway.close());

function isIn(text: string, key: string): boolean {
  const bytes = Uint8Array.from(Buffer.from(key, "hex"));
  return [key, toBase64(bytes), toBase64Url(bytes)].some((form) => text.includes(form)) || Buffer.from(text).includes(Buffer.from(bytes));
}

describe("keys", () => {
  it("were all seen by this test: shares, contract, purpose and subject keys of two epochs", () => {
    // Root, 2 × 2 shares, 2 contract keys, 3 purpose keys, 20 subjects and one who came back, audit keys.
    expect(seen.size).toBeGreaterThan(1 + 4 + 2 + 3 + 21);
    expect(said.get("answers")).toContain("500 ");
  });

  it("stand in no table, entry, answer, metric or fault, in no spelling", () => {
    const found = [...said].flatMap(([where, text]) => [...seen].filter((key) => isIn(text, key)).map(() => where));
    expect(found).toEqual([]);
  });

  it("would be found where one stood", () => {
    const [key = ""] = seen;
    for (const spelt of [key, toBase64(Buffer.from(key, "hex")), toBase64Url(Buffer.from(key, "hex"))])
      expect(isIn(`…${spelt}…`, key)).toBe(true);
  });

  it("leave nothing of the shares, nor of an opened subject's key, in the memory that held them", () => {
    expect(handed.filter(({ what }) => what.startsWith("share")).length).toBeGreaterThan(6);
    expect(handed.length).toBeGreaterThan(20);
    expect(handed.filter(({ bytes }) => bytes.some((byte) => byte !== 0)).map(({ what }) => what)).toEqual([]);
  });
});
