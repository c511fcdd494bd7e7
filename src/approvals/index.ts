export { type Approval, type ApprovalAction, digestOf, type Person } from "./approval.ts";
export { requestApproval } from "./approvals.ts";
export { type ApprovalDesk, decideInContract, type Effect } from "./decide.ts";
export { type ExpiryParts, expireApprovals } from "./expire.ts";
export { selectApprovals } from "./postgres.ts";
export { refusalOfSilence, type Said, saidOf } from "./reasons.ts";
export { approvalRoutes, approvalSchema, describeApproval } from "./routes.ts";
