export { askUpstream, type Ways } from "./ask.ts";
export { openCredential, sealCredential } from "./credential.ts";
export type { DatabaseReach } from "./database.ts";
export { type Examined, examine } from "./examination.ts";
export { putConnector, selectConnector } from "./postgres.ts";
export { isPublicAddress } from "./public-address.ts";
export type { Asked } from "./question.ts";
export { fetchReach, type Reach } from "./reach.ts";
