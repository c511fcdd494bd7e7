export { sessionId, withSessions } from "./identity.ts";
export {
  challengeSession,
  endSession,
  endSessions,
  forgetEndedSessions,
  insertSession,
  isFresh,
  type SessionLimits,
  selectSessionsOf,
  spendChallenge,
  stepUpSession,
} from "./postgres.ts";
