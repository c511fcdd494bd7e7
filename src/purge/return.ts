/**
 * Return before delete (PIPL 21(2), GDPR 28(3)(g)): every record in the clear, sealed to the merchant's public key, in parts of bounded size:
 * agreed? → records, part by part → keys by which the log still answers → manifest → acknowledged, or waited for long enough
 *
 * Crash order: a part and the place behind its last record are one transaction, so a restart goes on where the parts end. The manifest names every
 * part by its digest, and its own digest is in the log before anybody can fetch it. What was sealed we cannot open again.
 */
import { selectContract } from "../contracts/index.ts";
import { type SealingKey, sealJwe, sha256, thumbprintOf, toBase64, toHex, utf8 } from "../crypto/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { canonicalJson, printJson } from "../kernel/index.ts";
import { type ContractKeys, KeysUnavailable, newestEpoch } from "../keys/index.ts";
import { mergeLevels } from "../policy/index.ts";
import { openLevel } from "../records/index.ts";
import { purgeTerms } from "./order.ts";
import { type Done, type PurgeParts, timed } from "./parts.ts";
import { type PurgeJob, type Returned, writeJob } from "./postgres.ts";
import { insertPart, insertReceipt, type StoredRecord, selectParts, selectReceipt, selectRecordsAfter } from "./postgres-return.ts";

const hourMs = 3_600_000;
/** Where the merchant's own id lies in a record's highest level. */
const idMember = "\u0000id";

/** What two owners agreed to: by the purge's own request, or by the contract. `null` = nothing is returned. */
export async function agreedReturn(
  parts: Pick<PurgeParts, "bundles" | "database">,
  job: PurgeJob,
): Promise<{ readonly to: SealingKey; readonly waitHours: number } | null> {
  if (job.facts.returnTo) return job.facts.returnTo;
  const contract = await selectContract(parts.database, job.contract);
  return (contract && (await purgeTerms(parts, contract)).return) ?? null;
}

/** `null` = it waits to be told that the return arrived, or its turn is over before everything is sealed. */
export async function returnRecords(parts: PurgeParts, job: PurgeJob): Promise<Done | null> {
  const agreed = await agreedReturn(parts, job);
  if (!agreed) return { facts: timed(job, "return"), entry: { outcome: "not_agreed" } };
  const sealed = await sealedReturn(parts, job, agreed.to).catch((fault: unknown) => {
    // Keys that are gone for good cannot be told from those that are away: the time that the owners would be given is the time they have.
    const patience = Date.parse(job.facts.times.fenced ?? "") + agreed.waitHours * hourMs;
    if (!(fault instanceof KeysUnavailable) || job.readAt < patience) throw fault;
    return null;
  });
  // It was opened again behind the fence, for this alone.
  parts.keyring.forget(job.contract);
  if (!sealed) return conclude(job, "keys_unavailable");
  if (!sealed.facts.returned?.digest) return null;
  const { digest, ...counts } = countsOf(sealed);
  const facts = { job: job.id, digest, ...counts };
  await ensureEntry(parts, parts.logs.closing(job.contract), { event: "purge.return.sealed", code: "purge", facts });
  const receipt = await selectReceipt(parts.database, job);
  if (!receipt) throw new Error("a sealed return without its receipt");
  if (receipt.acknowledgedAt !== null) return conclude(sealed, "acknowledged", new Date(receipt.acknowledgedAt).toISOString());
  return receipt.readAt < receipt.sealedAt + agreed.waitHours * hourMs ? null : conclude(sealed, "not_acknowledged");
}

function conclude(job: PurgeJob, outcome: NonNullable<Returned["outcome"]>, acknowledged?: string): Done {
  const returned: Returned = { ...(job.facts.returned ?? nothing), outcome, ...(acknowledged === undefined ? {} : { acknowledged }) };
  return { facts: { ...timed(job, "return"), returned }, entry: { outcome, ...(returned.digest ? countsOf(job) : {}) } };
}

function countsOf({ facts: { returned } }: PurgeJob) {
  const { key = "", digest = "", parts = 0, records = 0, unreadable = 0 } = returned ?? {};
  return { key, digest, counts: { parts, records, unreadable } };
}

const nothing: Returned = { parts: 0, records: 0, unreadable: 0 };

/** Without the manifest's digest where its turn, one lease long, was over before. */
async function sealedReturn(parts: PurgeParts, job: PurgeJob, to: SealingKey): Promise<PurgeJob> {
  if (job.facts.returned?.digest) return job;
  const { database, keyring, leaseMs } = parts;
  const keys = await keyring.keysOf(database, job.contract, await newestEpoch(database, job.contract));
  const turnEnds = performance.now() + leaseMs;
  let current = job;
  for (;;) {
    const records = await selectRecordsAfter(database, job.contract, current.facts.returned?.after);
    const last = records.at(-1);
    if (!last) break;
    const lines = records.map((record) => lineOf(parts, keys, record));
    const jwe = await sealJwe(to, "postern-return-records", utf8(lines.map(({ text }) => `${text}\n`).join("")));
    const so = current.facts.returned ?? nothing;
    const returned: Returned = {
      key: thumbprintOf(to),
      parts: so.parts + 1,
      records: so.records + records.length,
      unreadable: so.unreadable + lines.filter(({ opened }) => !opened).length,
      after: { type: last.type, locator: last.locator },
    };
    const part = { part: String(returned.parts).padStart(6, "0"), digest: digestOf(jwe), records: records.length, jwe };
    current = await database.transaction(async (tx) => {
      const written = await writeJob(tx, current, { facts: { ...current.facts, returned } }, leaseMs);
      await insertPart(tx, job, part);
      return written;
    });
    if (performance.now() > turnEnds) return current;
  }
  return close(parts, current, { to, keys });
}

/** A record whose key or a level of which does not open is named all the same. */
function lineOf({ aead }: PurgeParts, keys: ContractKeys, record: StoredRecord): { readonly text: string; readonly opened: boolean } {
  const { type, locator, subject, version, levels, subjectKey } = record;
  const documents = keys.withSubjectKey(subject, subjectKey, (key) =>
    levels.flatMap((sealed, level) =>
      sealed ? [openLevel(aead, key, { contract: keys.contract, subject, type, locator, level, version }, sealed)] : [],
    ),
  );
  const readable = documents?.filter((document) => document !== null) ?? [];
  const opened = documents !== null && readable.length === documents.length;
  const { [idMember]: id = null, ...fields } = mergeLevels(readable);
  return { text: printJson({ type, locator, subject, id, fields, ...(opened ? {} : { unreadable: true }) }), opened };
}

/** Keys and manifest, the receipt and the job: one transaction. The keys' only other copy dies with the contract, so the merchant can still ask, and we cannot. */
async function close(
  parts: PurgeParts,
  job: PurgeJob,
  { to, keys }: { readonly to: SealingKey; readonly keys: ContractKeys },
): Promise<PurgeJob> {
  const { database, leaseMs } = parts;
  const secrets = {
    format: "postern-return-keys/1",
    contract: job.contract,
    locator: toBase64(keys.locator),
    pseudonym: toBase64(keys.pseudonym),
  };
  const keysJwe = await sealJwe(to, "postern-return-keys", utf8(canonicalJson(secrets)));
  const keysPart = { part: "keys", digest: digestOf(keysJwe), records: 0, jwe: keysJwe };
  const { records, unreadable } = job.facts.returned ?? nothing;
  const made = [...(await selectParts(database, job)), keysPart];
  const manifest = {
    ...{ format: "postern-return/1", contract: job.contract, job: job.id, records, unreadable },
    parts: made.map(({ part, digest, records: held }) => ({ part, digest, records: held })),
  };
  const jwe = await sealJwe(to, "postern-return-manifest", utf8(canonicalJson(manifest)));
  const digest = digestOf(jwe);
  const returned: Returned = { ...(job.facts.returned ?? nothing), key: thumbprintOf(to), digest };
  return database.transaction(async (tx) => {
    const written = await writeJob(tx, job, { facts: { ...job.facts, returned } }, leaseMs);
    await insertPart(tx, job, keysPart);
    await insertPart(tx, job, { part: "manifest", digest, records: 0, jwe });
    await insertReceipt(tx, job, digest);
    return written;
  });
}

function digestOf(jwe: string): string {
  return `sha256:${toHex(sha256(utf8(jwe)))}`;
}
