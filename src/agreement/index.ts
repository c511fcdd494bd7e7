export { type ActivationParts, activationEffect } from "./activate.ts";
export { policyEffect } from "./change-policy.ts";
export { lookAtClock, tickAgreements } from "./clock.ts";
export { releaseEffect } from "./holds.ts";
export { rolesEffect } from "./role-grants.ts";
export { type AgreementDesk, agreementRoutes } from "./routes.ts";
export { resumeEffect } from "./suspend.ts";
export { termsEffect } from "./terms.ts";
export type { TrustKeys } from "./trust.ts";
