export { sessionId, withSessions } from "./identity.ts";
export { endSession, forgetEndedSessions, insertSession, lifeHours } from "./postgres.ts";
