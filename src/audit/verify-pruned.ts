/**
 * What an export has in place of the part of its log that was pruned: the roots of the tiles that are gone, and the entry that says so, out of the log
 * itself or out of its gateway's. The roots are bound by the signed root of the whole tree; that it was a pruning and no theft, by the entry.
 */
import { equalBytes, fromBase64, toBase64, type VerifySignature } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import { belongsTo } from "./epoch.ts";
import type { PrunedPart } from "./export-contents.ts";
import { treeOfTiles } from "./growing-tree.ts";
import type { LeftEdge } from "./left-edge.ts";
import type { Manifest, PrunedEvidence } from "./manifest.ts";
import { parseReceipt, verifyReceipt } from "./receipt.ts";
import { leafHash } from "./tree.ts";
import type { Trust } from "./trust.ts";
import type { Findings } from "./verdict.ts";
import { parseEntry } from "./verify-entries.ts";

export interface PrunedCheck {
  readonly trust: Trust | null;
  readonly verifySignature: VerifySignature;
  readonly findings: Findings;
}

export async function checkPruned(
  { origin, min_index: first }: Manifest,
  { roots, evidence }: PrunedPart,
  { trust, verifySignature, findings }: PrunedCheck,
): Promise<LeftEdge> {
  const entry = evidence && entryOf(evidence);
  const facts = entry?.event === "audit.pruned" ? entry.facts : undefined;
  const ofLog = typeof facts?.log === "string" && belongsTo(facts.log, origin);
  const speaks = ofLog && facts.first_kept === first && facts.root === toBase64(treeOfTiles(roots).root());
  const isLogged = evidence !== null && (await isInLog(evidence, trust, verifySignature));
  if (!speaks || !isLogged)
    findings.add(
      null,
      "pruned_unproven",
      `no entry of a trusted log says that what stood before place ${first} was pruned, and what its hashes were`,
    );
  return { first, roots, carried: carriedOf(facts?.carried), until: endOfMonth(facts?.month) };
}

/** Under a trust file's keys; without one the export is held against itself alone. */
async function isInLog({ entry, receipt: text }: PrunedEvidence, trust: Trust | null, verifySignature: VerifySignature): Promise<boolean> {
  const receipt = parseReceipt(text);
  if (receipt === null || !equalBytes(receipt.leaf, leafHash(fromBase64(entry)))) return false;
  return trust === null || (await verifyReceipt({ text, trust, kept: null, verifySignature })).ok;
}

function entryOf({ entry }: PrunedEvidence): Entry | null {
  return parseEntry(fromBase64(entry));
}

type Fact = NonNullable<Entry["facts"]>[string] | undefined;

function carriedOf(fact: Fact): ReadonlyMap<string, number> {
  const pairs = Array.isArray(fact) ? fact.map((text) => text.split(" ")) : [];
  return new Map(pairs.map(([writer = "", n]) => [writer, Number(n)]));
}

function endOfMonth(fact: Fact): number {
  const [, year, month] = typeof fact === "string" ? (/^([0-9]{4})-([0-9]{2})$/.exec(fact) ?? []) : [];
  return year === undefined ? 0 : Date.UTC(Number(year), Number(month), 1);
}
