/**
 * Entries of a time that is long over, put where a writer of that time would have put them: under their month's key, signed, and numbered. And a keeper's
 * pruning of them, with every part in the test's hands.
 */
import { createAuditWriter, createLogHandles, createSequencer, gatewayLog } from "../../src/audit/index.ts";
import { createBundles } from "../../src/contracts/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createAuditKeys } from "../../src/keys/index.ts";
import { pruneLogs } from "../../src/retention/index.ts";
import type { RetentionParts } from "../../src/retention/parts.ts";
import type { Database, Queryable } from "../../src/storage/index.ts";
import type { LogGateway } from "./log-gateway.ts";

export interface LongAgo {
  /** Milliseconds since 1970: of the first one. */
  readonly from: number;
  readonly entries: number;
  /** Milliseconds from one flush to the next. */
  readonly stepMs: number;
  /** Default: that of `c-test`. */
  readonly log?: string;
  /** Entries in each flush; default 5, which no tile is a multiple of. */
  readonly atOnce?: number;
  /** Default: at once. */
  readonly numbered?: "later";
}

/** An agent reads, again and again, in one process. Answers the ids that were promised. */
export async function writeLongAgo({ keeper, root, edgeWriter, gateway }: LogGateway, ago: LongAgo): Promise<string[]> {
  const { from, entries, stepMs, log = "c-test", atOnce = 5 } = ago;
  const auditKeys = createAuditKeys(root);
  let clock = from;
  const writer = createAuditWriter({
    database: keeper,
    aead: nodeAead,
    signer: edgeWriter,
    auditKeys,
    now: () => clock,
    clockApartSecondsMax: 2 ** 31 - 1,
    mergeDelaySeconds: 300,
  });
  const logs = createLogHandles("test/postern", auditKeys);
  const handle = { log, base: logs.baseOf(log), pseudonymKey: new Uint8Array(32) };
  const role = log === gatewayLog ? "unknown" : "agent";
  const request = { id: "r", route: "GET /v1/contracts/{contract}/records/{type}/{locator}", address: "203.0.113.7" };
  const resource = {
    type: "customer",
    records: [{ locator: `r_${"a".repeat(26)}`, subject: "somebody" }],
    fields: { phone: "mask" },
  } as const;
  const actor = { role, issuer: "demo", subject: "agent-1" } as const;
  const draft = { event: "record.read", actor, request, resource, outcome: { effect: "allow", code: "masked" } } as const;
  const ids: string[] = [];
  for (; ids.length < entries; clock += stepMs) {
    await auditKeys.prepare(keeper, log, new Date(clock));
    const count = Math.min(atOnce, entries - ids.length);
    const written = await Promise.all(Array.from({ length: count }, () => writer.append(handle, draft)));
    ids.push(...written.map(({ id }) => id));
  }
  if (ago.numbered !== "later") await gateway.keeper.sequence();
  return ids;
}

/** `database`: in place of the keeper's own. */
export type PruneOptions = Partial<Pick<RetentionParts, "months" | "held" | "database" | "leaseMs">>;

/** As one keeper's upkeep does it, once. */
export async function pruneOnce({ keeper, root, edgeWriter, logSigner, anchor }: LogGateway, options: PruneOptions = {}): Promise<void> {
  const { database = keeper, months = 37, leaseMs = 5_000, held = () => Promise.resolve(false) } = options;
  const auditKeys = createAuditKeys(root);
  await pruneLogs({
    ...{ database, months, leaseMs, held },
    audit: createAuditWriter({ database, aead: nodeAead, signer: edgeWriter, auditKeys, now: Date.now, mergeDelaySeconds: 300 }),
    logs: createLogHandles("test/postern", auditKeys),
    sequencer: createSequencer({ database, signer: logSigner, anchor }),
    bundles: createBundles(),
    logKey: logSigner.publicKey,
  });
}

/** A process that dies at the first statement that `matches`: before it reaches the server, or after it was carried out. Nothing is sent any more then. */
export function dyingAt(database: Database, matches: RegExp, when: "before" | "after"): Database {
  let dead = false;
  const over =
    (queryable: Queryable): Queryable["query"] =>
    async (text, params) => {
      if (dead) throw new Error("died");
      if (!matches.test(text)) return queryable.query(text, params);
      dead = true;
      if (when === "after") await queryable.query(text, params);
      throw new Error("died");
    };
  return {
    ...database,
    query: over(database),
    transaction: (work) => (dead ? Promise.reject(new Error("died")) : database.transaction((tx) => work({ query: over(tx) }))),
  };
}
