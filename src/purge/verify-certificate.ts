/**
 * Verifies a certificate with nothing but the file and the reader's trust file:
 * signature → final checkpoint → every entry's path to its root, once → who ordered it → the acts in their order → commitments and counts agree
 */
import { type Entry, leafHash, openCheckpoint, readEntry, rootFromInclusion, type Trust } from "../audit/index.ts";
import { equalBytes, fromBase64, type VerifySignature, verifyJws } from "../crypto/index.ts";
import { type Certificate, certificateSchema, certificateTyp, provenEvents } from "./certificate.ts";

export interface CertificateVerdict {
  readonly ok: boolean;
  readonly contract: string | null;
  readonly job: string | null;
  readonly statement: Certificate["statement"] | null;
  readonly problems: readonly string[];
}

export async function verifyCertificate(jws: string, trust: Trust, verify: VerifySignature): Promise<CertificateVerdict> {
  const keys = new Map([[trust.certificate.kid, trust.certificate.key]]);
  const opened = await verifyJws(jws.trim(), certificateTyp, keys, verify);
  if (!opened) return reject("not signed by the trusted certificate key");
  const parsed = certificateSchema.safeParse(jsonOrNull(opened.payload));
  if (!parsed.success) return reject("not a certificate of a form that this version knows");
  const certificate = parsed.data;
  const { contract, job, statement } = certificate;
  const problems = await checkLog(certificate, trust, verify);
  return { ok: problems.length === 0, contract, job, statement, problems };
}

async function checkLog(certificate: Certificate, trust: Trust, verify: VerifySignature): Promise<string[]> {
  const checkpoint = await openCheckpoint(certificate.log.checkpoint, [trust.log], verify);
  if (!checkpoint.ok) return ["the final checkpoint is not signed by the trusted log key"];
  const { size, root, origin } = checkpoint.value;
  if (origin !== certificate.log.origin || !origin.endsWith(`/${certificate.contract}`)) return ["the checkpoint is another log's"];
  const problems: string[] = [];
  const entries: { index: number; entry: Entry }[] = [];
  for (const { index, bytes, proof } of certificate.log.entries) {
    if (entries.some((earlier) => earlier.index === index)) problems.push(`entry ${index} stands twice`);
    const raw = fromBase64(bytes);
    const reached = rootFromInclusion(leafHash(raw), index, size, proof.map(fromBase64));
    const entry = readEntry(raw);
    if (!reached || !equalBytes(reached, root)) problems.push(`entry ${index} is not in the log`);
    else if (!entry) problems.push(`entry ${index} cannot be read`);
    else entries.push({ index, entry });
  }
  return [...problems, ...checkOrder(certificate, entries), ...checkActs(certificate, entries, size), ...checkFacts(certificate, entries)];
}

/** The digest that two owners decided on, as the log has it: of this purge, or of the contract whose end they agreed to. */
function checkOrder({ basis, job, order }: Certificate, entries: readonly { entry: Entry }[]): string[] {
  const says = (event: string, facts: Readonly<Record<string, string>>) =>
    entries.some(({ entry }) => entry.event === event && Object.entries(facts).every(([name, value]) => entry.facts?.[name] === value));
  const { digest } = order;
  const ordered =
    basis === "owners"
      ? says("purge.requested", { job, digest }) && says("purge.approved", { action: "purge", digest })
      : says("purge.due", { job }) &&
        (says("log.opened", { digest }) ||
          says("contract.amended", { action: "amend", digest }) ||
          says("contract.terminated", { action: "terminate", digest }));
  return ordered ? [] : ["the log does not hold this order"];
}

/** Every act, in its order, each once, and nothing after the last. */
function checkActs({ job }: Certificate, entries: readonly { index: number; entry: Entry }[], size: number): string[] {
  const problems: string[] = [];
  let before = -1;
  for (const event of provenEvents) {
    const found = entries.filter(({ entry }) => entry.event === event && entry.facts?.job === job);
    const [only] = found;
    if (!only || found.length > 1) problems.push(`${event}: ${found.length} entries instead of one`);
    else if (only.index <= before) problems.push(`${event}: out of order`);
    else before = only.index;
  }
  if (before !== size - 1) problems.push("the log does not end with the purge");
  return problems;
}

/** What the certificate says against what the log said at the time. */
function checkFacts(certificate: Certificate, entries: readonly { entry: Entry }[]): string[] {
  const factsOf = (event: string) => entries.find(({ entry }) => entry.event === event)?.entry.facts ?? {};
  const problems: string[] = [];
  const opened = factsOf("log.opened");
  const [first] = certificate.keys;
  if (!first || first.share_a !== opened.share_a || first.share_b !== opened.share_b)
    problems.push("the shares are not those the contract began with");
  const named = { share_a: certificate.keys.map((key) => key.share_a), share_b: certificate.keys.map((key) => key.share_b) };
  for (const share of ["share_a", "share_b"] as const) {
    if (!sameJson(factsOf(`purge.${share}.done`).commitments, named[share]))
      problems.push(`the destroyed shares are not the named ones (${share})`);
  }
  if (!sameJson(factsOf("purge.fence.done").before, certificate.scope.before)) problems.push("the counts are not those the log holds");
  if (!sameJson(factsOf("purge.sweep.done").after, certificate.scope.after)) problems.push("the sweep found something else");
  return problems;
}

function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) =>
    JSON.stringify(value, (_key, inner) => (isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
  return sorted(a) === sorted(b);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reject(problem: string): CertificateVerdict {
  return { ok: false, contract: null, job: null, statement: null, problems: [problem] };
}
