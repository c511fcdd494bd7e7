import { openNodeWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";
import { isLong } from "./support/long.ts";

// Nearly every other test is on it.
describeJourneys("on Node, with PGlite", () => openNodeWorld(), { skip: !isLong });
