import { openNodeWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";

describeJourneys("on Node, with PGlite", () => openNodeWorld());
