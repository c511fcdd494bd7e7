import { expect, it } from "vitest";
import { createMemoryDatabase } from "./support/databases.ts";
import { createGateway, createMemoryAnchor } from "./support/gateway.ts";
import { openNodeWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";
import { isLong } from "./support/long.ts";
import { watchRoutes } from "./support/watch-routes.ts";
import { journeyBeforeThePurge, journeyToANewEpoch, journeyToTheCertificate } from "./support/whole-journey.ts";

describeJourneys("on Node, with PGlite", async () => openNodeWorld({ database: await createMemoryDatabase() }), { skip: !isLong });

// Its one session is what differs: whoever waits in a transaction for another one waits for ever.
it("on PGlite each documented route answers, up to a certificate and a new epoch of the log", async () => {
  const anchor = createMemoryAnchor();
  const gateway = await watchRoutes(await createGateway({ database: await createMemoryDatabase(), keeper: { anchor } }));
  await journeyBeforeThePurge(gateway);
  await journeyToTheCertificate(gateway);
  await journeyToANewEpoch(gateway, anchor, "gateway");
  expect({ unserved: gateway.unserved(), faults: gateway.faults }).toEqual({ unserved: [], faults: [] });
  await gateway.close();
});
