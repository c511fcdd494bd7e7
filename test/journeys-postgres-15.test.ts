/** The oldest Postgres that we promise. */
import { existsSync } from "node:fs";
import { debianPostgres15 } from "./support/databases.ts";
import { openOldestPostgresWorld } from "./support/journey-worlds.ts";
import { describeJourneys } from "./support/journeys.ts";
import { isLong } from "./support/long.ts";

describeJourneys("on Node, with Postgres 15", openOldestPostgresWorld, { skip: !isLong || !existsSync(debianPostgres15) });
