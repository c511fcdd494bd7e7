/** A process that does nothing but feed one sink, until it is killed or everything is delivered: `node pump-process.ts DATABASE_URL SINK_URL`. */
import { createElasticSink, createPump } from "../../src/copies/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";

const [url = "", sinkUrl = ""] = process.argv.slice(2);
const database = openPostgres({ url, poolSize: 2, queueMax: 100, deadlineMs: 10_000, applicationName: "postern-keeper" });
const sink = createElasticSink({ name: "elastic", url: new URL(sinkUrl), index: "postern", apiKey: "k" });
const pump = createPump({ database, sinks: [sink], now: Date.now, random: Math.random });
while (((await pump.standing()).elastic?.waiting ?? 1) > 0) {
  await pump.run();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
await database.close();
