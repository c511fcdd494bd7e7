export { type Approval, type ApprovalAction, digestOf, type Person, standingOf } from "./approval.ts";
export { openReasons, type Reasons, requestApproval } from "./approvals.ts";
export { type ApprovalDesk, decideInContract, type Effect } from "./decide.ts";
export { type ExpiryParts, expireApprovals, keylessLogOf } from "./expire.ts";
export { selectApprovals } from "./postgres.ts";
export { refusalOfSilence, type Said, saidOf } from "./reasons.ts";
export { approvalRoutes, approvalSchema, describeApproval } from "./routes.ts";
