/**
 * The second certificate: the gateway log's checkpoint → the entry that issued the first one, and its digest → the first one itself, where it is at hand
 * → the horizon, which follows from the destruction → the plain sentences.
 */
import { isSameLog, openCheckpoint, readOrigin, type Trust } from "../audit/index.ts";
import type { VerifySignature } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { type Certificate, certificateDigest, type FinalCertificate, horizonOf } from "./certificate-document.ts";
import { type CertificateProblem, problem } from "./certificate-problems.ts";
import { finalStatementOf } from "./certificate-statement.ts";
import { openCertificate } from "./open-certificate.ts";
import { checkFirst, proveEntry } from "./verify-first.ts";

export interface FinalCheck {
  readonly trust: Trust;
  readonly verify: VerifySignature;
  readonly first: string | null;
}

export async function checkFinal(final: FinalCertificate, check: FinalCheck): Promise<CertificateProblem[]> {
  return [
    ...(await checkIssue(final, check)),
    ...(check.first === null ? [] : await checkAgainstFirst(final, { ...check, first: check.first })),
    ...checkHorizon(final),
    ...checkLooks(final),
    ...(canonicalJson(finalStatementOf(final)) === canonicalJson(final.statement) ? [] : [problem("statement")]),
  ];
}

/** The gateway said that it issued the first one, under this digest. */
async function checkIssue({ log, job, contract, first }: FinalCertificate, { trust, verify }: FinalCheck): Promise<CertificateProblem[]> {
  const checkpoint = await openCheckpoint(log.checkpoint, [trust.gateway, ...trust.earlier], verify);
  if (!checkpoint.ok) return [problem("checkpoint")];
  const { origin } = checkpoint.value;
  if (origin !== log.origin || !isSameLog(origin, trust.gateway.name) || !readOrigin(trust.log.name).base.endsWith(`/${contract}`))
    return [problem("other_log")];
  const proven = proveEntry(log.entry, checkpoint.value);
  if (typeof proven === "string") return [problem(proven, `entry ${log.entry.index}`)];
  const { event, facts } = proven.entry;
  const says = event === "certificate.issued" && facts?.job === job && facts.contract === contract && facts.digest === first.digest;
  return says ? [] : [problem("unproven", "first")];
}

async function checkAgainstFirst(
  final: FinalCertificate,
  { trust, verify, first }: FinalCheck & { readonly first: string },
): Promise<CertificateProblem[]> {
  if (certificateDigest(first.trim()) !== final.first.digest) return [problem("other_first")];
  const opened = await openCertificate(first, trust, verify);
  if (!opened.ok || opened.value.kind !== "first") return [problem("first_not_ok")];
  const { content } = opened.value;
  if ((await checkFirst(content, trust, verify)).length > 0) return [problem("first_not_ok")];
  return sameJob(final, content) ? [] : [problem("other_first", "job, parties, horizon")];
}

function sameJob({ job, contract, merchant, vendor, horizon }: FinalCertificate, first: Certificate): boolean {
  const same = job === first.job && contract === first.contract && merchant === first.merchant && vendor === first.vendor;
  return same && horizon.destroyed_at === first.times.share_b && horizon.hours === first.agreement.backup_horizon_hours;
}

function checkHorizon({ horizon }: FinalCertificate): CertificateProblem[] {
  const { destroyed_at, hours, passed_at, seen_at } = horizon;
  const follows = Date.parse(passed_at) === horizonOf(destroyed_at, hours) && Date.parse(seen_at) >= Date.parse(passed_at);
  return follows ? [] : [problem("horizon")];
}

function checkLooks({ verification, horizon, copies }: FinalCertificate): CertificateProblem[] {
  const checks = verification.map(({ check }) => check).sort();
  const problems = checks.join() === "rows,shares" ? [] : [problem("item_missing", "verification")];
  if (verification.some(({ at }) => at !== horizon.seen_at)) problems.push(problem("time", "verification"));
  if ((copies.state === "attested") !== (copies.assurance === "attested by the vendor")) problems.push(problem("unproven", "copies"));
  return problems;
}
