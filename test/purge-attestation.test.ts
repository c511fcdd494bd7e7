/** What the vendor says of its own systems at the end: recorded as said, signed where its key is known, missed aloud where nothing was said. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSigner, keyId, randomBytes, type Signer, signJws, toBase64, toBase64Url, verifySignature } from "../src/crypto/index.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { attestationTyp, attestedText } from "../src/purge/attestations.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { expectStatus } from "./support/agreement.ts";
import {
  approvePurge,
  contentOf,
  createWorld,
  entriesOf,
  fetchCertificate,
  orderPurge,
  populate,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";

interface Systems {
  readonly systems: readonly {
    readonly system: string;
    readonly state: string;
    readonly attestation: { readonly id: string; readonly statement: string; readonly signed: boolean; readonly digest: string } | null;
  }[];
}

describe("a contract that names the vendor's systems", () => {
  let world: World;
  let vendor: Signer;
  let job: string;
  let trust: Awaited<ReturnType<typeof populate>>;
  const call = (method: string, more = "", body?: unknown, as = "owner-1") =>
    world.gateway.call(method, `/v1/contracts/c-test/purges/${job}/attestations${more}`, { as, ...(body === undefined ? {} : { body }) });
  const standing = async () => ((await (await expectStatus(call("GET"), 200)).json()) as Systems).systems;
  const crm = {
    system: "crm",
    statement: "All exports were deleted on 1 December; backups age out by 31 December.",
    signer: "欧阳明, DPO",
  };
  const detached = async (said: typeof crm, signer = vendor) => {
    const text = attestedText({ contract: "c-test" as ContractId, job }, said);
    const [head, , signature] = (await signJws(signer, attestationTyp, text)).split(".");
    return `${head}..${signature}`;
  };

  beforeAll(async () => {
    world = await createWorld();
    vendor = await createSigner(randomBytes(32));
    const key = `{ kty: OKP, crv: Ed25519, x: ${toBase64Url(vendor.publicKey)} }`;
    trust = await populate(world.gateway, { cooling: "24h", more: `vendor_systems: [crm, tickets, call_recorder]\nvendor_key: ${key}\n` });
    ({ job } = await orderPurge(world.gateway));
  });
  afterAll(() => world.close());

  it("hears nothing before two owners agreed to its end", async () => {
    expect((await call("POST", "", crm)).status).toBe(409);
    await approvePurge(world.gateway, job);
    expect((await standing()).map(({ system, state }) => [system, state])).toEqual([
      ["crm", "not_received"],
      ["tickets", "not_received"],
      ["call_recorder", "not_received"],
    ]);
  });

  it("reminds its owners once a day, by name of each system", async () => {
    for (let i = 0; i < 3; i++) await world.gateway.keeper.tick();
    const reminders = async () => (await entriesOf(world.owner, "gateway")).filter(({ event }) => event === "purge.attestation_missing");
    expect((await reminders()).map(({ facts }) => facts?.missing)).toEqual([["crm", "tickets", "call_recorder"]]);
    await world.owner.query("update postern.purge_job set reminded_at = now() - interval '25 hours'");
    await Promise.all([world.gateway.keeper.tick(), world.gateway.keeper.tick()]);
    expect(await reminders()).toHaveLength(2);
  });

  it("records what was said, from an owner alone, with a file or its digest", async () => {
    for (const [as, status] of [
      ["officer", 403],
      ["agent-1", 403],
      ["owner-b1", 404],
    ] as const)
      expect((await call("POST", "", crm, as)).status).toBe(status);
    const file = Buffer.from("deletion protocol");
    const handed = { ...crm, evidence: { name: "protocol.pdf", content: toBase64(file) } };
    const [filed] = ((await (await expectStatus(call("POST", "", handed), 201)).json()) as Systems).systems;
    expect(filed).toMatchObject({
      state: "received",
      attestation: {
        statement: crm.statement,
        signed: false,
        evidence: { name: "protocol.pdf", digest: `sha256:${createHash("sha256").update(file).digest("hex")}` },
      },
    });
    const evidence = await expectStatus(call("GET", `/${filed?.attestation?.id}/evidence`), 200);
    expect(Buffer.from(await evidence.arrayBuffer())).toEqual(file);
    expect((await call("GET", "/other/evidence")).status).toBe(404);
  });

  it("takes the vendor's signature over the very words, and no other", async () => {
    const stranger = await createSigner(randomBytes(32));
    const forged = [
      await detached(crm, stranger),
      await detached({ ...crm, statement: `${crm.statement} ` }),
      (await detached(crm)).replace("..", ".AAAA."),
      "not a jws",
      `${toBase64Url(new TextEncoder().encode(`{"alg":"none","kid":"${keyId(vendor.publicKey)}","typ":"${attestationTyp}"}`))}..`,
    ];
    for (const jws of forged) expect((await call("POST", "", { ...crm, jws })).status).toBe(422);
    await expectStatus(call("POST", "", { ...crm, jws: await detached(crm) }), 201);
    expect((await standing())[0]?.attestation).toMatchObject({ statement: crm.statement, signed: true });
    expect(await world.owner.query("select count(*)::int from postern.attestation where system = 'crm'")).toEqual([[2]]);
  });

  it.each([
    ["a system that the contract does not name", { system: "mail" }],
    ["no statement", { statement: "" }],
    ["no signer", { signer: undefined }],
    ["a digest that is none", { evidence: { name: "a", digest: "sha256:zz" } }],
    ["a file in another spelling of its base64", { evidence: { name: "a", content: "Bi3/R+==" } }],
    ["file and digest", { evidence: { name: "a", digest: `sha256:${"0".repeat(64)}`, content: "AAAA" } }],
    ["an unknown key", { note: "x" }],
  ])("refuses %s", async (_what, change) => {
    expect((await call("POST", "", { ...crm, ...change })).status).toBe(422);
  });

  it("refuses a file over its limit", async () => {
    const evidence = { name: "big", content: toBase64(new Uint8Array(300_000)) };
    expect([413, 422]).toContain((await call("POST", "", { ...crm, evidence })).status);
  });

  it("does not hold up the purge, whose last entry says what was said and what was not", async () => {
    await world.owner.query("update postern.purge_job set not_before = now()");
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).step).toBe("certified");
    const verified = (await entriesOf(world.owner, "c-test")).at(-1);
    const [{ attestation } = { attestation: null }] = await standing();
    expect(verified).toMatchObject({
      event: "purge.verified",
      facts: { attested: [`crm ${attestation?.digest}`], not_attested: ["tickets", "call_recorder"] },
    });
    const [row] = await world.owner.query("select facts::jsonb -> 'attested' -> 0 -> 'attestation' ->> 'signed' from postern.purge_job");
    expect(row).toEqual(["true"]);
    const jws = await fetchCertificate(world.gateway, job);
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    expect(contentOf(jws).attestations.map(({ system, state, assurance }) => [system, state, assurance])).toEqual([
      ["crm", "received", "attested by the vendor"],
      ["tickets", "not received", "unknown"],
      ["call_recorder", "not received", "unknown"],
    ]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("hears what comes late, in the gateway's log", async () => {
    await expectStatus(call("POST", "", { ...crm, system: "tickets" }), 201);
    expect((await standing()).map(({ state }) => state)).toEqual(["received", "received", "not_received"]);
    const late = (await entriesOf(world.owner, "gateway")).findLast(({ event }) => event === "purge.attested");
    expect(late).toMatchObject({ outcome: { code: "recorded" }, facts: { system: "tickets", signed: "no" } });
  });
});
