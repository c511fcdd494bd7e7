/** Puts the directory together: what decides who sits where. On Node the process that is the keeper is this, too, by the keeper's role and writer. */
import type { Side } from "./app.ts";
import { type CommonParts, counted, type SideParts, sharedParts } from "./assemble.ts";
import { directoryRoutes } from "./directory/index.ts";
import { repeatable } from "./idempotency/index.ts";
import type { InFlight } from "./kernel/index.ts";
import { logTurnedAway } from "./offices/index.ts";
import { withServiceKeys } from "./service-keys/index.ts";

export function assembleDirectory(common: CommonParts, side: SideParts, inFlight: InFlight): Side {
  const { database } = side;
  const shared = sharedParts(common, side);
  const door = { ...shared, database, aead: common.aead, identity: withServiceKeys(shared.identity, database) };
  const all = common.issuers.map((issuer) => issuer.id);
  const issuersOf = (vendor: string) => (Object.hasOwn(common.vendors, vendor) ? (common.vendors[vendor]?.issuers ?? []) : all);
  return {
    ...{ database, settle: shared.strangers.settle, counted: shared, freshness: common.freshness },
    turnedAway: ({ caller, refusal, contract }) => logTurnedAway(door, caller, { code: refusal.code, contract }),
    routes: directoryRoutes({ ...door, issuersOf }).map((route) => counted(inFlight, repeatable(door, route))),
  };
}
