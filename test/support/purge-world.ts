/**
 * What a purge's tests stand on: a gateway over a real Postgres under keys that another process can be given too, a contract in force with records,
 * and the owners' way to its end through the routes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entriesOfFlush, parseTrust, readBundle, type Trust } from "../../src/audit/index.ts";
import type { Verdict } from "../../src/audit/verdict.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { createSigner, fromBase64, randomBytes, toBase64, verifySignature } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createFileShareStore } from "../../src/keys/file-share-store.ts";
import { createRootKey, type ShareStore } from "../../src/keys/index.ts";
import { type Certificate, certificateSchema } from "../../src/purge/certificate-document.ts";
import { stores } from "../../src/purge/plan.ts";
import type { Database } from "../../src/storage/index.ts";
import { type Agreement, because, bringIntoForce, expectStatus, importLines } from "./agreement.ts";
import { createPostgresDatabase, openTestPool } from "./databases.ts";
import { createGateway, type Door, type Gateway, type GatewayOptions } from "./gateway.ts";

/** Raw 32-byte secrets in base64, as key files hold them. */
export interface Secrets {
  readonly root: string;
  readonly log: string;
  readonly certificate: string;
  readonly edgeWriter: string;
  readonly directoryWriter: string;
  readonly keeperWriter: string;
}

export function makeSecrets(): Secrets {
  const secret = () => toBase64(randomBytes(32));
  return { root: secret(), log: secret(), certificate: secret(), edgeWriter: secret(), directoryWriter: secret(), keeperWriter: secret() };
}

export interface Place {
  readonly edgeUrl: string;
  readonly keeperUrl: string;
  readonly secrets: Secrets;
  readonly shareDirectory: string;
}

/** How the world differs from the usual: wrappers around its share store and its databases. */
export interface Twist {
  readonly shares?: (made: ShareStore) => ShareStore;
  readonly database?: (made: Database) => Database;
  readonly edgeDatabase?: (made: Database) => Database;
  readonly keeper?: GatewayOptions["keeper"];
}

/** A gateway whose keys are `secrets`, so that several, in this process and in others, are the same operator's. */
export async function openGateway(
  { edgeUrl, keeperUrl, secrets, shareDirectory }: Place,
  twist: Twist = {},
  common: GatewayOptions["common"] = {},
): Promise<Gateway> {
  const signer = (secret: string) => createSigner(fromBase64(secret));
  const [edgeWriter, keeperWriter] = [await signer(secrets.edgeWriter), await signer(secrets.keeperWriter)];
  const files = createFileShareStore(shareDirectory);
  const edgeDatabase = openTestPool(edgeUrl);
  const pool = openTestPool(keeperUrl, { deadlineMs: 20_000 });
  const gateway = await createGateway({
    database: twist.database ? twist.database(pool) : pool,
    edgeDatabase: twist.edgeDatabase ? twist.edgeDatabase(edgeDatabase) : edgeDatabase,
    common: { root: createRootKey(nodeAead, fromBase64(secrets.root)), shares: twist.shares ? twist.shares(files) : files, ...common },
    edge: { writer: edgeWriter },
    keeper: {
      writer: keeperWriter,
      logSigner: await signer(secrets.log),
      certificateSigner: await signer(secrets.certificate),
      writers: [edgeWriter.publicKey, keeperWriter.publicKey],
      ...twist.keeper,
    },
  });
  return {
    ...gateway,
    async close() {
      await Promise.all([gateway.close(), edgeDatabase.close()]);
    },
  };
}

export interface World extends Place {
  readonly ownerUrl: string;
  readonly gateway: Gateway;
  /** Superuser, for what no role of ours may do. */
  readonly owner: Database;
  close(): Promise<void>;
}

/** A migrated database of its own, and a gateway over it. */
export async function createWorld(twist: Twist = {}): Promise<World> {
  const database = await createPostgresDatabase();
  const shareDirectory = mkdtempSync(join(tmpdir(), "postern-shares-"));
  const place = { ...database, shareDirectory, secrets: makeSecrets() };
  const gateway = await openGateway(place, twist);
  const owner = openTestPool(database.ownerUrl);
  return {
    ...place,
    gateway,
    owner,
    async close() {
      await Promise.all([gateway.close(), owner.close()]);
      await database.drop();
      rmSync(shareDirectory, { recursive: true, force: true });
    },
  };
}

export function customers(count: number): Record<string, string>[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `U${i}`,
    name: `林小满${i}`,
    phone: `138${String(10_000_000 + i)}`,
    note: `note ${i}`,
  }));
}

/** In force, with `records` customers. Answers the trust file that its owners were handed. */
export async function populate(gateway: Gateway, agreement: Agreement = {}, records = 20): Promise<Trust> {
  const { trust } = await bringIntoForce(gateway, agreement);
  const { contract = "c-test", owners = ["owner-1", "owner-2"] } = agreement;
  await importLines(gateway, customers(records), { contract, owner: owners[0] });
  const parsed = parseTrust(JSON.stringify(trust));
  if (!parsed.ok) throw new Error(parsed.refusal);
  return parsed.value;
}

/** The other merchant's contract, for what must not change. */
export const neighbour = { contract: "c-other", merchant: "m-beichen", owners: ["owner-b1", "owner-b2"] } as const satisfies Agreement;

export interface ShownJob {
  readonly job: string;
  readonly step: string;
  readonly basis: string;
  readonly not_before: string;
  readonly progress: {
    readonly done: number;
    readonly of: number;
    readonly rows_deleted: number;
    readonly rows: number | null;
    readonly records_returned: number;
  };
  readonly approval?: { readonly id: string; readonly state: string } | null;
}

/** By the first owner. */
export async function orderPurge(gateway: Door, contract = "c-test", as = "owner-1", more: object = {}): Promise<ShownJob> {
  const asked = gateway.call("POST", `/v1/contracts/${contract}/purges`, { as, body: { confirm: contract, ...more }, ...because });
  return (await (await expectStatus(asked, 202)).json()) as ShownJob;
}

/** By the second owner. */
export async function approvePurge(gateway: Door, job: string, contract = "c-test", as = "owner-2"): Promise<ShownJob> {
  const approved = gateway.call("POST", `/v1/contracts/${contract}/purges/${job}/approve`, { as });
  return (await (await expectStatus(approved, 200)).json()) as ShownJob;
}

/** Ordered, approved, and run to its certificate. Answers the job's id. */
export async function purge(gateway: Gateway, contract = "c-test"): Promise<string> {
  const { job } = await orderPurge(gateway, contract);
  await approvePurge(gateway, job, contract);
  await gateway.keeper.tick();
  return job;
}

export async function fetchCertificate(gateway: Door, job: string, contract = "c-test", as = "owner-1"): Promise<string> {
  const answer = gateway.call("GET", `/v1/contracts/${contract}/purges/${job}/certificate`, { as });
  return (await expectStatus(answer, 200)).text();
}

/** What a certificate says, its signature unread. */
export function contentOf(jws: string): Certificate {
  return certificateSchema.parse(JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString("utf8")));
}

/** The contract's log as an officer takes it away, verified with nothing but the trust file. */
export async function verifyLog(gateway: Door, trust: Trust, contract = "c-test", as = "officer"): Promise<Verdict> {
  const answer = await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/audit/export?format=bundle`, { as }), 200);
  if (!answer.body) throw new Error("an export without a body");
  return verifyExport({ bundle: readBundle(answer.body), trust, seen: [], verifySignature });
}

export interface LoggedEntry {
  readonly event: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly outcome: { readonly effect: string; readonly code: string };
}

/** Everything that was accepted for a log, numbered or not, by its time. */
export async function entriesOf(database: Database, log: string): Promise<LoggedEntry[]> {
  const rows = await database.query("select entries from audit.flush where log = $1 order by flush_id", [log]);
  return rows
    .flatMap(([entries]) => (entries instanceof Uint8Array ? entriesOfFlush(entries) : []))
    .map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as LoggedEntry);
}

export async function eventsOf(database: Database, log: string): Promise<string[]> {
  return (await entriesOf(database, log)).map(({ event }) => event);
}

/** Every row of a contract in every registered table, as text: what must be the same before and after somebody else's purge. */
export async function dumpOf(database: Database, contract: string): Promise<Record<string, string[]>> {
  const dump: Record<string, string[]> = {};
  for (const table of Object.keys(stores)) {
    const column = table.startsWith("audit.") || ["postern.audit_key", "postern.sink_cursor"].includes(table) ? "log" : "contract_id";
    const rows = await database.query(`select t::text from ${table} t where ${column} = $1 order by 1`, [contract]);
    dump[table] = rows.map(([text]) => String(text));
  }
  return dump;
}

export async function stateOf(database: Database, contract = "c-test"): Promise<{ contract: string; log: string; step: string }> {
  const [row] = await database.query(
    `select c.state, l.state, coalesce(j.step, 'none') from postern.contract c join audit.log l on l.log = c.contract_id
     left join postern.purge_job j on j.contract_id = c.contract_id where c.contract_id = $1`,
    [contract],
  );
  return { contract: String(row?.[0]), log: String(row?.[1]), step: String(row?.[2]) };
}
