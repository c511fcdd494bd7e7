/**
 * One audit entry: canonical JSON (RFC 8785), at most 65,535 bytes, no personal data in the clear.
 * Actor, subject and ticket are keyed pseudonyms; who and from where is in `details`, sealed under the log's monthly audit key.
 */
import * as z from "zod";
import { canonicalBase64 } from "../crypto/index.ts";

export const entryBytesMax = 65_535;
/** That one entry names. */
const recordsMax = 250;

/** What happened. The past participle is a fact; `….intent` is written before a destructive act and `….done` after it. */
export const eventNames = [
  "log.opened",
  "log.heads",
  "log.epoch_planned",
  "log.epoch_ordered",
  "log.epoch_opened",
  "record.read",
  "record.searched",
  "record.writing",
  "record.written",
  "subject_request.received",
  "subject_request.read",
  "subject_request.closed",
  "contract.applied",
  "contract.activation_requested",
  "contract.activated",
  "contract.amendment_requested",
  "contract.amended",
  "contract.termination_requested",
  "contract.terminated",
  "contract.suspended",
  "contract.resumption_requested",
  "contract.resumed",
  "contract.winding_down",
  "contract.ended",
  "contract.backdated",
  "hold.placed",
  "hold.release_requested",
  "hold.released",
  "holds.listed",
  "policy.change_requested",
  "policy.changed",
  "policy.read",
  "contract.read",
  "contracts.listed",
  "approvals.listed",
  "approval.rejected",
  "approval.withdrawn",
  "approval.expired",
  "break_glass.requested",
  "break_glass.opened",
  "break_glass.ended",
  "break_glass.reviewed",
  "break_glass.review_missing",
  "break_glass.listed",
  "seats.imported",
  "seats.approval_requested",
  "seats.approved",
  "service_keys.listed",
  "service_key.created",
  "service_key.rotated",
  "service_key.revoked",
  "session.opened",
  "session.closed",
  "session.stepped_up",
  "passkey.registered",
  "passkey.revoked",
  "seat.revoked",
  "seat.restored",
  "seat.shared",
  "seat.guessing",
  "access.revoked",
  "access.restored",
  "revocations.listed",
  "records.imported",
  "audit.listed",
  "audit.exported",
  "audit.pruned",
  "retention.read",
  "log.read",
  "trust.read",
  "purge.planned",
  "purge.requested",
  "purge.approved",
  "purge.due",
  "purge.read",
  "purge.fence.intent",
  "purge.fence.done",
  "purge.return.intent",
  "purge.return.sealed",
  "purge.return.done",
  "purge.return.read",
  "purge.return.acknowledged",
  "purge.share_b.intent",
  "purge.share_b.done",
  "purge.share_a.intent",
  "purge.share_a.done",
  "purge.rows.intent",
  "purge.rows.done",
  "purge.derived.intent",
  "purge.derived.done",
  "purge.sweep.intent",
  "purge.sweep.done",
  "purge.verified",
  "purge.attested",
  "purge.attestation_missing",
  "purge.tripwire",
  "purge.replayed",
  "root_key.read",
  "root_key.move.intent",
  "root_key.move.done",
  "keys.read",
  "keys.rotation_requested",
  "keys.epoch.intent",
  "keys.epoch.done",
  "keys.rewrap.intent",
  "keys.rewrap.done",
  "keys.index.intent",
  "keys.index.done",
  "keys.retire.intent",
  "keys.retire.done",
  "keys.index_drop.intent",
  "keys.index_drop.done",
  "keys.share_b.intent",
  "keys.share_b.done",
  "keys.share_a.intent",
  "keys.share_a.done",
  "erasure.planned",
  "erasure.requested",
  "erasure.read",
  "subject.erased.intent",
  "subject.erased.done",
  "records.lapsed.intent",
  "records.lapsed.done",
  "deletion.replayed",
  "partial_purge.planned",
  "partial_purge.requested",
  "partial_purge.approved",
  "partial_purge.read",
  "certificate.issued",
  "certificate.final",
  "certificate.read",
  "request.refused",
  "request.repeated",
  "strangers.counted",
  "clock.doubted",
  "clock.accepted",
  "seats.listed",
  "seats.provisioned",
  "scim.read",
  "scim.user_changed",
  "scim.token_issued",
  "scim.token_revoked",
  "scim.tokens_listed",
  "connector.registered",
  "connector.read",
  "connector.deleted",
  "connector.refused",
] as const;
export type EventName = (typeof eventNames)[number];

const actorRoles = ["agent", "vendor_admin", "officer", "merchant_owner", "service", "operator", "scim", "system", "unknown"] as const;
export type ActorRole = (typeof actorRoles)[number];

const short = z.string().max(256);
const sha256Base64 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const fact = z.union([
  z.string().max(4096),
  z.number().int(),
  z.array(z.string().max(512)).max(1000),
  z.record(z.string().max(256), z.number().int()),
]);

export const entrySchema = z.strictObject({
  v: z.literal(1),
  /** The log's origin, `{log name}/{contract}`, with `@2` behind it in its second epoch. */
  log: short,
  /** UUIDv7. */
  id: z.uuid({ version: "v7" }),
  /** RFC 3339, UTC, milliseconds. */
  time: z.iso.datetime({ precision: 3 }),
  /** `n` counts this writer's entries in this log from 0; `prev` is the leaf hash of its entry n − 1 (absent for 0); `after` names the retired writer before it and its last confirmed n (−1: none). */
  writer: z.strictObject({
    id: z.string().regex(/^w_[a-z2-7]{16}$/),
    n: z.number().int().min(0),
    prev: sha256Base64.optional(),
    after: z.strictObject({ id: z.string().regex(/^w_[a-z2-7]{16}$/), n: z.number().int().min(-1) }).optional(),
  }),
  event: z.enum(eventNames),
  /** `id`: `a_` + 26 base32 characters of a keyed hash, or `system` or `unknown`. */
  actor: z.strictObject({ role: z.enum(actorRoles), id: z.string().regex(/^(a_[a-z2-7]{26}|system|unknown)$/) }),
  request: z.strictObject({ id: short, route: short }).optional(),
  /** `ticket`: `t_` + keyed hash. */
  reason: z
    .strictObject({
      purpose: short.optional(),
      ticket: z
        .string()
        .regex(/^t_[a-z2-7]{26}$/)
        .optional(),
    })
    .optional(),
  resource: z
    .strictObject({
      type: short,
      /** Locators of the records that left or were asked for, and the `s_` pseudonyms of their subjects. */
      records: z
        .array(
          z.strictObject({
            locator: short,
            subject: z
              .string()
              .regex(/^s_[a-z2-7]{26}$/)
              .optional(),
          }),
        )
        .max(recordsMax),
      /** Policy path → treatment at which it left. */
      fields: z.record(short, z.enum(["withhold", "pseudonymize", "generalize", "mask", "reveal"])),
    })
    .optional(),
  /** The bundle's digest; which rules decided follows from it, the role and the purpose. */
  decision: z.strictObject({ policy: short, role: short }).optional(),
  outcome: z.strictObject({ effect: z.enum(["allow", "deny"]), code: short }),
  /** Counts, digests, commitments. Never personal. */
  facts: z.record(z.string().max(64), fact).optional(),
  /** nonce ‖ ciphertext ‖ tag in base64 under the log's audit key of month `key`. */
  details: z.strictObject({ key: z.string().regex(/^\d{4}-\d{2}$/), box: canonicalBase64.max(8192) }).optional(),
});

export type Entry = z.infer<typeof entrySchema>;

/** What `details` opens to: who it was, from where, and why in their own words. */
export interface EntryDetails {
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly reason?: string | undefined;
}
