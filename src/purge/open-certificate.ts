/** From a certificate's text to its fields: form → key → signature → schema, and what exactly is wrong where one of them does not hold. */
import type * as z from "zod";
import type { Trust } from "../audit/index.ts";
import { fromBase64Url, fromUtf8, type VerifySignature, verifyJws } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import {
  type Certificate,
  certificateSchema,
  certificateTyp,
  type FinalCertificate,
  finalCertificateSchema,
  finalCertificateTyp,
} from "./certificate-document.ts";
import { type CertificateProblem, problem } from "./certificate-problems.ts";

export type Opened =
  | { readonly kind: "first"; readonly content: Certificate }
  | { readonly kind: "final"; readonly content: FinalCertificate };

const signatureBytes = 64;

/** Under the trust file's certificate key, and no other. */
export async function openCertificate(jws: string, trust: Trust, verify: VerifySignature): Promise<Result<Opened, CertificateProblem>> {
  const text = jws.trim();
  const typ = typOf(text);
  if (typ === null) return refuse(problem("not_a_certificate"));
  if (typ.typ !== certificateTyp && typ.typ !== finalCertificateTyp) return refuse(problem("other_kind"));
  if (typ.kid !== trust.certificate.kid) return refuse(problem("other_key"));
  const opened = await verifyJws(text, typ.typ, new Map([[trust.certificate.kid, trust.certificate.key]]), verify);
  return opened ? readCertificate(opened.payload) : refuse(problem("signature"));
}

/** What it says, whoever signed it. */
export function peekCertificate(jws: string): Result<Opened, CertificateProblem> {
  try {
    return readCertificate(fromUtf8(fromBase64Url(jws.trim().split(".")[1] ?? "")));
  } catch {
    return refuse(problem("not_a_certificate"));
  }
}

function readCertificate(payload: string): Result<Opened, CertificateProblem> {
  const value = jsonOrNull(payload);
  const isFinal = typeof value === "object" && value !== null && "first" in value;
  if (isFinal) return shaped(finalCertificateSchema.safeParse(value), (content) => ({ kind: "final", content }));
  return shaped(certificateSchema.safeParse(value), (content) => ({ kind: "first", content }));
}

function shaped<Content>(parsed: z.ZodSafeParseResult<Content>, kind: (content: Content) => Opened): Result<Opened, CertificateProblem> {
  if (parsed.success) return ok(kind(parsed.data));
  return refuse(problem("form", parsed.error.issues[0]?.path.map(String).join(".") || undefined));
}

function typOf(text: string): { readonly typ: unknown; readonly kid: unknown } | null {
  const [head = "", body, signature = "", ...rest] = text.split(".");
  if (body === undefined || rest.length > 0) return null;
  try {
    if (fromBase64Url(signature).length !== signatureBytes) return null;
    const header = jsonOrNull(fromUtf8(fromBase64Url(head)));
    if (typeof header !== "object" || header === null) return null;
    const { typ, kid } = header as { typ?: unknown; kid?: unknown };
    return { typ, kid };
  } catch {
    return null;
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
