export { type Entered, enterContract, enterHouse, logAct, logOfContract, logTurnedAway, type OfficeDoor, type Visit } from "./enter.ts";
export { createOffices, type MerchantOffices, type Office, type OfficeHolder, type Offices } from "./offices.ts";
