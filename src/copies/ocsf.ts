/**
 * OCSF 1.8 as NDJSON, and behind a switch the profile `record_integrity` of 1.9: each event then carries the digest of its own canonical form.
 * What has no attribute there is under `unmapped`.
 */
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { type CanonicalValue, canonicalJson } from "../kernel/index.ts";
import { type Copied, type CopyFormat, lineOfJson } from "./copy.ts";
import { type ClassUid, classes, classOf, type EventClass } from "./ocsf-classes.ts";

export interface OcsfOptions {
  /** This release. */
  readonly version: string;
  /** 1.9 with the profile; 1.8 without. */
  readonly integrity: boolean;
}

export function ocsf({ version, integrity }: OcsfOptions): CopyFormat {
  return {
    media: "application/x-ndjson",
    extension: "ndjson",
    head: "",
    record: (copied) => `${lineOfJson(integrity ? attested(copied, version) : eventOf(copied, version))}\n`,
  };
}

type JsonObject = { readonly [name: string]: CanonicalValue };

function eventOf(copied: Copied, version: string, schema = "1.8.0"): JsonObject {
  const { index, entry, details } = copied;
  const kind = classOf(entry);
  const { name, category, categoryName } = classes[kind.uid];
  const failed = entry.outcome.effect === "deny";
  const isFinding = kind.uid === 2006;
  return {
    activity_id: kind.activity,
    activity_name: kind.activityName,
    category_name: categoryName,
    category_uid: category,
    class_name: name,
    class_uid: kind.uid,
    type_name: `${name}: ${kind.activityName}`,
    type_uid: kind.uid * 100 + kind.activity,
    severity_id: isFinding ? 4 : failed ? 3 : 1,
    severity: isFinding ? "High" : failed ? "Medium" : "Informational",
    status_id: failed ? 2 : 1,
    status: failed ? "Failure" : "Success",
    status_code: entry.outcome.code,
    time: Date.parse(entry.time),
    message: `${entry.event}: ${entry.outcome.effect} (${entry.outcome.code})`,
    metadata: {
      version: schema,
      product: { name: "Postern", vendor_name: "Postern", version },
      uid: entry.id,
      log_name: entry.log,
      sequence: index,
      original_time: entry.time,
      ...(entry.request && { correlation_uid: entry.request.id }),
    },
    ...subjectMatter(kind, copied),
    src_endpoint: details?.address === undefined ? { svc_name: entry.actor.role } : { ip: details.address.toWellFormed() },
    unmapped: unmappedOf(copied),
  };
}

/** What the class asks for, beyond what all have. */
function subjectMatter({ uid }: EventClass, { entry, details }: Copied): JsonObject {
  const user = {
    uid: entry.actor.id,
    type: entry.actor.role,
    type_id: entry.actor.role === "system" ? 3 : entry.actor.role === "unknown" ? 0 : 1,
    ...(details?.subject !== undefined && { name: details.subject.toWellFormed() }),
    ...(details?.issuer !== undefined && { domain: details.issuer.toWellFormed() }),
  };
  const operation = entry.request?.route ?? entry.event;
  const request = {
    ...(entry.request && {
      http_request: { uid: entry.request.id, ...(details?.userAgent && { user_agent: details.userAgent.toWellFormed() }) },
    }),
  };
  const byClass = {
    6005: () => ({ actor: { user }, table: { name: entry.resource?.type ?? "audit log", uid: entry.log }, ...request }),
    6003: () => ({ actor: { user }, api: { operation, service: { name: "Postern" } }, ...request }),
    3002: () => ({ user, service: { name: "Postern" }, auth_protocol: "OAuth 2.0 / OIDC", auth_protocol_id: 99, ...request }),
    2006: () => ({ actor: { user }, finding_info: { uid: entry.id, title: entry.event, types: [entry.outcome.code] }, is_alert: true }),
  } satisfies Record<ClassUid, () => JsonObject>;
  return byClass[uid]();
}

function unmappedOf({ entry, details }: Copied): JsonObject {
  const { reason, resource, decision, facts } = entry;
  const whole: Record<string, CanonicalValue | undefined> = {
    event: entry.event,
    reason: details?.reason?.toWellFormed(),
    purpose: reason?.purpose,
    ticket: reason?.ticket,
    type: resource?.type,
    locators: resource?.records.map(({ locator }) => locator),
    subjects: resource?.records.flatMap(({ subject }) => subject ?? []),
    fields: resource?.fields,
    role: decision?.role,
    policy: decision?.policy,
    facts,
  };
  const present: Record<string, CanonicalValue> = {};
  for (const [name, value] of Object.entries(whole)) if (value !== undefined) present[name] = value;
  return present;
}

/** The digest is over the event's canonical JSON with the attestation in it, but for the digest itself. The order is the log's own: `metadata.sequence`. */
function attested(copied: Copied, version: string): JsonObject {
  const { metadata, ...event } = eventOf(copied, version, "1.9.0");
  const attestation = { uid: copied.entry.id, authority_uid: copied.entry.log, chain_uid: copied.entry.log };
  const profiled = { ...event, metadata: { ...(metadata as JsonObject), profiles: ["record_integrity"] } };
  const fingerprint = {
    algorithm: "SHA-256",
    algorithm_id: 3,
    encoding: "Hex",
    encoding_id: 1,
    serialization: "JCS",
    serialization_id: 2,
    value: toHex(sha256(utf8(canonicalJson({ ...profiled, attestation_list: [attestation] })))),
  };
  return { ...profiled, attestation_list: [{ ...attestation, fingerprint }] };
}
