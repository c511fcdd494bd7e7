/** Once backups may hold nothing any more, a second certificate says so: once, whatever happens to whoever writes it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseTrust, type Trust } from "../src/audit/index.ts";
import { createSigner, fromBase64, signJws, verifySignature } from "../src/crypto/index.ts";
import {
  certificateDigest,
  type FinalCertificate,
  finalCertificateSchema,
  finalCertificateTyp,
} from "../src/purge/certificate-document.ts";
import { type CertificateVerdict, verifyCertificate } from "../src/purge/verify-certificate.ts";
import { openTestPool } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import { type ApprovedPurge, makeApprovedPurge, runKeeper } from "./support/purge-kill.ts";
import {
  createWorld,
  entriesOf,
  eventsOf,
  fetchCertificate,
  neighbour,
  openGateway,
  populate,
  purge,
  type World,
} from "./support/purge-world.ts";

function finalOf(jws: string): FinalCertificate {
  return finalCertificateSchema.parse(JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString("utf8")));
}

function askFinal({ gateway }: World, job: string, contract = "c-test", as = "owner-1"): Promise<Response> {
  return gateway.call("GET", `/v1/contracts/${contract}/purges/${job}/certificate?which=final`, { as });
}

describe("the second certificate", () => {
  let world: World;
  let trust: Trust;
  let otherTrust: Trust;
  let job: string;
  let first: string;
  let final: string;

  beforeAll(async () => {
    world = await createWorld();
    trust = await populate(world.gateway, { horizon: "0h" });
    otherTrust = await populate(world.gateway, neighbour, 3);
    job = await purge(world.gateway);
    await world.gateway.keeper.tick();
    first = await fetchCertificate(world.gateway, job);
    final = await (await askFinal(world, job)).text();
  });
  afterAll(() => world.close());

  const verify = (jws: string, against: string | null = first, by = trust) => verifyCertificate(jws, by, verifySignature, against);
  const signedAgain = async (change: (content: FinalCertificate) => object): Promise<CertificateVerdict> => {
    const signer = await createSigner(fromBase64(world.secrets.certificate));
    return verify(await signJws(signer, finalCertificateTyp, JSON.stringify(change(finalOf(final)))));
  };

  it("verifies offline, alone and against the first", async () => {
    expect(await verify(final)).toMatchObject({ ok: true, kind: "final", contract: "c-test", job, heldAgainstFirst: true, problems: [] });
    expect(await verify(final, null)).toMatchObject({ ok: true, heldAgainstFirst: false });
    const { horizon, copies, verification } = finalOf(final);
    expect(horizon).toMatchObject({ hours: 0, passed_at: horizon.destroyed_at });
    expect(copies).toEqual({ state: "not attested", assurance: "unknown" });
    expect(verification.map(({ check, result }) => [check, result])).toEqual([
      ["rows", "none left"],
      ["shares", "none left"],
    ]);
  });

  it("is there once, in the log under its digest, and the same bytes for whoever asks", async () => {
    for (let i = 0; i < 3; i++) await world.gateway.keeper.tick();
    const named = (await entriesOf(world.owner, "gateway")).filter(({ event }) => event === "certificate.final");
    expect(named).toHaveLength(1);
    expect(named[0]?.facts).toMatchObject({ job, contract: "c-test" });
    expect(await (await askFinal(world, job, "c-test", "owner-2")).text()).toBe(final);
  });

  it("is nobody else's to read, and not there before its time", async () => {
    expect((await askFinal(world, job, "c-test", "owner-b1")).status).toBe(404);
    expect((await askFinal(world, job, "c-test", "agent-1")).status).toBe(404);
    expect((await world.gateway.call("GET", `/v1/contracts/c-test/purges/${job}/certificate?which=third`, { as: "owner-1" })).status).toBe(
      400,
    );
  });

  it("fails under another contract's trust file, as its own first, under another key, and cut", async () => {
    expect((await verify(final, null, otherTrust)).problems).toMatchObject([{ code: "other_log" }]);
    expect((await verify(final, final)).problems).toMatchObject([{ code: "other_first" }]);
    expect((await verify(final.slice(0, -7))).problems).toMatchObject([{ code: "not_a_certificate" }]);
    const stranger = { ...trust, certificate: { ...trust.certificate, kid: "AAAAAAAAAAAAAAAA" } };
    expect((await verify(final, null, stranger)).problems).toMatchObject([{ code: "other_key" }]);
  });

  it.each<[string, string, (content: FinalCertificate) => object]>([
    ["another first", "unproven", (content) => ({ ...content, first: { ...content.first, digest: `sha256:${"0".repeat(64)}` } })],
    ["another job", "unproven", (content) => ({ ...content, job: "019ab000-0000-7000-8000-000000000000" })],
    ["a longer horizon", "horizon", (content) => ({ ...content, horizon: { ...content.horizon, hours: 24 } })],
    [
      "a later destruction",
      "horizon",
      (content) => ({ ...content, horizon: { ...content.horizon, destroyed_at: "2020-01-01T00:00:00.000Z" } }),
    ],
    [
      "a look before its time",
      "horizon",
      (content) => ({ ...content, horizon: { ...content.horizon, seen_at: "2020-01-01T00:00:00.000Z" } }),
    ],
    ["another merchant", "other_first", (content) => ({ ...content, merchant: "m-other" })],
    ["a look less", "item_missing", (content) => ({ ...content, verification: content.verification.slice(1) })],
    ["an attested age of backups", "unproven", (content) => ({ ...content, copies: { ...content.copies, state: "attested" } })],
    [
      "other sentences",
      "statement",
      (content) => ({ ...content, statement: { ...content.statement, remains: { en: "Nothing.", "zh-CN": "无。" } } }),
    ],
    ["a proven vendor", "form", (content) => ({ ...content, copies: { state: "attested", assurance: "cryptographically proven" } })],
    [
      "a swapped proof",
      "entry_proof",
      ({ log, ...content }) => ({ ...content, log: { ...log, entry: { ...log.entry, proof: log.entry.proof.toReversed() } } }),
    ],
    [
      "another entry",
      "entry_proof",
      ({ log, ...content }) => ({ ...content, log: { ...log, entry: { ...log.entry, index: log.entry.index + 1 } } }),
    ],
    ["another origin", "other_log", ({ log, ...content }) => ({ ...content, log: { ...log, origin: "test/postern/c-test" } })],
  ])("cannot say %s, not even its key's holder", async (_what, code, change) => {
    const { ok, problems } = await signedAgain(change);
    expect([ok, problems.map((found) => found.code)]).toEqual([false, expect.arrayContaining([code])]);
  });
});

describe("a purged contract of which something has come back", () => {
  it("gets no second certificate while it is there, and one once it is gone", async () => {
    const world = await createWorld();
    try {
      await populate(world.gateway, { horizon: "1h" }, 2);
      const job = await purge(world.gateway);
      const first = await fetchCertificate(world.gateway, job);
      await world.owner.query("update postern.certificate set horizon_at = now()");
      await world.owner.query(
        "insert into postern.seat (contract_id, issuer, subject, role, name, likeness) values ('c-test', 'demo', 'agent-1', 'senior', 'x', 'agent-1')",
      );
      await expect(world.gateway.keeper.tick()).rejects.toThrow("rows of a purged contract are in postern.seat");
      expect((await askFinal(world, job)).status).toBe(404);
      await world.owner.query("delete from postern.seat where contract_id = 'c-test'");
      await world.owner.query("update postern.purge_job set lease_until = null");
      await world.gateway.keeper.tick();
      // Somebody moved the date in the database: the certificate itself tells.
      const trust = await world.gateway.call("GET", "/v1/contracts/c-test/trust", { as: "owner-1" });
      const parsed = parseTrust(await trust.text());
      const early = await (await askFinal(world, job)).text();
      const verdict = parsed.ok ? await verifyCertificate(early, parsed.value, verifySignature, first) : null;
      expect(verdict?.problems).toMatchObject([{ code: "horizon" }]);
    } finally {
      await world.close();
    }
  });
});

describe("who writes the second certificate is killed, and two others take it up at once", () => {
  let approved: ApprovedPurge;
  beforeAll(async () => {
    approved = await makeApprovedPurge({ horizon: "0h" });
  });
  afterAll(() => approved.remove());

  const moments = ["before final", "after final", "before certificate.final", "after certificate.final", "before closing", "after closing"];
  it.each(isLong ? moments : ["after final", "after certificate.final"])("%s", { timeout: 60_000 }, async (moment) => {
    const copy = await approved.copy();
    const owner = openTestPool(copy.ownerUrl, { poolSize: 2 });
    try {
      expect(await runKeeper(copy, moment)).toBe("SIGKILL");
      const gateways = await Promise.all([openGateway(copy), openGateway(copy)]);
      const closed = async () => (await owner.query("select closed_at is not null, final_jws, jws from postern.certificate"))[0] ?? [];
      for (let turns = 0; (await closed())[0] !== true; turns++) {
        if (turns > 200) throw new Error("nobody took it up");
        await Promise.all(gateways.map(({ keeper }) => keeper.tick()));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const [, final, first] = await closed();
      expect(await verifyCertificate(String(final), approved.trust, verifySignature, String(first))).toMatchObject({
        ok: true,
        problems: [],
      });
      const named = (await entriesOf(owner, "gateway")).find(({ event }) => event === "certificate.final");
      expect(named?.facts?.digest).toBe(certificateDigest(String(final)));
      expect((await eventsOf(owner, "gateway")).filter((event) => event.startsWith("certificate."))).toEqual([
        "certificate.issued",
        "certificate.final",
      ]);
      await Promise.all(gateways.map((gateway) => gateway.close()));
    } finally {
      await owner.close();
      await copy.remove();
    }
  });
});
