/**
 * A gateway on a real Postgres, each side in its own role, with keys that the test holds too: what it needs to look at the log from outside,
 * and to change it as the database's owner.
 */
import { readBundle } from "../../src/audit/bundle.ts";
import type { Anchor } from "../../src/audit/index.ts";
import { parseTrust, type Trust } from "../../src/audit/trust.ts";
import type { Verdict } from "../../src/audit/verdict.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { createSigner, randomBytes, type Signer, verifySignature } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createRootKey, type RootKey } from "../../src/keys/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { type Agreement, bringIntoForce, expectStatus, search } from "./agreement.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./databases.ts";
import { createGateway, createMemoryAnchor, type Door, type Gateway, type GatewayOptions } from "./gateway.ts";

export interface LogGateway {
  readonly gateway: Gateway;
  /** Superuser: no grant and no trigger is in its way. */
  readonly owner: Database;
  readonly edge: Database;
  readonly keeper: Database;
  readonly urls: Pick<PostgresDatabase, "ownerUrl" | "edgeUrl" | "keeperUrl">;
  readonly root: RootKey;
  readonly edgeWriter: Signer;
  readonly logSigner: Signer;
  readonly anchor: Anchor;
  close(): Promise<void>;
}

/** `edgeLimits`: of the edge's pool. */
export interface LogGatewayOptions extends GatewayOptions {
  readonly edgeLimits?: Parameters<typeof openTestPool>[1];
}

export async function createLogGateway(options: LogGatewayOptions = {}): Promise<LogGateway> {
  const database = await createPostgresDatabase();
  const owner = openTestPool(database.ownerUrl, { deadlineMs: 30_000 });
  const edge = openTestPool(database.edgeUrl, options.edgeLimits);
  const keeper = openTestPool(database.keeperUrl);
  const root = createRootKey(nodeAead, randomBytes(32));
  const [edgeWriter, keeperWriter, logSigner] = await Promise.all([1, 2, 3].map(() => createSigner(randomBytes(32))));
  if (!edgeWriter || !keeperWriter || !logSigner) throw new Error("three keys were made");
  const anchor = options.keeper?.anchor ?? createMemoryAnchor();
  const gateway = await createGateway({
    database: keeper,
    edgeDatabase: edge,
    common: { root, ...options.common },
    edge: { writer: edgeWriter, ...options.edge },
    keeper: { writer: keeperWriter, logSigner, anchor, writers: [edgeWriter.publicKey, keeperWriter.publicKey], ...options.keeper },
  });
  return {
    ...{ gateway, owner, edge, keeper, urls: database, root, edgeWriter, logSigner, anchor },
    async close() {
      await Promise.all([owner.close(), edge.close(), keeper.close()]);
      await database.drop();
    },
  };
}

/** Brings a contract into force and answers the trust file that its owners were handed. */
export async function agreeOnTrust(gateway: Door, agreement: Agreement = {}): Promise<Trust> {
  const { trust } = await bringIntoForce(gateway, agreement);
  const parsed = parseTrust(JSON.stringify(trust));
  if (!parsed.ok) throw new Error(parsed.refusal);
  return parsed.value;
}

export interface ExportCheck {
  readonly contract?: string;
  readonly officer?: string;
  /** Checkpoints and promises kept from before. */
  readonly seen?: readonly string[];
}

/** What a stranger with the trust file finds in the export that an officer takes now. */
export async function verifyLog(
  gateway: Door,
  trust: Trust,
  { contract = "c-test", officer = "officer", seen = [] }: ExportCheck = {},
): Promise<Verdict> {
  const answer = await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/audit/export?format=bundle`, { as: officer }), 200);
  if (!answer.body) throw new Error("an export has a body");
  return verifyExport({ bundle: readBundle(answer.body), trust, seen, verifySignature });
}

/** An agent reads U1 of `contract` so often, 32 at a time, with a checkpoint after each; answers the promises. */
export async function readMany(gateway: Gateway, times: number, { contract = "c-test", agent = "agent-1" } = {}): Promise<string[]> {
  const { records } = await search(gateway, { id: "U1" }, { contract, agent });
  const path = `/v1/contracts/${contract}/records/customer/${records[0]?.locator}`;
  const promises: string[] = [];
  for (let left = times; left > 0; left -= 32) {
    const reads = Array.from({ length: Math.min(32, left) }, () => expectStatus(gateway.call("GET", path, { as: agent }), 200));
    for (const answer of await Promise.all(reads)) promises.push(answer.headers.get("audit-promise") ?? "");
    await gateway.keeper.sequence();
  }
  return promises;
}
