/** Certificates as they were issued, read without their signature. */
import { type OpenedCertificate, peekCertificate } from "../../src/purge/index.ts";

export function openedOf(jws: string): OpenedCertificate {
  const opened = peekCertificate(jws);
  if (!opened.ok) throw new Error(opened.refusal.reason);
  return opened.value;
}
