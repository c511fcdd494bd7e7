/** What the certificate says against what the log said at the time, field by field; and what must follow from one field in another. Pure. */
import type { Entry } from "../audit/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import { type Certificate, horizonOf } from "./certificate-document.ts";
import { holdsOf } from "./certificate-feeds.ts";
import { type CertificateProblem, problem } from "./certificate-problems.ts";
import { statementOf } from "./certificate-statement.ts";
import { acts } from "./plan.ts";

type Entries = readonly { readonly entry: Entry }[];

/** Entries bear a process's clock, the times the database's. */
const clocksDifferMsMax = 600_000;

export function checkFields(certificate: Certificate, entries: Entries): CertificateProblem[] {
  return [
    ...checkKeys(certificate, entries),
    ...checkCounts(certificate, entries),
    ...checkVerification(certificate, entries),
    ...checkTimes(certificate, entries),
    ...checkItems(certificate),
    ...checkClaims(certificate, entries),
    ...(canonicalJson(statementOf(certificate)) === canonicalJson(certificate.statement) ? [] : [problem("statement")]),
  ];
}

function checkKeys({ job, keys, shares }: Certificate, entries: Entries): CertificateProblem[] {
  const problems: CertificateProblem[] = [];
  const opened = factsOf(entries, "log.opened");
  const [first] = keys;
  if (!first || first.share_a !== opened.share_a || first.share_b !== opened.share_b) problems.push(problem("keys_begin"));
  // A number may be missing: of a rotation that was begun twice, one is never used.
  const rise = keys.every(({ epoch }, i) => (i === 0 ? epoch === 1 : epoch > (keys[i - 1]?.epoch ?? 0)));
  if (!rise) problems.push(problem("keys_begin", "epochs"));
  for (const share of ["share_a", "share_b"] as const) {
    const named = keys.map((key) => key[share]);
    if (!sameJson(factsOf(entries, `purge.${share}.done`, job).commitments, named)) problems.push(problem("keys_destroyed", share));
  }
  const retired = shares.some(({ state }) => state === "retired") ? keys.flatMap(({ share_c }) => share_c ?? []) : undefined;
  if (!sameJson(factsOf(entries, "purge.share_a.done", job).share_c, retired)) problems.push(problem("keys_destroyed", "share_c"));
  const rows = shares.map(({ share }) => share).sort();
  const wanted = keys.some(({ share_c }) => share_c !== null) ? ["A", "B", "C"] : ["A", "B"];
  return sameJson(rows, wanted) ? problems : [...problems, problem("item_missing", "shares")];
}

function checkCounts({ job, scope }: Certificate, entries: Entries): CertificateProblem[] {
  const problems: CertificateProblem[] = [];
  const { before, after, records, subjects } = scope;
  if (!sameJson(factsOf(entries, "purge.fence.done", job).before, before)) problems.push(problem("counts", "before"));
  if (records !== before["postern.record"] || subjects !== before["postern.subject_key"])
    problems.push(problem("counts", "records, subjects"));
  if (!sameJson(factsOf(entries, "purge.sweep.done", job).after, after) || Object.values(after).some((count) => count > 0))
    problems.push(problem("swept", "after"));
  return problems;
}

/** Each look with its negative control, as the sweep's own entry and the fence's have them. */
function checkVerification({ job, scope, verification, times }: Certificate, entries: Entries): CertificateProblem[] {
  const swept = factsOf(entries, "purge.sweep.done", job);
  const control = typeof swept.control === "object" ? swept.control : {};
  const before = Object.values(scope.before).reduce((sum, count) => sum + count, 0);
  const logged = {
    rows: { ...control, before },
    catalogue: swept.catalogue,
    shares: factsOf(entries, "purge.fence.done", job).shares,
  };
  const checks = verification.map(({ check }) => check).sort();
  return [
    ...(sameJson(checks, Object.keys(logged).sort()) ? [] : [problem("item_missing", "verification")]),
    ...(sameJson(swept.shares, { share_a: 0, share_b: 0 }) ? [] : [problem("swept", "shares")]),
    ...verification.flatMap(({ check, negative_control, tool, at }) => [
      ...(sameJson(logged[check], negative_control) ? [] : [problem("control", check)]),
      ...(tool === swept.tool ? [] : [problem("swept", "tool")]),
      ...(at === times.sweep ? [] : [problem("time", check)]),
    ]),
  ];
}

/** An act's time lies between the intent and the done entry, as far as two clocks agree. */
function checkTimes(certificate: Certificate, entries: Entries): CertificateProblem[] {
  const { job, times, scope, shares, residuals, agreement } = certificate;
  const timeOf = (event: string) => Date.parse(ofJob(entries, event, job)?.time ?? "");
  const problems = checkOrdered(certificate, entries);
  let earliest = timeOf("purge.fence.intent");
  for (const act of acts) {
    const name = act === "fence" ? "fenced" : act;
    const [at, done] = [Date.parse(times[name] ?? ""), timeOf(`purge.${act}.done`)];
    if (!(at >= earliest - clocksDifferMsMax && at <= done + clocksDifferMsMax)) problems.push(problem("time", name));
    earliest = done;
  }
  if (!isAbout(times.verified, timeOf("purge.verified"))) problems.push(problem("time", "verified"));
  if (scope.span.until !== times.fenced || scope.span.from !== agreement.starts_at) problems.push(problem("time", "span"));
  const destroyed = { A: times.share_a, B: times.share_b };
  for (const { share, at } of shares) if (share !== "C" && at !== destroyed[share]) problems.push(problem("time", `share ${share}`));
  const horizon = horizonOf(times.share_b ?? "", agreement.backup_horizon_hours);
  const follows = residuals.length > 0 && residuals.every(({ until }) => Date.parse(until) === horizon);
  return follows ? problems : [...problems, problem("horizon")];
}

/** The request, the approval and the due date, where the basis has them. */
function checkOrdered({ basis, job, order, times, agreement }: Certificate, entries: Entries): CertificateProblem[] {
  const requested = Date.parse(ofJob(entries, "purge.requested", job)?.time ?? "");
  const decided = entries.find(({ entry }) => entry.event === "purge.approved" && entry.facts?.digest === order.digest)?.entry;
  if (basis === "owners") {
    const fits = { requested: isAbout(times.requested, requested), approved: isAbout(times.approved, Date.parse(decided?.time ?? "")) };
    return (["requested", "approved"] as const).filter((name) => !fits[name]).map((name) => problem("time", name));
  }
  const due = isAbout(times.approved, Date.parse(ofJob(entries, "purge.due", job)?.time ?? ""));
  return due && times.due === agreement.purge_due_at ? [] : [problem("time", "due")];
}

function isAbout(instant: string | undefined, ms: number): boolean {
  return Math.abs(Date.parse(instant ?? "") - ms) <= clocksDifferMsMax;
}

/** Whatever was counted has a method, and so have the keys, the copies and the vendor's systems. */
function checkItems({ scope, methods, exceptions, attestations }: Certificate): CertificateProblem[] {
  const named = methods.map(({ store }) => store);
  const wanted = ["share_a", "share_b", "cached_keys", "ciphertext_copies", "vendor_systems", ...Object.keys(scope.before)];
  const problems = wanted.filter((store) => !named.includes(store)).map((store) => problem("item_missing", store));
  if (new Set(named).size !== named.length) problems.push(problem("item_missing", "a method twice"));
  const said = methods.find(({ store }) => store === "vendor_systems");
  const all = attestations.length > 0 && attestations.every(({ state }) => state === "received");
  if (said && (said.assurance === "unknown") === all) problems.push(problem("item_missing", "vendor_systems"));
  if (exceptions.length === 0) problems.push(problem("item_missing", "agents_screens"));
  if (attestations.length === 0) problems.push(problem("item_missing", "attestations"));
  return problems;
}

/** As the log calls them. */
const outcomes = {
  "not asked": "not_agreed",
  acknowledged: "acknowledged",
  "not acknowledged": "not_acknowledged",
  "not possible": "keys_unavailable",
} as const satisfies Record<Certificate["returned"]["state"], string>;

/** What others did counts where an entry names it by its digest. */
function checkClaims({ job, returned, attestations, holds: named, times }: Certificate, entries: Entries): CertificateProblem[] {
  const { attested = [], not_attested: missing = [] } = factsOf(entries, "purge.verified", job);
  const said = attestations.flatMap(({ system, statement }) => (statement === null ? [] : [`${system} ${statement}`]));
  const unsaid = attestations.flatMap(({ system, statement }) => (statement === null ? [system] : []));
  const isLogged = sameJson(said, attested) && (sameJson(missing, []) || sameJson(unsaid, missing));
  const problems = attestations
    .filter(({ state, statement, evidence, received_at, assurance }) => {
      if (state === "received") return !isLogged || statement === null || received_at === null || assurance !== "attested by the vendor";
      return statement !== null || evidence !== null || received_at !== null || assurance !== "unknown";
    })
    .map(() => problem("unproven", "attestation"));
  const inLog = entries.map(({ entry }) => entry);
  if (!sameJson(holdsOf(inLog, times.share_b ?? ""), named)) problems.push(problem("holds"));
  if (!isLogged && problems.length === 0) problems.push(problem("unproven", "attestation"));
  const { state, digest, acknowledged_at } = returned;
  const done = factsOf(entries, "purge.return.done", job);
  const fits = done.outcome === outcomes[state] && (done.digest ?? null) === digest;
  if (!fits || (state === "acknowledged") !== (acknowledged_at !== null)) problems.push(problem("unproven", "returned"));
  return problems;
}

function ofJob(entries: Entries, event: string, job: string): Entry | undefined {
  return entries.find(({ entry }) => entry.event === event && entry.facts?.job === job)?.entry;
}

function factsOf(entries: Entries, event: string, job?: string): NonNullable<Entry["facts"]> {
  const found = job === undefined ? entries.find(({ entry }) => entry.event === event)?.entry : ofJob(entries, event, job);
  return found?.facts ?? {};
}

function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) =>
    JSON.stringify(value, (_key, inner) => (isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
  return sorted(a) === sorted(b);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
