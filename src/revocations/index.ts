export { withRevocations } from "./identity.ts";
export {
  forgetExpiredRevocations,
  isRevokedText,
  isVendorRevoked,
  putRevocation,
  type Revocation,
  type RevocationKind,
  type Revoked,
  removeRevocation,
  selectRevocation,
  selectRevocations,
} from "./postgres.ts";
export { revocationKinds } from "./schema.ts";
