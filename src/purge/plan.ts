/**
 * What the end of a contract means, table by table and step by step. Pure: the registry that the sweep checks against the catalogue,
 * and the ladder that the job climbs.
 */

/**
 * Every table with a contract's rows: what dies, and what stays and why. A table that is not here fails the sweep and a test.
 * `key`: its primary key behind `contract_id`, in whose order its rows go.
 */
export const stores = {
  "postern.record": { fate: "dies", step: "rows", key: ["type", "locator"] },
  "postern.subject_key": { fate: "dies", step: "rows", key: ["subject"] },
  "postern.return_part": { fate: "dies", step: "rows", key: ["job_id", "part"] },
  "postern.blind_index": { fate: "dies", step: "derived", key: ["type", "field", "value", "locator"] },
  "postern.contract_key": { fate: "dies", step: "derived", key: ["purpose"] },
  "postern.subject_request": { fate: "dies", step: "derived", key: ["request_id"] },
  "postern.break_glass": { fate: "dies", step: "derived", key: ["approval_id"] },
  "postern.seat": { fate: "dies", step: "derived", key: ["issuer", "subject"] },
  "postern.seat_use": { fate: "dies", step: "derived", key: ["issuer", "subject", "seen_at", "network"] },
  "postern.seat_miss": { fate: "dies", step: "derived", key: ["issuer", "subject", "count_id"] },
  "postern.service_key": { fate: "dies", step: "derived", key: ["key_id"] },
  "postern.connector": { fate: "dies", step: "derived", key: ["name"] },
  "postern.connector_refusal": { fate: "dies", step: "derived", key: ["name", "refused_at"] },
  "postern.upstream_answer": { fate: "dies", step: "derived", key: ["connector", "answer_id"] },
  "postern.upstream_write": { fate: "dies", step: "derived", key: ["name", "attempt", "step"] },
  "postern.hold": { fate: "dies", step: "derived", key: ["hold_id"] },
  "postern.key_epoch": { fate: "stays", reason: "commitments that name the destroyed shares; the shares themselves are gone" },
  "postern.contract": { fate: "stays", reason: "tombstone: id, parties, dates, state" },
  "postern.bundle": { fate: "stays", reason: "what was agreed, under its digest; no customer's data" },
  "postern.proposal": { fate: "stays", reason: "what was agreed about the end, under its digest; no customer's data" },
  "postern.approval": { fate: "stays", reason: "who ordered and approved" },
  "postern.purge_job": { fate: "stays", reason: "the purge's own record" },
  "postern.return_receipt": { fate: "stays", reason: "what was returned, by its digest, and who acknowledged it" },
  "postern.attestation": { fate: "stays", reason: "what the vendor said of its own systems" },
  "postern.rotation": { fate: "stays", reason: "when keys moved, in numbers; no key" },
  "postern.erasure": { fate: "stays", reason: "receipts of erased subjects: keyed names whose key died here, counts, times" },
  "postern.partial_purge": { fate: "stays", reason: "what was deleted before the end, by its age: rules, counts, times" },
  "postern.certificate": { fate: "stays", reason: "the proof" },
  "postern.audit_key": { fate: "stays", reason: "opens who acted, for officers, until the log's retention ends" },
  "postern.sink_cursor": { fate: "stays", reason: "places in the log, numbers only" },
  "audit.log": { fate: "stays", reason: "records of processing, kept 3 years (PIPL 55-56)" },
  "audit.flush": { fate: "stays", reason: "records of processing: pseudonyms whose key died here" },
  "audit.pending": { fate: "stays", reason: "empty once the log is frozen" },
  "audit.seq": { fate: "stays", reason: "the tree's leaves" },
  "audit.subtree": { fate: "stays", reason: "the tree's nodes" },
  "audit.checkpoint": { fate: "stays", reason: "signed heads of the tree" },
  "audit.cosignature": { fate: "stays", reason: "witnesses' signatures under signed heads" },
  "audit.upkeep": { fate: "stays", reason: "how far the log is numbered" },
  "audit.pruning": { fate: "stays", reason: "how far the log's retention has pruned it" },
  "audit.search": { fate: "stays", reason: "derived from the log, pseudonyms only" },
  "audit.search_fields": { fate: "stays", reason: "derived from the log: names of fields and treatments" },
  "audit.search_subject": { fate: "stays", reason: "derived from the log, pseudonyms only" },
} as const satisfies Record<string, { fate: "dies"; step: "rows" | "derived"; key: readonly string[] } | { fate: "stays"; reason: string }>;

export type StoreName = keyof typeof stores;
export type DyingStore = { [Name in StoreName]: (typeof stores)[Name]["fate"] extends "dies" ? Name : never }[StoreName];

export const dyingStores: readonly DyingStore[] = (Object.keys(stores) as StoreName[]).filter(isDying);

export function storesOfStep(step: "rows" | "derived"): readonly DyingStore[] {
  return dyingStores.filter((name) => stores[name].step === step);
}

export function stayingStores(): { table: string; reason: string }[] {
  return Object.entries(stores).flatMap(([table, store]) => (store.fate === "stays" ? [{ table, reason: store.reason }] : []));
}

function isDying(name: StoreName): name is DyingStore {
  return stores[name].fate === "dies";
}

/**
 * The acts: what was agreed to be returned is, then destruction in its order, the share without a backup first. Each is idempotent, has an entry before and after, and is done once
 * its `….done` entry is durable and the job stands at it.
 */
export const acts = ["fence", "return", "share_b", "share_a", "rows", "derived", "sweep"] as const;
export type Act = (typeof acts)[number];

/** Where a job stands: what is behind it. After `share_b` there is no way back. */
export const steps = ["requested", "approved", ...acts, "verified", "certified"] as const;
export type Step = (typeof steps)[number];

export function isStep(text: string): text is Step {
  return (steps as readonly string[]).includes(text);
}

export function isPastReturn(step: Step): boolean {
  return steps.indexOf(step) >= steps.indexOf("share_b");
}

/** `null` = the job is at its end. */
export function nextStep(step: Step): Step | null {
  return steps[steps.indexOf(step) + 1] ?? null;
}

/** Tables with rows of contracts or logs that the registry does not know. */
export function unregistered(tables: readonly string[]): string[] {
  return tables.filter((table) => !Object.hasOwn(stores, table)).sort();
}
