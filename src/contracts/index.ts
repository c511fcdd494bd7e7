export { type Bundles, createBundles } from "./bundles.ts";
export { type ContractState, type Standing, standingAt, type Term } from "./ladder.ts";
export {
  type Contract,
  hasSeat,
  lockContract,
  moveEnd,
  moveState,
  type NewContract,
  putDraft,
  putSeats,
  type Seat,
  type SeatOfPerson,
  selectContract,
  selectContractsOf,
  selectOverdue,
  selectSeatsOf,
} from "./postgres.ts";
