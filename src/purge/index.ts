export { issueFinalCertificates } from "./final-certificate.ts";
export { orderDuePurges, purgeEffect } from "./order.ts";
export type { PurgeParts } from "./parts.ts";
export { purgeRoutes } from "./routes.ts";
export { runPurges } from "./run.ts";
export { type CertificateVerdict, verifyCertificate } from "./verify-certificate.ts";
