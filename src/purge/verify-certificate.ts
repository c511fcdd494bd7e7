/**
 * Verifies a certificate with nothing but the file and the reader's trust file:
 * signature → form → the log's proofs → every field that the log knows of → the plain sentences. What it does not check: whether the world is as the gateway saw it. That is what the levels of assurance say.
 */
import type { Trust } from "../audit/index.ts";
import type { VerifySignature } from "../crypto/index.ts";
import type { Certificate, FinalCertificate } from "./certificate-document.ts";
import type { CertificateProblem } from "./certificate-problems.ts";
import { openCertificate } from "./open-certificate.ts";
import { checkFinal } from "./verify-final.ts";
import { checkFirst } from "./verify-first.ts";

export interface CertificateVerdict {
  readonly ok: boolean;
  readonly kind: "first" | "final" | null;
  readonly contract: string | null;
  readonly job: string | null;
  readonly statement: Certificate["statement"] | FinalCertificate["statement"] | null;
  /** Of a final certificate: whether it was held against the first. */
  readonly heldAgainstFirst: boolean;
  readonly problems: readonly CertificateProblem[];
}

/** `first`: the certificate of the purge itself, to hold a final one against; `null` = not given. */
export async function verifyCertificate(
  jws: string,
  trust: Trust,
  verify: VerifySignature,
  first: string | null = null,
): Promise<CertificateVerdict> {
  const opened = await openCertificate(jws, trust, verify);
  if (!opened.ok)
    return { ok: false, kind: null, contract: null, job: null, statement: null, heldAgainstFirst: false, problems: [opened.refusal] };
  const { kind, content } = opened.value;
  const { contract, job, statement } = content;
  const problems = kind === "first" ? await checkFirst(content, trust, verify) : await checkFinal(content, { trust, verify, first });
  return { ok: problems.length === 0, kind, contract, job, statement, heldAgainstFirst: kind === "final" && first !== null, problems };
}
