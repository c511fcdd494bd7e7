/**
 * What the two certificates of a purge hold: the forms, and nothing that makes or checks them. docs/CERTIFICATE.md explains every field; a test holds
 * it to the schemas here.
 *
 * The level of assurance is part of the form: an item that this gateway cannot prove cannot be written as proven, by anybody. Where the entries of a
 * list differ, each has its own; else it stands in `assurance` under the item's name.
 */
import * as z from "zod";
import { canonicalBase64, sha256, toHex, utf8 } from "../crypto/index.ts";
import { acts } from "./plan.ts";

/** NIST SP 800-88 §4.7 asks what was verified, and by whom. From the strongest to the weakest. */
export const assurances = ["cryptographically proven", "system-verified", "attested by the vendor", "unknown"] as const;
export type Assurance = (typeof assurances)[number];
const proven = z.literal(assurances[0]);
const seen = z.literal(assurances[1]);
const unknown = z.literal(assurances[3]);
const attestedOrUnknown = z.enum([assurances[2], assurances[3]]);

export const certificateTyp = "postern-certificate";
export const finalCertificateTyp = "postern-certificate-final";

const person = z.strictObject({ issuer: z.string(), subject: z.string() });
const counts = z.record(z.string(), z.int().min(0));
const words = z.strictObject({ en: z.string(), "zh-CN": z.string() });
export type Words = z.infer<typeof words>;
const instant = z.iso.datetime();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const provenEntry = z.strictObject({ index: z.int().min(0), bytes: canonicalBase64, proof: z.array(canonicalBase64) });

/** What was done to a table, or to one of these. */
const methods = z.union([
  z.strictObject({ store: z.literal("share_b"), method: z.literal("destroyed"), assurance: seen }),
  z.strictObject({ store: z.literal("share_a"), method: z.literal("erased"), assurance: seen }),

  z.strictObject({ store: z.literal("cached_keys"), method: z.literal("fenced"), assurance: seen }),
  z.strictObject({ store: z.literal("ciphertext_copies"), method: z.literal("cryptographic_erase"), assurance: proven }),
  z.strictObject({ store: z.literal("vendor_systems"), method: z.literal("outside_this_gateway"), assurance: attestedOrUnknown }),
  z.strictObject({ store: z.string().regex(/^[a-z]+\.[a-z_]+$/), method: z.literal("deleted"), assurance: seen }),
]);

const attestation = z.strictObject({
  system: z.string(),
  state: z.enum(["received", "not received"]),
  /** Of the signed statement, and of the evidence behind it. */
  statement: digest.nullable(),
  evidence: digest.nullable(),
  received_at: instant.nullable(),
  assurance: attestedOrUnknown,
});
export type Attestation = z.infer<typeof attestation>;

const negativeControls = {
  /** A row planted among those that should be gone, seen by the same count and taken out again; and what it saw before the deletion. */
  rows: z.strictObject({ planted: z.int().min(1), seen: z.int().min(1), before: z.int().min(0) }),
  /** Tables that are known to be there, and how many of them the catalogue showed. */
  catalogue: z.strictObject({ registered: z.int().min(1), seen: z.int().min(1) }),
  /** Shares that the same look found before they were destroyed. 0 = a share was lost before, and the look was never seen to find one. */
  shares: z.strictObject({ share_a: z.int().min(0), share_b: z.int().min(0) }),
};

/** `tool`: name and version. */
const checked = { tool: z.string(), at: instant, assurance: seen };
const verification = z.union([
  z.strictObject({ check: z.literal("rows"), result: z.literal("none left"), negative_control: negativeControls.rows, ...checked }),
  z.strictObject({
    check: z.literal("catalogue"),
    result: z.literal("no unknown table"),
    negative_control: negativeControls.catalogue,
    ...checked,
  }),
  z.strictObject({ check: z.literal("shares"), result: z.literal("none left"), negative_control: negativeControls.shares, ...checked }),
]);

export const certificateSchema = z.strictObject({
  format: z.literal("postern-certificate/1"),
  /** For whoever reads nothing else. It follows from the fields below, and the verifier writes it again. */
  statement: z.strictObject({ deleted: words, remains: words, copies: words }),
  job: z.string(),
  contract: z.string(),
  merchant: z.string(),
  vendor: z.string(),
  basis: z.enum(["term_ended", "owners"]),
  law: z.array(z.string()),
  agreement: z.strictObject({
    digest: z.string(),
    starts_at: instant,
    ends_at: instant,
    purge_due_at: instant,
    backup_horizon_hours: z.int().min(0),
  }),
  /** Who asked and who approved: of the purge, or of the activation that agreed to the end. */
  order: z.strictObject({ digest: z.string(), requested_by: person, approved_by: person }),
  /** ISO 8601, the database's clock. */
  times: z.record(z.string(), instant),
  /** `span`: from when until when records could be read. */
  scope: z.strictObject({
    before: counts,
    after: counts,
    records: z.int().min(0),
    subjects: z.int().min(0),
    span: z.strictObject({ from: instant, until: instant }),
  }),
  /** Commitments SHA-256("keycommit" ‖ share) to the destroyed shares, by epoch. */
  keys: z.array(z.strictObject({ epoch: z.int(), share_a: z.string(), share_b: z.string(), share_c: z.string().nullable() })),
  shares: z.array(
    z.union([
      z.strictObject({ share: z.enum(["A", "B"]), place: z.string(), state: z.literal("destroyed"), at: instant, assurance: seen }),
      z.strictObject({
        share: z.literal("C"),
        place: z.literal("the merchant"),
        state: z.enum(["retired", "retirement asked"]),
        at: instant.nullable(),
        assurance: unknown,
      }),
    ]),
  ),
  /** Keys in key services whose deletion was scheduled as well. */
  key_services: z.array(z.strictObject({ service: z.string(), key: z.string(), effective_at: instant, assurance: seen })),
  /** What went back to the merchant first. `digest`: of the sealed export. */
  returned: z.strictObject({
    /** `not possible`: it was agreed, and the keys were lost before. */
    state: z.enum(["not asked", "acknowledged", "not acknowledged", "not possible"]),
    digest: digest.nullable(),
    acknowledged_at: instant.nullable(),
    assurance: seen,
  }),
  /** Of the vendor's own systems: each with a row, whether it answered or not. */
  attestations: z.array(attestation),
  methods: z.array(methods),
  stays: z.array(z.strictObject({ table: z.string(), reason: z.string() })),
  /** Copies out of reach, and until when they may exist. `unknown`: nobody here can look. */
  residuals: z.array(z.strictObject({ what: z.literal("ciphertext_copies"), until: instant, assurance: unknown })),
  /** Legal holds that were placed on the contract or a part of it, as the log has them. On whose word died with the contract. */
  holds: z.array(
    z.strictObject({
      hold: z.string(),
      scope: z.string(),
      basis: z.string(),
      state: z.enum(["released", "expired", "not released"]),
      until: instant.nullable(),
    }),
  ),
  exceptions: z.array(z.strictObject({ what: z.literal("agents_screens"), assurance: unknown })),
  verification: z.array(verification),
  assurance: z.strictObject({
    parties: seen,
    agreement: seen,
    order: seen,
    times: seen,
    scope: seen,
    keys: proven,
    holds: seen,
    log: proven,
  }),
  log: z.strictObject({
    origin: z.string(),
    /** The frozen log's last checkpoint, a signed note. */
    checkpoint: z.string(),
    /** Every entry of the purge and the one that opened the log: its bytes, and its path to that checkpoint's root. */
    entries: z.array(provenEntry),
  }),
});
export type Certificate = z.infer<typeof certificateSchema>;

export const finalCertificateSchema = z.strictObject({
  format: z.literal("postern-certificate-final/1"),
  statement: z.strictObject({ horizon: words, remains: words }),
  job: z.string(),
  contract: z.string(),
  merchant: z.string(),
  vendor: z.string(),
  /** The certificate of the purge itself, by the digest of its text. */
  first: z.strictObject({ digest, assurance: proven }),
  horizon: z.strictObject({ destroyed_at: instant, hours: z.int().min(0), passed_at: instant, seen_at: instant, assurance: seen }),
  /** What the gateway looked at once more, now: a database restored from a backup would have been found here. */
  verification: z.array(
    z.strictObject({ check: z.enum(["rows", "shares"]), result: z.literal("none left"), tool: z.string(), at: instant, assurance: seen }),
  ),
  /** Whether the backups aged out is their keeper's to know. */
  copies: z.strictObject({ state: z.enum(["attested", "not attested"]), assurance: attestedOrUnknown }),
  attestations: z.array(attestation),
  /** The gateway log's proof that the first certificate was issued, and under which digest. */
  log: z.strictObject({ origin: z.string(), checkpoint: z.string(), entry: provenEntry }),
});
export type FinalCertificate = z.infer<typeof finalCertificateSchema>;

/** Entries that a certificate carries, beside those that opened the log and ordered the purge. */
export const provenEvents = [...acts.flatMap((act) => [`purge.${act}.intent`, `purge.${act}.done`] as const), "purge.verified"] as const;
export const orderingEvents = [
  "log.opened",
  "hold.placed",
  "hold.released",
  "contract.amended",
  "contract.terminated",
  "hold.placed",
  "hold.released",
  "purge.requested",
  "purge.approved",
  "purge.due",
] as const;

/** `sha256:…` of a certificate's text: how the log and the second certificate name it. */
export function certificateDigest(jws: string): string {
  return `sha256:${toHex(sha256(utf8(jws)))}`;
}

/** When no backup may hold a copy any more, milliseconds. */
export function horizonOf(destroyedAt: string, backupHorizonHours: number): number {
  return Date.parse(destroyedAt) + backupHorizonHours * 3_600_000;
}
