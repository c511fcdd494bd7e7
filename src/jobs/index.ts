export { ensureEntry, type JobEntry, type JobLog } from "./entries.ts";
export { type JobKind, LeaseLost, runJobs } from "./lease.ts";
export { leaseEnd, leaseIsFree } from "./postgres.ts";
