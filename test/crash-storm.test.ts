/**
 * Two hundred writers in three processes, some of whose inserts are rolled back, and two sequencers, all of them killed by turns and at last at once:
 * whatever was promised is in the tree, once, and the tree has no gap. The seed is chosen anew each time, and named where it fails.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileAnchor } from "../src/audit/file-anchor.ts";
import type { Trust } from "../src/audit/trust.ts";
import { createSigner, randomBytes, toBase64 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { createRootKey } from "../src/keys/index.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, verifyLog } from "./support/log-gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { isLong, runsTimeoutMs } from "./support/long.ts";
import { Storm } from "./support/storm.ts";

const strikes = isLong ? 400 : 10;
const promisesBetween = 150;
const processes = { writers: [67, 67, 66], sequencers: 2 };
const timeout = Math.max(runsTimeoutMs, 180_000);

describe("a storm of writers and sequencers that die", { timeout }, () => {
  const secrets = { root: randomBytes(32), edge: randomBytes(32), log: randomBytes(32) };
  const seed = randomInt(2 ** 31);
  const storm = new Storm(seed);
  let world: LogGateway;
  let trust: Trust;
  let anchors: string;

  beforeAll(async () => {
    const keeperWriter = await createSigner(randomBytes(32));
    const edgeWriter = await createSigner(secrets.edge);
    anchors = mkdtempSync(join(tmpdir(), "postern-storm-"));
    world = await createLogGateway({
      common: { root: createRootKey(nodeAead, secrets.root) },
      edge: { writer: edgeWriter },
      keeper: {
        writer: keeperWriter,
        anchor: createFileAnchor(anchors),
        logSigner: await createSigner(secrets.log),
        writers: [edgeWriter.publicKey, keeperWriter.publicKey],
      },
    });
    trust = await agreeOnTrust(world.gateway);
    const common = { root: toBase64(secrets.root), origin: trust.log.name, anchors };
    for (const writers of processes.writers)
      storm.start({ ...common, role: "writers", url: world.urls.edgeUrl, signer: toBase64(secrets.edge), writers });
    for (let i = 0; i < processes.sequencers; i++)
      storm.start({ ...common, role: "sequencer", url: world.urls.keeperUrl, signer: toBase64(secrets.log), writers: 0 });
    await storm.blow(promisesBetween);
    for (let strike = 0; strike < strikes; strike++) {
      await storm.strike((seed + strike * 7) >>> (strike % 5));
      await storm.blow(promisesBetween);
    }
    await storm.end();
    await world.gateway.keeper.sequence();
  }, timeout);
  afterAll(async () => {
    await storm.end();
    await world.close();
    rmSync(anchors, { recursive: true, force: true });
  });

  it("leaves a log that a stranger finds whole, with every promise in it", async () => {
    expect(storm.promises.length).toBeGreaterThan(strikes * promisesBetween);
    const verdict = await verifyLog(world.gateway, trust, { seen: storm.promises });
    expect(verdict, `seed ${seed}`).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    expect(verdict.size).toBeGreaterThanOrEqual(storm.promises.length);
  });

  it("leaves every entry that was accepted in its place, once, and nothing waiting", async () => {
    const accepted = await entriesOf(world);
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(accepted.length);
    const [row] = await world.owner.query(
      `select sum(octet_length(leaf_hashes)) / 32, max(index + octet_length(leaf_hashes) / 32), count(*), count(distinct flush_id),
         (select count(*) from audit.flush where log = 'c-test'), (select count(*) from audit.pending where log = 'c-test')
       from audit.seq where log = 'c-test'`,
    );
    const [places, end, flushes, distinct, stored, waiting] = (row ?? []).map(Number);
    expect({ places, end, flushes, distinct, waiting }, `seed ${seed}`).toEqual({
      places: accepted.length,
      end: accepted.length,
      flushes: stored,
      distinct: stored,
      waiting: 0,
    });
  });

  it("made some writers retire, whose successors name them", async () => {
    const accepted = await entriesOf(world);
    expect(accepted.filter(({ entry }) => entry.writer.after !== undefined).length).toBeGreaterThan(0);
  });
});
