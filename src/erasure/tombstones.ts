/**
 * What keeps deleted what was deleted while the contract goes on. The share store, which no backup covers, holds a note of every erasure and every deletion
 * by age, made before its first row went. A database that was restored from before has the rows again, and has not the job: nothing is served over it until
 * it was done again. One that has the job was begun here, and its keeper brings it to its end by itself.
 */
import * as z from "zod";
import { lockContract, sparedBy, standingHolds } from "../contracts/index.ts";
import { inTurn } from "../kernel/index.ts";
import { type Deletion, deleteSubjectKey, newestEpoch } from "../keys/index.ts";
import { deleteSubject } from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type Counts, deleteAged } from "./lapse.ts";
import { insertReplayedErasure } from "./postgres.ts";
import { insertReplayedLapse, type Lapse } from "./postgres-lapse.ts";
import type { ErasureParts } from "./run.ts";

export interface Undone {
  readonly contract: Deletion["contract"];
  readonly job: string;
  readonly what: z.infer<typeof noteSchema>;
}

const ruleSchema = z.strictObject({ before: z.iso.datetime(), shop: z.string().exactOptional(), purpose: z.string().exactOptional() });
/** As erasure/run.ts and erasure/lapse.ts write it. */
const noteSchema = z.union([
  z.strictObject({ subject: z.string(), type: z.string() }),
  z.strictObject({ rules: z.record(z.string(), ruleSchema), basis: z.enum(["retention", "owners"]) }),
]);

/** Deletions that this database knows nothing of, of contracts that it has. */
export async function selectUndone(database: Queryable, shares: Pick<ErasureParts["shares"], "deletions">): Promise<Undone[]> {
  const notes = await shares.deletions();
  if (notes.length === 0) return [];
  const rows = await database.query(
    `select n.job, now() from jsonb_to_recordset($1::text::jsonb) as n(contract text, job text)
     join postern.contract c on c.contract_id = n.contract and c.state in ('active', 'ended')
     where not exists (select from postern.erasure e where e.contract_id = n.contract and e.job_id = n.job)
       and not exists (select from postern.partial_purge p where p.contract_id = n.contract and p.job_id = n.job)`,
    [JSON.stringify(notes.map(({ contract, job }) => ({ contract, job })))],
  );
  const undone = new Set(rows.map(([job]) => String(job)));
  return notes.filter(({ job }) => undone.has(job)).map(({ what, ...note }) => ({ ...note, what: noteSchema.parse(JSON.parse(what)) }));
}

/**
 * Does them again, in their order. Crash order: the entry in the gateway log, then the rows, and the job with the last of them, so that whoever looks finds
 * it undone until then. An erasure asks no hold: one that is restored with the database was over when the erasure was done. A deletion by age spares what
 * is held, which the contract's own retention takes up later.
 */
export async function replayDeletions(parts: Pick<ErasureParts, "database" | "shares" | "audit" | "logs">): Promise<Undone[]> {
  const { database, shares, audit, logs } = parts;
  const undone = await selectUndone(database, shares);
  await inTurn(undone, async (deletion) => {
    const { contract, job, what } = deletion;
    const facts = { contract, job, what: "subject" in what ? "erasure" : what.basis };
    const outcome = { effect: "allow", code: facts.what } as const;
    await audit.append(await logs.gateway(database), { event: "deletion.replayed", actor: { role: "system" }, outcome, facts });
    if ("subject" in what) await eraseAgain(parts, { contract, job, ...what });
    else await deleteAgain(parts, { contract, job, ...what });
  });
  return undone;
}

async function eraseAgain(
  { database }: Pick<ErasureParts, "database">,
  { contract, job, subject, type }: Pick<Undone, "contract" | "job"> & { readonly subject: string; readonly type: string },
): Promise<void> {
  await database.transaction(async (tx) => {
    await lockContract(tx, contract, "update");
    const rows = await deleteSubject(tx, contract, subject);
    const epoch = (await deleteSubjectKey(tx, contract, subject)) ?? (await newestEpoch(tx, contract));
    await insertReplayedErasure(tx, { contract, id: job, subject, type, epoch, ...rows });
  });
}

async function deleteAgain(
  { database }: Pick<ErasureParts, "database">,
  { contract, job, rules, basis }: Pick<Undone, "contract" | "job"> & Pick<Lapse, "rules" | "basis">,
): Promise<void> {
  let counts: Counts = { records: 0, indexRows: 0, subjectKeys: 0, epoch: null };
  for (let isLast = false; !isLast; ) {
    isLast = await database.transaction(async (tx) => {
      await lockContract(tx, contract, "update");
      const spared = sparedBy(await standingHolds(tx, contract));
      const batch = spared.all ? { ...counts, isLast: true } : await deleteAged(tx, { contract, rules, ...counts }, spared);
      const { isLast: last, ...total } = batch;
      if (last) await insertReplayedLapse(tx, { contract, id: job, basis, rules, ...total });
      counts = total;
      return last;
    });
  }
}
