import { openPostgresWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";

describeJourneys("on Node, with Postgres 18", openPostgresWorld);
