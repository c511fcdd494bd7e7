/**
 * An owner fetches what a purge returns, and says that it arrived:  where it stands · one part · acknowledge, by the digest of the manifest.
 * From the fence on the contract's log is the purge's alone, so these entries go to the gateway log.
 */
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type Entered, enterContract, logAct, type Visit } from "../offices/index.ts";
import type { PurgeDesk } from "./order.ts";
import { type PurgeJob, selectJob } from "./postgres.ts";
import { acknowledgeReceipt, type Part, type Receipt, selectPart, selectParts, selectReceipt } from "./postgres-return.ts";
import { agreedReturn } from "./return.ts";

export interface Standing {
  readonly job: PurgeJob;
  /** `null` = nothing is returned. */
  readonly agreed: Awaited<ReturnType<typeof agreedReturn>>;
  /** `null` = not sealed yet. */
  readonly receipt: Receipt | null;
  /** Empty before it is sealed, and again once the rows are deleted. */
  readonly parts: readonly Part[];
}

/** Which job of which contract. */
export interface Named {
  readonly contract: ContractId;
  readonly job: string;
}

/** How the return stands, and what there is to fetch. */
export async function readReturn(desk: PurgeDesk, visit: Visit, named: Named): Promise<Result<Standing, Refusal>> {
  const found = await find(desk, visit, named);
  if (!found.ok) return found;
  const { job, entered } = found.value;
  await logRead(desk, visit, entered, { named, part: "list", there: true });
  return ok(await standingOf(desk, job));
}

/** One part as it was sealed. */
export async function fetchPart(desk: PurgeDesk, visit: Visit, named: Named, part: string): Promise<Result<string, Refusal>> {
  const found = await find(desk, visit, named);
  if (!found.ok) return found;
  const { job, entered } = found.value;
  // Before there is a receipt the manifest does not name it yet.
  const jwe = (await selectReceipt(desk.database, job)) && (await selectPart(desk.database, job, part));
  await logRead(desk, visit, entered, { named, part, there: jwe !== null });
  return jwe === null ? refuse({ code: "not_found" }) : ok(jwe);
}

/** Says that it arrived whole; said twice, the first counts. Not once destruction has begun: what was not said in time stays unsaid. */
export async function acknowledgeReturn(desk: PurgeDesk, visit: Visit, named: Named, digest: string): Promise<Result<Standing, Refusal>> {
  const found = await find(desk, visit, named);
  if (!found.ok) return found;
  const { job, entered } = found.value;
  const receipt = await selectReceipt(desk.database, job);
  const refusal = refusalOf(job, receipt, digest);
  await logAct(desk, visit, entered, {
    event: "purge.return.acknowledged",
    outcome: refusal
      ? { effect: "deny", code: refusal.code }
      : { effect: "allow", code: receipt?.acknowledgedAt ? "stands" : "acknowledged" },
    facts: { contract: named.contract, job: named.job, ...(refusal ? {} : { digest }) },
  });
  if (refusal) return refuse(refusal);
  await acknowledgeReceipt(desk.database, job, entered.who);
  return ok(await standingOf(desk, job));
}

function refusalOf(job: PurgeJob, receipt: Receipt | null, digest: string): Refusal | null {
  if (!receipt) return { code: "wrong_state" };
  if (receipt.digest !== digest) return { code: "unacceptable", errors: [{ pointer: "/digest", code: "not_the_manifest" }] };
  return receipt.acknowledgedAt === null && job.step !== "fence" ? { code: "wrong_state" } : null;
}

async function find(
  desk: PurgeDesk,
  visit: Visit,
  named: Named,
): Promise<Result<{ readonly job: PurgeJob; readonly entered: Entered }, Refusal>> {
  const entered = await enterContract(desk, visit, named.contract);
  if (!entered.ok) return entered;
  const job = await selectJob(desk.database, named.contract);
  if (job?.id === named.job) return ok({ job, entered: entered.value });
  await logRead(desk, visit, entered.value, { named, part: "list", there: false });
  return refuse({ code: "not_found" });
}

async function standingOf(desk: PurgeDesk, job: PurgeJob): Promise<Standing> {
  const [agreed, receipt] = [await agreedReturn(desk, job), await selectReceipt(desk.database, job)];
  return { job, agreed, receipt, parts: receipt ? await selectParts(desk.database, job) : [] };
}

function logRead(
  desk: PurgeDesk,
  visit: Visit,
  entered: Entered,
  { named, part, there }: { readonly named: Named; readonly part: string; readonly there: boolean },
): Promise<void> {
  return logAct(desk, visit, entered, {
    event: "purge.return.read",
    outcome: there ? { effect: "allow", code: "ok" } : { effect: "deny", code: "not_found" },
    facts: { contract: named.contract, part },
  });
}
