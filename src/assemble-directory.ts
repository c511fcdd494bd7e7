/** Puts the directory together: what decides who sits where. On Node the process that is the keeper is this, too, by the keeper's role and writer. */
import type { Side } from "./app.ts";
import { type CommonParts, counted, type SideParts, sharedParts } from "./assemble.ts";
import { directoryRoutes } from "./directory/index.ts";
import { repeatable } from "./idempotency/index.ts";
import type { InFlight } from "./kernel/index.ts";
import { logTurnedAway } from "./offices/index.ts";
import { type DirectoryProfile, logDirectoryTurnedAway, scimRoutes } from "./scim/index.ts";
import { withServiceKeys } from "./service-keys/index.ts";

export function assembleDirectory(common: CommonParts, side: SideParts, inFlight: InFlight): Side {
  const { database } = side;
  const shared = sharedParts(common, side);
  const door = { ...shared, database, aead: common.aead, identity: withServiceKeys(shared.identity, database) };
  const all = common.issuers.map((issuer) => issuer.id);
  const issuersOf = (vendor: string) => (Object.hasOwn(common.vendors, vendor) ? (common.vendors[vendor]?.issuers ?? []) : all);
  const scim = { ...door, origin: common.audience, profileOf: (vendor: string) => profileOf(common.vendors, vendor) };
  const ofScim = scimRoutes(scim);
  const ofDirectories = new Set(ofScim.filter((route) => route.refusalForm).map(({ method, path }) => `${method} ${path}`));
  return {
    ...{ database, settle: shared.strangers.settle, counted: shared, freshness: common.freshness },
    turnedAway: ({ caller, refusal, contract, vendor }) =>
      ofDirectories.has(caller.request.route)
        ? logDirectoryTurnedAway(scim, caller, vendor, refusal.code)
        : logTurnedAway(door, caller, { code: refusal.code, contract }),
    routes: [...directoryRoutes({ ...door, issuersOf }), ...ofScim].map((route) => counted(inFlight, repeatable(door, route))),
  };
}

/** What the operator's file says, or where it is silent the vendor's one issuer. */
function profileOf(vendors: CommonParts["vendors"], vendor: string): DirectoryProfile | null {
  const settings = Object.hasOwn(vendors, vendor) ? vendors[vendor] : undefined;
  if (settings?.scim) return settings.scim;
  const [only, ...others] = settings?.issuers ?? [];
  return only !== undefined && others.length === 0 ? { issuer: only, subject: "external_id" } : null;
}
