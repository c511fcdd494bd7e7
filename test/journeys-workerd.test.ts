import { openWorkerdWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";

describeJourneys("in workerd, edge, directory and keeper, with Postgres 18", openWorkerdWorld);
