/** Puts the directory together: what decides who sits where. On Node the process that is the keeper is this, too, by the keeper's role and writer. */
import type { Side } from "./app.ts";
import { type CommonParts, counted, identityOfOffices, type SideParts, sharedParts, type Ways } from "./assemble.ts";
import { createLoginProviders, directoryRoutes } from "./directory/index.ts";
import { repeatable } from "./idempotency/index.ts";
import type { InFlight } from "./kernel/index.ts";
import { createCeremony } from "./passkeys/index.ts";
import { type DirectoryProfile, logDirectoryTurnedAway, scimRoutes } from "./scim/index.ts";

export function assembleDirectory(common: CommonParts, side: SideParts & Pick<Ways, "databases">, inFlight: InFlight): Side {
  const { database } = side;
  const shared = sharedParts(common, side);
  const door = { ...shared, database, aead: common.aead, identity: identityOfOffices(shared, database) };
  const all = common.issuers.map((issuer) => issuer.id);
  const issuersOf = (vendor: string) => (Object.hasOwn(common.vendors, vendor) ? (common.vendors[vendor]?.issuers ?? []) : all);
  const logins = {
    ...{ providers: createLoginProviders(common.issuers), origin: common.audience, now: common.now },
    ...{ readLogout: shared.readLogout, limits: common.sessions, ceremony: createCeremony(common.audience) },
  };
  const scim = { ...door, origin: common.audience, profileOf: (vendor: string) => profileOf(common.vendors, vendor) };
  return {
    ...{ database, settle: shared.strangers.settle, counted: shared, freshness: common.freshness },
    turnedAway: (away) => logDirectoryTurnedAway(scim, away),
    routes: [...directoryRoutes({ ...door, ...logins, issuersOf, databases: side.databases }), ...scimRoutes(scim)].map((route) =>
      counted(inFlight, repeatable(door, route)),
    ),
  };
}

/** What the operator's file says, or where it is silent the vendor's one issuer. */
function profileOf(vendors: CommonParts["vendors"], vendor: string): DirectoryProfile | null {
  const settings = Object.hasOwn(vendors, vendor) ? vendors[vendor] : undefined;
  if (settings?.scim) return settings.scim;
  const [only, ...others] = settings?.issuers ?? [];
  return only !== undefined && others.length === 0 ? { issuer: only, subject: "external_id" } : null;
}
