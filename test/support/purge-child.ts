/**
 * A keeper in a process of its own, which runs the purges and rotations it finds and may be told to kill itself at a named moment of them.
 * Every part is the real one; three are wrapped, only to see the moments go by: audit.append, the share store, the database.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assembleKeeper } from "../../src/assemble-keeper.ts";
import { createFileAnchor } from "../../src/audit/file-anchor.ts";
import type { AuditLog } from "../../src/audit/index.ts";
import { createSigner, fromBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createMetrics } from "../../src/http/index.ts";
import { createInFlight } from "../../src/kernel/index.ts";
import { createFileShareStore } from "../../src/keys/file-share-store.ts";
import { createKeyring, createRootKey, type ShareStore } from "../../src/keys/index.ts";
import type { Database, Queryable } from "../../src/storage/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import type { Place } from "./purge-world.ts";

export interface ChildTask extends Place {
  readonly contract: string;
  /** What it is to bring to its end. */
  readonly job: keyof typeof ends;
  /** `null` = live until then. */
  readonly killAt: Moment | null;
}

/** `before <event>`, `after <event>`: of its entry. `during <name>`: inside an act, see `momentOf`. */
export type Moment = string;

const ends = { purge_job: "certified", rotation: "share_a", erasure: "done", partial_purge: "done" } as const;
const leaseMs = 400;
const patienceMs = 20_000;

/** What a statement belongs to, by its text: the acts have no other name on their way to the database. */
function momentOf(text: string): string | null {
  if (text.startsWith("with doomed as ") && text.includes(" from postern.record ")) return "rows";
  if (text.startsWith("delete from postern.blind_index b using jsonb_")) return "index";
  if (text.startsWith("with doomed as ") && text.includes(" from postern.blind_index ")) return "derived";
  if (/^update "postern"\."key_epoch" set "share_a"/.test(text)) return "share_a";
  if (/^update "postern"\."key_epoch" set "retired_at"/.test(text)) return "retire";
  if (/^insert into "postern"\."key_epoch"/.test(text)) return "epoch";
  if (/^update postern\.subject_key /.test(text)) return "rewrap";
  if (text.startsWith("with seen as ")) return "index_drop";
  if (text.startsWith("with old as ")) return "lapse";
  if (/^delete from "postern"\."subject_key"/.test(text)) return "erase";
  if (/^update "postern"\."contract" set "state"/.test(text)) return "state";
  if (/^insert into "postern"\."certificate"/.test(text)) return "certificate";
  if (/^insert into "postern"\."return_part"/.test(text)) return "part";
  if (/^insert into "postern"\."return_receipt"/.test(text)) return "receipt";
  if (/^update "postern"\."certificate" set "final_jws"/.test(text)) return "final";
  if (/^update "postern"\."certificate" set "closed_at"/.test(text)) return "closing";
  if (text.includes("pg_attribute")) return "catalogue";
  if (text.startsWith("with grown as ")) return "numbering";
  return text.startsWith("with published as ") ? "checkpoint" : null;
}

async function pass(moment: Moment, killAt: Moment | null): Promise<void> {
  if (moment !== killAt) return;
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

/** Of a transaction: by its name alone, and by the last entry before it. */
async function passIn(moment: Moment, event: string, killAt: Moment | null): Promise<void> {
  await pass(moment, killAt);
  await pass(`${moment} of ${event}`, killAt);
}

function watchLog(made: AuditLog, killAt: Moment | null, last: { event: string }): AuditLog {
  return {
    async append(log, draft) {
      await pass(`before ${draft.event}`, killAt);
      const receipt = await made.append(log, draft);
      last.event = draft.event;
      await pass(`after ${draft.event}`, killAt);
      return receipt;
    },
  };
}

/** `during destroy`: the file is overwritten and not yet unlinked. */
function watchShares(made: ShareStore, directory: string, killAt: Moment | null): ShareStore {
  return {
    ...made,
    async put(contract, epoch, share) {
      await made.put(contract, epoch, share);
      await pass("after put", killAt);
    },
    async note(deletion) {
      await made.note(deletion);
      await pass("after note", killAt);
    },
    async destroy(contract, epoch) {
      if (killAt === "during destroy") writeFileSync(join(directory, `${contract}.${epoch}.share`), new Uint8Array(32));
      await pass("during destroy", killAt);
      await made.destroy(contract, epoch);
    },
  };
}

function watchDatabase(made: Database, killAt: Moment | null, last: { event: string }): Database {
  return {
    ...made,
    async query(text, params) {
      const name = momentOf(text);
      if (name) await pass(`before ${name}`, killAt);
      const rows = await made.query(text, params);
      if (name) await pass(`after ${name}`, killAt);
      return rows;
    },
    async transaction(work) {
      const names = new Set<string>();
      const value = await made.transaction(async (tx) => {
        const watched: Queryable = {
          query(text, params) {
            const name = momentOf(text);
            if (name) names.add(name === "numbering" && last.event === "purge.verified" ? "freeze" : name);
            return tx.query(text, params);
          },
        };
        const result = await work(watched);
        for (const name of names) await passIn(`uncommitted ${name}`, last.event, killAt);
        return result;
      });
      for (const name of names) await passIn(`committed ${name}`, last.event, killAt);
      return value;
    },
  };
}

async function main({ killAt, shareDirectory, keeperUrl, secrets, contract, job }: ChildTask): Promise<void> {
  const last = { event: "" };
  const signer = (secret: string) => createSigner(fromBase64(secret));
  const pool = openPostgres({ url: keeperUrl, poolSize: 3, queueMax: 100, deadlineMs: 10_000 });
  const database = watchDatabase(pool, killAt, last);
  const shares = watchShares(createFileShareStore(shareDirectory), shareDirectory, killAt);
  const root = createRootKey(nodeAead, fromBase64(secrets.root));
  const keyring = createKeyring({ aead: nodeAead, root, shares, now: Date.now });
  const writer = await signer(secrets.keeperWriter);
  const keeper = assembleKeeper(
    {
      aead: nodeAead,
      root,
      shares,
      keyring,
      logName: "test/postern",
      freshness: { mergeDelaySeconds: 300, disclosureStopsSeconds: 600 },
      sessions: { idleMinutes: 30, hours: 10 },
      issuers: [],
      vendors: {},
      merchants: {},
      operators: [],
      metrics: createMetrics(),
      audience: "none",
      now: Date.now,
    },
    {
      ...{ database, writer, writers: [writer.publicKey], fenceWaitMs: 0, leaseMs },
      audit: (made) => watchLog(made, killAt, last),
      logSigner: await signer(secrets.log),
      certificateSigner: await signer(secrets.certificate),
      anchor: createFileAnchor(`${shareDirectory}.anchors`),
    },
    createInFlight(),
  );
  await keeper.prepare();
  const until = Date.now() + patienceMs;
  for (;;) {
    await keeper.tick();
    const [row] = await pool.query(`select step, now() from postern.${job} where contract_id = $1`, [contract]);
    if (row?.[0] === ends[job]) break;
    if (Date.now() > until) throw new Error("the job did not come to its end");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await pool.close();
}

await main(JSON.parse(process.argv[2] ?? "") as ChildTask);
