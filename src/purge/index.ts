export { remindOfAttestations } from "./attestations.ts";
export { orderDuePurges, purgeEffect } from "./order.ts";
export type { PurgeParts } from "./parts.ts";
export { purgeRoutes } from "./routes.ts";
export { runPurges } from "./run.ts";
export { planReplay, type Replay, replayTombstones, selectRevived, selectTripped, sweepTripwires } from "./tombstones.ts";
export { type CertificateVerdict, verifyCertificate } from "./verify-certificate.ts";
