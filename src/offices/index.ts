export {
  type Entered,
  enterContract,
  enterHouse,
  enterOperations,
  type House,
  logAct,
  logOfContract,
  logTurnedAway,
  type OfficeDoor,
  type Operating,
  turnDown,
  type Visit,
} from "./enter.ts";
export { admittedTo } from "./matrix.ts";
export {
  createOffices,
  type MerchantOffices,
  type Office,
  type OfficeHolder,
  type OfficeSettings,
  type Offices,
  type Organisation,
} from "./offices.ts";
