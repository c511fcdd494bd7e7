import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Aead } from "../src/crypto/index.ts";
import { expectStatus } from "./support/agreement.ts";
import { createGateway, type Gateway, type GatewayOptions } from "./support/gateway.ts";
import { createLeakScanner } from "./support/leaks.ts";
import { isLong } from "./support/long.ts";
import { type RetailRecord, retailTypes } from "./support/retail/data.ts";
import { type Dumped, dumpTables } from "./support/retail/dump.ts";
import {
  bringRetailIntoForce,
  each,
  type FoundLeak,
  importRecords,
  type RetailFiles,
  readAndScan,
  retailContract,
  retailFiles,
} from "./support/retail/journeys.ts";
import { provokeAndScan } from "./support/retail/provoke.ts";
import { readRetailWorld } from "./support/retail/world.ts";

const { all, templates, planted } = readRetailWorld();
const present = all.length > 0;
const special = new Set<RetailRecord>([...templates, ...planted]);
const worked = isLong ? all : all.filter((record, index) => index % 3 === 0 || special.has(record));

describe.skipIf(!present)("an agent works on five hundred users and a thousand orders of another shop", () => {
  let gateway: Gateway;
  let answers: FoundLeak[];
  let errors: FoundLeak[];
  let kept: Dumped[];
  beforeAll(async () => {
    gateway = await createGateway();
    await bringRetailIntoForce(gateway);
    for (const type of retailTypes) await importRecords(gateway, type, worked);
    answers = await each(worked, (record) => readAndScan(gateway, record));
    errors = await each([...templates, ...planted], (record) => provokeAndScan(gateway, record));
    kept = [...(await readLog(gateway)), ...(await dumpTables(gateway.database))];
  }, 240_000);
  afterAll(() => gateway.close());

  it(`reads ${isLong ? "every record" : "every third record"}, and no answer holds a name, an email, a payment token, a street, a full ZIP or an id that contains a name`, () => {
    expect(all).toHaveLength(1_502);
    expect(answers).toEqual([]);
  });

  it("gets no value back in an error, however the request goes wrong", () => {
    expect(errors).toEqual([]);
    expect(gateway.faults).toEqual([]);
  });

  it("leaves no value in the log, in its export or in any table", () => {
    const names = kept.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["export", "entries", "audit.flush", "postern.record", "postern.blind_index", "pg_stats"]),
    );
    expect(scanKept(kept)).toEqual([]);
  });
});

describe.skipIf(!present)("the same check is red as soon as one thing is opened by hand:", () => {
  const few = [...templates, ...planted];
  const opened = (gateway: Gateway) => each(few, (record) => readAndScan(gateway, record));

  it("a name that policy and contract reveal", async () => {
    const policy = retailFiles.policy.replace("name.first_name: mask", "name.first_name: reveal");
    await withGateway({}, { ...retailFiles, policy }, async (gateway) => {
      expect(await opened(gateway), "the contract's ceiling holds where the policy does not").toEqual([]);
    });
    const contract = retailFiles.contract.replace("person_name: mask", "person_name: reveal");
    await withGateway({}, { policy, contract }, async (gateway) => {
      const values = new Set((await opened(gateway)).map(({ value }) => value));
      expect(values).toEqual(new Set(few.flatMap(firstName)));
    });
  }, 60_000);

  it("a field called plain that is none", async () => {
    const policy = retailFiles.policy
      .replace("email:           { class: email, search: true }", "email: { class: plain }")
      .replace("email: mask", "email: reveal");
    await withGateway({}, { ...retailFiles, policy }, async (gateway) => {
      expect((await opened(gateway)).map(({ where }) => where)).toEqual(expect.arrayContaining(["user search", "user read"]));
    });
  }, 60_000);

  it("a table whose records are not sealed", async () => {
    await withGateway({ common: { aead: openAead } }, retailFiles, async (gateway) => {
      const leaks = scanKept(await dumpTables(gateway.database));
      expect(new Set(leaks.map(({ where }) => where))).toEqual(new Set(["postern.record"]));
    });
  }, 60_000);

  it("a log that quotes what was asked for", async () => {
    const quoting: GatewayOptions = {
      edge: {
        audit: (made) => ({
          append: (log, draft) => made.append(log, { ...draft, facts: { asked: Buffer.from(quoted).toString("base64") } }),
        }),
      },
    };
    const quoted = few[0]?.id ?? "";
    await withGateway(quoting, retailFiles, async (gateway) => {
      await opened(gateway);
      const places = scanKept([...(await readLog(gateway)), ...(await dumpTables(gateway.database))]);
      expect(new Set(places.map(({ where, value }) => `${where} ${value}`))).toEqual(
        new Set(["export", "entries", "audit.flush"].map((place) => `${place} ${quoted}`)),
      );
    });
  }, 60_000);

  async function withGateway(options: GatewayOptions, files: RetailFiles, work: (gateway: Gateway) => Promise<void>): Promise<void> {
    const gateway = await createGateway(options);
    try {
      await bringRetailIntoForce(gateway, files);
      for (const type of retailTypes) await importRecords(gateway, type, few);
      await work(gateway);
    } finally {
      await gateway.close();
    }
  }
});

const scanner = createLeakScanner(all.flatMap(({ secrets, shown }) => [...secrets, ...shown]));

/** For everything but answers: every record's values. */
function scanKept(kept: readonly Dumped[]): FoundLeak[] {
  return kept.flatMap(({ name, bytes }) => scanner.scan(bytes).map((leak) => ({ ...leak, where: name })));
}

/** The officer's two ways to the log. */
async function readLog(gateway: Gateway): Promise<Dumped[]> {
  const log = `/v1/contracts/${retailContract}/audit`;
  const bundle = await expectStatus(gateway.call("GET", `${log}/export?format=bundle`, { as: "officer" }), 200);
  const exported = { name: "export", bytes: new Uint8Array(await bundle.arrayBuffer()) };
  const list = await expectStatus(gateway.call("GET", `${log}/entries?limit=200`, { as: "officer" }), 200);
  return [exported, { name: "entries", bytes: new Uint8Array(await list.arrayBuffer()) }];
}

function firstName({ type, line }: RetailRecord): string[] {
  return type === "user" ? [(JSON.parse(line) as { name: { first_name: string } }).name.first_name] : [];
}

/** Seals nothing: what is written is what was given. */
const openAead: Aead = {
  encrypt: (_key, _nonce, _aad, plaintext) => new Uint8Array([...plaintext, ...new Uint8Array(16)]),
  decrypt: (_key, _nonce, _aad, ciphertext) => ciphertext.slice(0, -16),
};
