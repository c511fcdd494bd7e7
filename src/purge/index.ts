export { type Assurance, type Certificate, certificateDigest, type FinalCertificate } from "./certificate-document.ts";
export { type CertificateProblem, type CertificateProblemCode, certificateProblems } from "./certificate-problems.ts";
export { issueFinalCertificates } from "./final-certificate.ts";
export { type Opened as OpenedCertificate, peekCertificate } from "./open-certificate.ts";
export { orderDuePurges, purgeEffect } from "./order.ts";
export type { PurgeParts } from "./parts.ts";
export { purgeRoutes } from "./routes.ts";
export { runPurges } from "./run.ts";
export { type CertificateVerdict, verifyCertificate } from "./verify-certificate.ts";
