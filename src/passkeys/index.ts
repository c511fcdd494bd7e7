export {
  countUse,
  deletePasskey,
  deletePasskeysOf,
  insertPasskey,
  type Passkey,
  type PasskeyHolder,
  passkeysMax,
  selectPasskeys,
} from "./postgres.ts";
export { type Ceremony, createCeremony } from "./webauthn.ts";
