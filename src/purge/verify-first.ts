/**
 * The certificate of a purge against the frozen log of its contract:
 * final checkpoint → every entry's path to its root, once → who ordered it → the acts in their order → each field against its entry
 */
import { type Entry, leafHash, openCheckpoint, readEntry, readOrigin, rootFromInclusion, type Trust } from "../audit/index.ts";
import { equalBytes, fromBase64, type VerifySignature } from "../crypto/index.ts";
import { type Certificate, provenEvents } from "./certificate-document.ts";
import { type CertificateProblem, problem } from "./certificate-problems.ts";
import { checkFields } from "./verify-fields.ts";

export interface ProvenEntry {
  readonly index: number;
  readonly entry: Entry;
}

export async function checkFirst(certificate: Certificate, trust: Trust, verify: VerifySignature): Promise<CertificateProblem[]> {
  const checkpoint = await openCheckpoint(certificate.log.checkpoint, [trust.log, ...trust.earlier], verify);
  if (!checkpoint.ok) return [problem("checkpoint")];
  const { size, root, origin } = checkpoint.value;
  if (origin !== certificate.log.origin || !readOrigin(origin).base.endsWith(`/${certificate.contract}`)) return [problem("other_log")];
  const problems: CertificateProblem[] = [];
  const entries: ProvenEntry[] = [];
  for (const carried of certificate.log.entries) {
    const at = `entry ${carried.index}`;
    if (entries.some(({ index }) => index === carried.index)) problems.push(problem("entry_twice", at));
    const proven = proveEntry(carried, { size, root });
    if (typeof proven === "string") problems.push(problem(proven, at));
    else entries.push(proven);
  }
  return [...problems, ...checkOrder(certificate, entries), ...checkActs(certificate, entries, size), ...checkFields(certificate, entries)];
}

/** A code: what is wrong with it. */
export function proveEntry(
  { index, bytes, proof }: Certificate["log"]["entries"][number],
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): ProvenEntry | "entry_proof" | "entry_unread" {
  const raw = fromBase64(bytes);
  const reached = rootFromInclusion(leafHash(raw), index, size, proof.map(fromBase64));
  if (!reached || !equalBytes(reached, root)) return "entry_proof";
  const entry = readEntry(raw);
  return entry ? { index, entry } : "entry_unread";
}

/** The digest that two owners decided on, as the log has it: of this purge, or of the contract whose end they agreed to. */
function checkOrder({ basis, job, order }: Certificate, entries: readonly ProvenEntry[]): CertificateProblem[] {
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
  return ordered ? [] : [problem("order")];
}

/** Every act, in its order, each once, and nothing after the last. */
function checkActs({ job }: Certificate, entries: readonly ProvenEntry[], size: number): CertificateProblem[] {
  const problems: CertificateProblem[] = [];
  let before = -1;
  for (const event of provenEvents) {
    const found = entries.filter(({ entry }) => entry.event === event && entry.facts?.job === job);
    const [only] = found;
    if (!only || found.length > 1) problems.push(problem("act_missing", `${event}: ${found.length} entries`));
    else if (only.index <= before) problems.push(problem("act_order", event));
    else before = only.index;
  }
  if (before !== size - 1) problems.push(problem("log_goes_on"));
  return problems;
}
