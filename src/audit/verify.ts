/**
 * Verifies an export with nothing but the export and the keys that the reader trusts: no gateway, no database, no network, no clock.
 *
 * keys → contents → entries → writers → flushes → tree → state → what was seen before
 */
import { toBase64, type VerifySignature } from "../crypto/index.ts";
import type { Result } from "../kernel/index.ts";
import { type Contents, readContents } from "./export-contents.ts";
import type { Bundle } from "./manifest.ts";
import { type NoteKey, parseVkey } from "./note.ts";
import { rootAt } from "./tree.ts";
import { parseNamedKey, type Trust } from "./trust.ts";
import { createFindings, type Findings, problemsMax, type Verdict } from "./verdict.ts";
import { type CheckedEntry, checkEntries } from "./verify-entries.ts";
import { checkFlushes, headOpener } from "./verify-flushes.ts";
import { checkQuorum } from "./verify-quorum.ts";
import { checkSeen } from "./verify-seen.ts";
import { checkTree } from "./verify-tree.ts";
import { checkWriters } from "./verify-writers.ts";

export interface VerifyRequest {
  /** As `readBundle` answered. */
  readonly bundle: Result<Bundle, string>;
  /** `null` = check the export against the keys that it names itself; the verdict says so. */
  readonly trust: Trust | null;
  /** Texts of checkpoints and promises that were kept from before. */
  readonly seen: readonly string[];
  readonly verifySignature: VerifySignature;
}

export async function verifyExport({ bundle, trust, seen, verifySignature }: VerifyRequest): Promise<Verdict> {
  const findings = createFindings();
  if (!bundle.ok) findings.add(null, "archive_unreadable", bundle.refusal);
  const contents = bundle.ok ? readContents(bundle.value, findings) : null;
  if (contents === null) return verdict(trust, { origin: "", size: 0, root: "" }, findings);

  const { origin, size } = contents.manifest;
  const { logKey, writerKeys } = chooseKeys(trust, contents, findings);
  const openHead = headOpener(writerKeys, verifySignature);
  const entries = checkEntries(contents.slots, origin, findings);
  checkWriters(entries, findings);
  await checkFlushes({ flushes: contents.flushes, entries, origin, openHead, findings });
  checkState(contents, entries, findings);
  const tree = await checkTree({ contents, entries, logKey, verifySignature, findings });
  await checkQuorum({ note: contents.checkpoint, trust, verifySignature, findings });
  await checkSeen(seen, { origin, tree, entries, logKey, openHead, verifySignature, findings });
  return verdict(trust, { origin, size, root: toBase64(rootAt(tree)) }, findings);
}

interface Keys {
  readonly logKey: NoteKey | null;
  readonly writerKeys: ReadonlyMap<string, Uint8Array>;
}

/** A trust file's keys, and those alone, where there is one. */
function chooseKeys(trust: Trust | null, { manifest, keys }: Contents, findings: Findings): Keys {
  if (trust !== null) {
    const logKey = [trust.log, trust.gateway].find(({ name }) => name === manifest.origin) ?? null;
    if (logKey === null) findings.add(null, "log_not_trusted", "the trust file names neither this log nor its gateway log");
    return { logKey, writerKeys: trust.writers };
  }
  const logKey = parseVkey(keys?.log ?? "");
  if (logKey === null) findings.add(null, "log_not_trusted", "the export names no verifier key of the log");
  const writerKeys = new Map((keys?.writers ?? []).flatMap((named) => parseNamedKey(named) ?? []).map(({ kid, key }) => [kid, key]));
  return { logKey, writerKeys };
}

/** A log is frozen by its last entry and nothing comes after that; whatever was accepted is in the tree. */
function checkState({ manifest, orphans }: Contents, entries: readonly CheckedEntry[], findings: Findings): void {
  const end = entries.findIndex(({ entry }) => entry?.event === "purge.verified");
  if (end >= 0 && end < entries.length - 1) findings.add(end + 1, "entry_after_freeze", "an entry stands after the one that ends the log");
  const ended = entries.at(-1)?.entry?.event === "purge.verified";
  if (ended && manifest.state === "open") findings.add(null, "log_row_mismatch", "the log has ended and its stored state is not frozen");
  if (!ended && manifest.state === "frozen")
    findings.add(null, "log_row_mismatch", "the log's stored state is frozen and it has not ended");
  if (manifest.state === "halted")
    findings.add(null, "log_halted", "the gateway stopped numbering: the stored log is not the one that it signed last");
  for (const { id } of orphans) {
    const name = id !== null && /^[0-9a-f-]{36}$/.test(id) ? ` ${id}` : "";
    findings.add(null, "entry_not_in_tree", `the accepted flush${name} is neither waiting nor in the tree`);
  }
}

function verdict(
  trust: Trust | null,
  log: { readonly origin: string; readonly size: number; readonly root: string },
  findings: Findings,
): Verdict {
  const all = findings.all();
  return {
    ok: all.length === 0,
    keys: trust === null ? "not pinned" : "pinned",
    ...log,
    problems: all.slice(0, problemsMax),
    problemsFound: all.length,
    firstBad: all[0]?.index ?? null,
  };
}
