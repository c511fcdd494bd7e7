export { type Bundles, createBundles } from "./bundles.ts";
export { type ClockStanding, describeDoubt } from "./clock.ts";
export { type Hold, type HoldBasis, type HoldScope, holdBases, holdsOnSubject, isStanding, namedHolds, sparedBy } from "./holds.ts";
export { type ContractState, isInLastDays, lastDaysAt, type Standing, standingAt, type Term, windsDownAt } from "./ladder.ts";
export { likenessOf } from "./likeness.ts";
export { faultOfSubject, startsFormula, visible } from "./names.ts";
export {
  type Contract,
  giveBack,
  lockContract,
  makeIrrevocable,
  moveBundle,
  moveEnd,
  moveState,
  type NewContract,
  noteTold,
  putBundle,
  putDraft,
  putProposal,
  selectBundleDigests,
  selectContract,
  selectContractsOf,
  selectContractsWith,
  selectInUse,
  selectProposal,
  selectPurgeDue,
  setSuspended,
  shareContract,
  takeEnded,
  takeUnannounced,
  takeUnopened,
} from "./postgres.ts";
export { acceptClock, beatClock, selectClock } from "./postgres-clock.ts";
export { anyHoldStands, holdStandsOn, insertHold, releaseHold, selectHolds, standingHolds } from "./postgres-holds.ts";
export {
  approveRoles,
  hasSeat,
  isSeatStandingText,
  type ListedSeat,
  putSeats,
  restoreSeat,
  revokeSeat,
  type Seat,
  type SeatKeeper,
  type SeatOfPerson,
  selectSeated,
  selectSeats,
  selectSeatsOf,
  selectUnapproved,
} from "./postgres-seats.ts";
