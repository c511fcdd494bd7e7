/** Which OCSF class and activity each of our events is: one table for the whole vocabulary. */
import type { Entry, EventName } from "../audit/index.ts";

export const classes = {
  6005: { name: "Datastore Activity", category: 6, categoryName: "Application Activity" },
  6003: { name: "API Activity", category: 6, categoryName: "Application Activity" },
  3002: { name: "Authentication", category: 3, categoryName: "Identity & Access Management" },
  2006: { name: "Data Security Finding", category: 2, categoryName: "Findings" },
} as const;

export type ClassUid = keyof typeof classes;

export interface EventClass {
  readonly uid: ClassUid;
  readonly activity: number;
  readonly activityName: string;
}

const store = (activity: number, activityName: string): EventClass => ({ uid: 6005, activity, activityName });
const api = (activity: number, activityName: string): EventClass => ({ uid: 6003, activity, activityName });

const read = store(1, "Read");
const query = store(4, "Query");
const write = store(5, "Write");
const erase = store(7, "Delete");
const list = store(8, "List");
const decrypt = store(10, "Decrypt");
const apiCreate = api(1, "Create");
const apiRead = api(2, "Read");
const apiUpdate = api(3, "Update");
const apiDelete = api(4, "Delete");
const logon: EventClass = { uid: 3002, activity: 1, activityName: "Logon" };
const finding: EventClass = { uid: 2006, activity: 1, activityName: "Create" };

const byEvent: Partial<Record<EventName, EventClass>> = {
  "record.read": read,
  "record.searched": query,
  "record.writing": write,
  "record.written": write,
  "records.imported": write,
  "audit.listed": list,
  "audit.exported": read,
  "contracts.listed": list,
  "approvals.listed": list,
  "holds.listed": list,
  "hold.placed": apiCreate,
  "subject_request.received": apiCreate,
  "subject_request.read": apiRead,
  "purge.rows.done": erase,
  "purge.derived.done": erase,
  "purge.share_a.done": erase,
  "purge.share_b.done": erase,
  "contract.backdated": finding,
  "purge.tripwire": finding,
  "purge.replayed": erase,
  "purge.return.read": read,
  "clock.doubted": finding,
  "log.opened": apiCreate,
  "contract.applied": apiCreate,
  "purge.requested": apiDelete,
  "contract.read": apiRead,
  "trust.read": apiRead,
  "root_key.read": apiRead,
  "purge.read": apiRead,
  "purge.planned": apiRead,
  "certificate.read": apiRead,
  "request.repeated": apiRead,
  "certificate.issued": apiCreate,
  "certificate.final": apiCreate,
};

/** What the gateway itself found to be wrong, whatever was asked for. */
const findingCodes: readonly string[] = ["record_damaged"];

/** Everything else changes something by way of the API. */
export function classOf({ event, outcome, resource }: Entry): EventClass {
  if (findingCodes.includes(outcome.code)) return finding;
  if (event === "request.refused") return outcome.code.startsWith("token_") ? logon : apiRead;
  const isClear = event === "record.read" && Object.values(resource?.fields ?? {}).includes("reveal");
  return isClear ? decrypt : (byEvent[event] ?? apiUpdate);
}
