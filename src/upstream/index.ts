export { type Asked, askUpstream, type Way } from "./ask.ts";
export { openCredential, sealCredential } from "./credential.ts";
export { type CursorPlace, openCursor, sealCursor } from "./cursor.ts";
export { createGates, type GatePlace, type Gates } from "./gates.ts";
export { addRefusal, deleteConnector, type ListedConnector, putConnector, selectConnector, selectConnectors } from "./postgres.ts";
export { isPublicAddress } from "./public-address.ts";
export { fetchReach, type Reach } from "./reach.ts";
export { answerWrite, claimWrite, forgetWrites, freeWrite, type KeyedWrite, keyWrite, openWritten } from "./repeats.ts";
export { readTaobaoCredential } from "./taobao-query.ts";
