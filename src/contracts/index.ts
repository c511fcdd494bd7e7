export { type Bundles, createBundles } from "./bundles.ts";
export { type ContractState, type Standing, standingAt, type Term } from "./ladder.ts";
export {
  type Contract,
  hasSeat,
  lockContract,
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
