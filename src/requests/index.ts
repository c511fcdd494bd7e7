export { closeRequest, insertRequest, type SubjectRequest, selectRequest, selectRequests } from "./postgres.ts";
export { newRequest, noteMax, openNote, type RequestKind, type RequestOutcome, requestKinds, requestOutcomes } from "./request.ts";
