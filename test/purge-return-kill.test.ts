/** A return whose process is killed (SIGKILL) while it seals, and taken up by another: every record comes back, each once, and one digest is named. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySignature } from "../src/crypto/index.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { openTestPool } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import type { Moment } from "./support/purge-child.ts";
import { type ApprovedPurge, certificateIn, makeApprovedPurge, runKeeper } from "./support/purge-kill.ts";
import { entriesOf, openGateway, stateOf } from "./support/purge-world.ts";
import { acknowledge, fetchReturn, type MerchantKey, makeMerchantKey } from "./support/returned.ts";

const records = 260;
const moments: readonly Moment[] = [
  "uncommitted part of purge.return.intent",
  "committed part of purge.return.intent",
  "uncommitted receipt of purge.return.intent",
  "committed receipt of purge.return.intent",
  "before purge.return.sealed",
  "after purge.return.sealed",
];

let key: MerchantKey;
let approved: ApprovedPurge;
beforeAll(async () => {
  key = await makeMerchantKey();
  approved = await makeApprovedPurge({ purge: `, return: { to: ${JSON.stringify(key.jwk)} }` }, records);
});
afterAll(() => approved.remove());

describe.concurrent("a return is killed and taken up by another process", () => {
  it.each(isLong ? moments : ["committed part of purge.return.intent", "after purge.return.sealed"])(
    "%s",
    { timeout: 60_000 },
    async (moment) => {
      const copy = await approved.copy();
      const owner = openTestPool(copy.ownerUrl, { poolSize: 2 });
      expect(await runKeeper(copy, moment)).toBe("SIGKILL");
      const gateway = await openGateway(copy);
      const until = async (holds: () => Promise<boolean>) => {
        for (let turns = 0; !(await holds()); turns++) {
          if (turns > 200) throw new Error("the purge stands still");
          await gateway.keeper.tick();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      await until(async () => (await entriesOf(owner, "c-test")).some(({ event }) => event === "purge.return.sealed"));
      const fetched = await fetchReturn(gateway, approved.job, key);
      expect(fetched.records.map(({ id }) => id).sort()).toEqual(Array.from({ length: records }, (_, i) => `U${i}`).sort());
      expect((await acknowledge(gateway, approved.job, fetched.shown.digest)).status).toBe(200);
      await until(async () => (await stateOf(owner)).step === "certified");
      const said = (await entriesOf(owner, "c-test")).filter(({ event }) => event.startsWith("purge.return."));
      expect(said.map(({ event }) => event)).toEqual(["purge.return.intent", "purge.return.sealed", "purge.return.done"]);
      for (const { facts } of said.slice(1)) expect(facts).toMatchObject({ digest: fetched.shown.digest, counts: { parts: 2, records } });
      const [jws = ""] = await certificateIn(owner);
      expect(await verifyCertificate(jws, approved.trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
      await Promise.all([gateway.close(), owner.close()]);
      await copy.remove();
    },
  );
});
