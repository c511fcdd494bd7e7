/**
 * The certificate of a purge: what was deleted, how, by whose order, what stays and until when copies may exist; with the log's own proof inside.
 * A JWS under the certificate key, which the edge does not hold. It answers PIPL 21(2) and 69, GDPR 28(3)(g), NIST SP 800-88 §4.7.
 */
import * as z from "zod";
import {
  hashTree,
  inclusionProof,
  selectCheckpoints,
  selectEntriesAt,
  selectIndexesOfEvent,
  selectLeafHashes,
  selectLog,
} from "../audit/index.ts";
import { moveState, selectContract } from "../contracts/index.ts";
import { sha256, signJws, toBase64, toHex, utf8 } from "../crypto/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { selectKeyEpochs } from "../keys/index.ts";
import { orderOf, purgeTerms } from "./order.ts";
import type { PurgeParts } from "./parts.ts";
import { acts, stayingStores } from "./plan.ts";
import { insertCertificate, type PurgeJob, selectCertificate, writeJob } from "./postgres.ts";

export const certificateTyp = "postern-certificate";

const person = z.strictObject({ issuer: z.string(), subject: z.string() });
const counts = z.record(z.string(), z.int().min(0));

export const certificateSchema = z.strictObject({
  format: z.literal("postern-certificate/1"),
  statement: z.strictObject({ en: z.string(), "zh-CN": z.string() }),
  job: z.string(),
  contract: z.string(),
  merchant: z.string(),
  vendor: z.string(),
  basis: z.enum(["term_ended", "owners"]),
  law: z.array(z.string()),
  /** Who asked and who approved: of the purge, or of the activation that agreed to the end. */
  order: z.strictObject({ digest: z.string(), requested_by: person, approved_by: person }),
  /** ISO 8601, the database's clock. */
  times: z.record(z.string(), z.iso.datetime()),
  scope: z.strictObject({ before: counts, after: counts }),
  /** Commitments SHA-256("keycommit" ‖ share) to the destroyed shares. */
  keys: z.array(z.strictObject({ epoch: z.int(), share_a: z.string(), share_b: z.string() })),
  methods: z.array(
    z.strictObject({
      store: z.string(),
      method: z.string(),
      assurance: z.enum(["cryptographically proven", "system-verified", "unknown"]),
    }),
  ),
  stays: z.array(z.strictObject({ table: z.string(), reason: z.string() })),
  residuals: z.array(z.strictObject({ what: z.string(), until: z.string() })),
  log: z.strictObject({
    origin: z.string(),
    /** The frozen log's last checkpoint, a signed note. */
    checkpoint: z.string(),
    /** Every entry of the purge and the one that opened the log: its bytes, and its path to that checkpoint's root. */
    entries: z.array(z.strictObject({ index: z.int().min(0), bytes: z.base64(), proof: z.array(z.base64()) })),
  }),
});
export type Certificate = z.infer<typeof certificateSchema>;

/** Entries that a certificate carries, beside those that opened the log and ordered the purge. */
export const provenEvents = [...acts.flatMap((act) => [`purge.${act}.intent`, `purge.${act}.done`] as const), "purge.verified"] as const;
const orderingEvents = ["log.opened", "contract.amended", "contract.terminated", "purge.requested", "purge.approved", "purge.due"] as const;

/**
 * Crash order: signed and stored, then logged in the gateway log, then the contract stands as purged and the job is at its end.
 * Everything in it was fixed before, so a repeat signs the same bytes.
 */
export async function issueCertificate(parts: PurgeParts, job: PurgeJob): Promise<PurgeJob> {
  const { database } = parts;
  const written = await selectCertificate(database, job.contract);
  const jws = written ?? (await signJws(parts.certificateSigner, certificateTyp, canonicalJson(await compose(parts, job))));
  await insertCertificate(database, job.contract, job.id, jws);
  const digest = `sha256:${toHex(sha256(utf8(jws)))}`;
  const facts = { job: job.id, contract: job.contract, digest };
  await ensureEntry(parts, await parts.logs.gateway(database), { event: "certificate.issued", code: "issued", facts });
  return database.transaction(async (tx) => {
    await moveState(tx, job.contract, "purging", "purged");
    return writeJob(tx, job, { step: "certified" }, parts.leaseMs);
  });
}

async function compose(parts: PurgeParts, job: PurgeJob): Promise<Certificate> {
  const { database } = parts;
  const contract = await selectContract(database, job.contract);
  const order = await orderOf(database, job);
  if (!contract || !order?.decidedBy) throw new Error("a purge without its contract or its two owners");
  const { backupHorizonHours } = await purgeTerms(parts, contract);
  const before = { ...job.facts.before };
  const destroyedAt = job.facts.times.share_b ?? job.facts.times.verified ?? "";
  const epochs = await selectKeyEpochs(database, job.contract);
  const until = new Date(Date.parse(destroyedAt) + backupHorizonHours * 3_600_000).toISOString();
  return {
    format: "postern-certificate/1",
    statement: statementOf(job, before),
    job: job.id,
    contract: contract.id,
    merchant: contract.merchant,
    vendor: contract.vendor,
    basis: job.basis,
    law: ["PIPL 21(2)", "PIPL 47", "GDPR 28(3)(g)", "NIST SP 800-88: cryptographic erase"],
    order: { digest: order.digest, requested_by: order.requestedBy, approved_by: order.decidedBy },
    times: { ...job.facts.times },
    scope: { before, after: Object.fromEntries(Object.keys(before).map((table) => [table, 0])) },
    keys: epochs.map(({ epoch, commitmentA, commitmentB }) => ({ epoch, share_a: commitmentA, share_b: commitmentB })),
    methods: [...methods],
    stays: stayingStores(),
    residuals: [{ what: "ciphertext in backups, write-ahead logs and replicas, without a key that opens it", until }],
    log: await proofOf(parts, job),
  };
}

const methods: Certificate["methods"] = [
  { store: "share B of the contract's key", method: "destroyed in a store without history", assurance: "system-verified" },
  { store: "share A of the contract's key", method: "erased from the keyring", assurance: "system-verified" },
  {
    store: "every copy of the contract's ciphertext",
    method: "cryptographic erase: encrypted before storage, 256-bit keys",
    assurance: "cryptographically proven",
  },
  { store: "rows of the registered tables", method: "deleted; counted empty; catalogue swept", assurance: "system-verified" },
  { store: "the vendor's own systems and its people's screens", method: "outside this gateway", assurance: "unknown" },
];

function statementOf(job: PurgeJob, before: Readonly<Record<string, number>>): Certificate["statement"] {
  const records = before["postern.record"] ?? 0;
  const subjects = before["postern.subject_key"] ?? 0;
  return {
    en: `All ${records} records of ${subjects} data subjects under contract ${job.contract} were deleted and the keys to every copy were destroyed.`,
    "zh-CN": `合同 ${job.contract} 项下 ${subjects} 名个人的 ${records} 条记录已全部删除，用于读取任何副本的密钥已销毁。`,
  };
}

async function proofOf({ database }: PurgeParts, job: PurgeJob): Promise<Certificate["log"]> {
  const log = await selectLog(database, job.contract);
  const [checkpoint] = await selectCheckpoints(database, job.contract, { from: log?.size ?? 0, to: log?.size ?? 0 });
  if (log?.state !== "frozen" || !checkpoint) throw new Error("the log is not frozen at a checkpoint");
  const tree = hashTree(await selectLeafHashes(database, job.contract));
  const indexes = new Set<number>();
  for (const event of [...orderingEvents, ...provenEvents]) {
    for (const index of await selectIndexesOfEvent(database, job.contract, event)) indexes.add(index);
  }
  const entries = await selectEntriesAt(database, job.contract, [...indexes]);
  return {
    origin: log.origin,
    checkpoint: checkpoint.note,
    entries: entries.map(({ index, bytes }) => {
      if (!bytes) throw new Error("an entry of the purge is gone from the log");
      return { index, bytes: toBase64(bytes), proof: inclusionProof(tree, index).map(toBase64) };
    }),
  };
}
