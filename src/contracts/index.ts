export { type Bundles, createBundles } from "./bundles.ts";
export { type Hold, type HoldScope, holdBases, holdsOnSubject, isStanding, namedHolds } from "./holds.ts";
export { type ContractState, type Standing, standingAt, type Term } from "./ladder.ts";
export {
  type Contract,
  hasSeat,
  lockContract,
  makeIrrevocable,
  moveBundle,
  moveEnd,
  moveState,
  type NewContract,
  putBundle,
  putDraft,
  putSeats,
  type Seat,
  type SeatOfPerson,
  selectBundleDigests,
  selectContract,
  selectContractsOf,
  selectOverdue,
  selectSeatsOf,
} from "./postgres.ts";
export { anyHoldStands, holdStandsOn, insertHold, releaseHold, selectHolds, standingHolds } from "./postgres-holds.ts";
