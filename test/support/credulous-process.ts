/**
 * The gateway broken on purpose, for a control: it believes that a commit is on disk whatever the database's settings say.
 * All else is the product, run like `postern`.
 */
import { Pool } from "../../src/storage/pool.ts";

const run = Pool.prototype.run;

Pool.prototype.run = function (text, params, simple) {
  return run.call(this, text.replaceAll("current_setting('synchronous_commit')", "'on'::text"), params, simple);
};

await import("../../src/cli.ts");
