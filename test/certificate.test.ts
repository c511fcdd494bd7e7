/** What a reader who trusts nobody but their trust file can believe of a certificate, and what they are not made to believe. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signCheckpoint, type Trust } from "../src/audit/index.ts";
import { createSigner, fromBase64, keyId, signJws, toBase64, verifySignature } from "../src/crypto/index.ts";
import { type Certificate, certificateTyp } from "../src/purge/certificate-document.ts";
import { type CertificateVerdict, verifyCertificate } from "../src/purge/verify-certificate.ts";
import { expectStatus } from "./support/agreement.ts";
import {
  contentOf,
  createWorld,
  customers,
  fetchCertificate,
  makeSecrets,
  neighbour,
  populate,
  purge,
  type World,
} from "./support/purge-world.ts";

let world: World;
let trust: Trust;
let otherTrust: Trust;
let jws: string;
let issued: Certificate;

beforeAll(async () => {
  world = await createWorld();
  trust = await populate(world.gateway);
  otherTrust = await populate(world.gateway, neighbour, 3);
  await holdAndRelease();
  jws = await fetchCertificate(world.gateway, await purge(world.gateway));
  issued = contentOf(jws);
});
afterAll(() => world.close());

/** By one owner, and lifted by two: the certificate tells of both. */
async function holdAndRelease(): Promise<void> {
  const { gateway } = world;
  const path = "/v1/contracts/c-test/holds";
  const body = { scope: "contract", basis: "litigation", note: "case 12", authority: "杭州互联网法院", expires_at: null };
  const { hold } = (await (await expectStatus(gateway.call("POST", path, { as: "owner-1", body }), 201)).json()) as { hold: string };
  const asked = await expectStatus(gateway.call("POST", `${path}/${hold}/release`, { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}

function verify(text: string, by: Trust = trust): Promise<CertificateVerdict> {
  return verifyCertificate(text, by, verifySignature);
}

/** `path`: names and places on the way to a leaf. */
function leavesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

/** Another value of the same form, where its form is one that a schema holds it to. */
function otherLeaf(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value !== "string") return "x";
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return `1${value.slice(1)}`;
  return /^sha256:/.test(value) ? value.replace(/.$/, (last) => (last === "0" ? "1" : "0")) : `${value}x`;
}

function changedAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return otherLeaf(value);
  if (Array.isArray(value)) return value.map((inner, i) => (String(i) === name ? changedAt(inner, rest) : inner));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === name ? changedAt(inner, rest) : inner]));
}

function withPayload(content: unknown): string {
  const [head, , signature] = jws.split(".");
  return `${head}.${Buffer.from(JSON.stringify(content)).toString("base64url")}.${signature}`;
}

/** By the true certificate key: what even its holder cannot say against the log. */
async function signedAgain(content: Certificate): Promise<CertificateVerdict> {
  const signer = await createSigner(fromBase64(world.secrets.certificate));
  return verify(await signJws(signer, certificateTyp, JSON.stringify(content)));
}

/** What the log does not hold, and the certificate therefore never calls proven. docs/CERTIFICATE.md says so of each. */
const gatewaysWord = [
  "agreement.digest",
  "agreement.ends_at",
  "agreement.purge_due_at",
  "attestations.[].system",
  "law.[]",
  "merchant",
  "order.approved_by.issuer",
  "order.approved_by.subject",
  "order.requested_by.issuer",
  "order.requested_by.subject",
  "shares.[].place",
  "stays.[].reason",
  "stays.[].table",
  "vendor",
];

describe("a certificate as it was issued", () => {
  it("verifies with the file and the trust file alone", async () => {
    expect(await verify(jws)).toMatchObject({ ok: true, contract: "c-test", statement: issued.statement, problems: [] });
    expect(await verify(`\n${jws}\n`)).toMatchObject({ ok: true });
    expect((await signedAgain(issued)).ok).toBe(true);
  });

  it("is the same bytes however often it is fetched", async () => {
    expect(await fetchCertificate(world.gateway, issued.job, "c-test", "owner-2")).toBe(jws);
  });

  it("tells of a legal hold and how it ended, as the log has it", () => {
    expect(issued.holds).toMatchObject([{ scope: "contract", basis: "litigation", state: "released", until: null }]);
  });

  it("names no customer", () => {
    const entries = issued.log.entries.map(({ bytes }) => Buffer.from(bytes, "base64").toString("utf8"));
    const text = JSON.stringify({ ...issued, log: { ...issued.log, entries } });
    expect(text).toContain("purge.rows.done");
    for (const { name = "", phone = "" } of customers(20)) expect([text.includes(name), text.includes(phone)]).toEqual([false, false]);
  });
});

describe("a certificate that somebody changed", () => {
  it("fails at every single value in it", async () => {
    const leaves = leavesOf(issued);
    expect(leaves.length).toBeGreaterThan(100);
    for (const path of leaves) expect([path, (await verify(withPayload(changedAt(issued, path)))).ok]).toEqual([path, false]);
  });

  it("fails at every changed character of its text", async () => {
    for (let at = 0; at < jws.length; at += Math.ceil(jws.length / 400)) {
      const other = jws[at] === "A" ? "B" : "A";
      expect((await verify(`${jws.slice(0, at)}${other}${jws.slice(at + 1)}`)).ok).toBe(false);
    }
    for (const text of ["", ".", "..", jws.slice(0, -1), `${jws}.x`, jws.replace(".", ""), "{}"])
      expect((await verify(text)).ok).toBe(false);
  });

  it("fails under another contract's trust file", async () => {
    expect(await verify(jws, otherTrust)).toMatchObject({
      ok: false,
      problems: [{ code: "checkpoint" }],
    });
  });

  it("fails under another certificate key, also where that key takes the trusted one's name", async () => {
    const stranger = await createSigner(fromBase64(makeSecrets().certificate));
    const forged = await signJws(stranger, certificateTyp, JSON.stringify(issued));
    expect((await verify(forged)).ok).toBe(false);
    const named = JSON.stringify({ alg: "EdDSA", kid: trust.certificate.kid, typ: certificateTyp });
    const [, body, signature] = forged.split(".");
    expect((await verify(`${Buffer.from(named).toString("base64url")}.${body}.${signature}`)).ok).toBe(false);
    expect((await verify(jws, { ...trust, certificate: { kid: keyId(stranger.publicKey), key: stranger.publicKey } })).ok).toBe(false);
  });

  it("fails as another kind of signed text, or without an algorithm", async () => {
    const signer = await createSigner(fromBase64(world.secrets.certificate));
    expect((await verify(await signJws(signer, "postern-head", JSON.stringify(issued)))).ok).toBe(false);
    const none = Buffer.from(JSON.stringify({ alg: "none", kid: trust.certificate.kid, typ: certificateTyp })).toString("base64url");
    expect((await verify(`${none}.${jws.split(".")[1]}.`)).ok).toBe(false);
  });
});

describe("a holder of the certificate key says what the log does not hold", () => {
  it("any field but those that are the gateway's own word", async () => {
    const { log: _log, ...fields } = issued;
    const believed = new Set<string>();
    for (const path of leavesOf(fields)) {
      const verdict = await signedAgain(changedAt(issued, path) as Certificate);
      if (verdict.ok) believed.add(path.map((name) => (/^\d+$/.test(name) ? "[]" : name)).join("."));
    }
    expect([...believed].sort()).toEqual(gatewaysWord);
  });

  it.each<[string, (content: Certificate) => Certificate]>([
    [
      "other counts before",
      (content) => ({ ...content, scope: { ...content.scope, before: { ...content.scope.before, "postern.record": 19 } } }),
    ],
    [
      "other counts after",
      (content) => ({ ...content, scope: { ...content.scope, after: { ...content.scope.after, "postern.record": 1 } } }),
    ],
    ["fewer tables", (content) => ({ ...content, scope: { ...content.scope, before: {}, after: {} } })],
    ["another share A", (content) => ({ ...content, keys: content.keys.map((key) => ({ ...key, share_a: key.share_b })) })],
    ["another share B", (content) => ({ ...content, keys: content.keys.map((key) => ({ ...key, share_b: key.share_a })) })],
    [
      "a hold that never was lifted",
      (content) => ({ ...content, holds: content.holds.map((hold) => ({ ...hold, state: "not released" as const })) }),
    ],
    ["no hold", (content) => ({ ...content, holds: [] })],
    [
      "a statement that was never received",
      (content) => ({
        ...content,
        attestations: content.attestations.map((row) => ({
          ...row,
          state: "received" as const,
          statement: `sha256:${"0".repeat(64)}`,
          received_at: "2026-01-01T00:00:00.000Z",
          assurance: "attested by the vendor" as const,
        })),
      }),
    ],
    [
      "a return that was never acknowledged",
      (content) => ({
        ...content,
        returned: {
          ...content.returned,
          state: "acknowledged" as const,
          digest: `sha256:${"0".repeat(64)}`,
          acknowledged_at: "2026-01-01T00:00:00.000Z",
        },
      }),
    ],
    ["a look without its negative control", (content) => ({ ...content, verification: content.verification.slice(1) })],
    ["a method less", (content) => ({ ...content, methods: content.methods.slice(1) })],
    ["no share", (content) => ({ ...content, keys: [] })],
    ["a share more", (content) => ({ ...content, keys: [...content.keys, ...content.keys] })],
    ["another job", (content) => ({ ...content, job: "019ab000-0000-7000-8000-000000000000" })],
    ["another contract", (content) => ({ ...content, contract: "c-other" })],
    ["another order", (content) => ({ ...content, order: { ...content.order, digest: `sha256:${"0".repeat(64)}` } })],
    ["another basis", (content) => ({ ...content, basis: "term_ended" })],
    ["another origin", (content) => ({ ...content, log: { ...content.log, origin: "test/postern/c-other" } })],
  ])("%s", async (_what, change) => {
    const verdict = await signedAgain(change(issued));
    expect(verdict.ok).toBe(false);
    expect(verdict.problems).not.toEqual([]);
  });

  it("any entry left out", async () => {
    const { entries } = issued.log;
    const tolerated: string[] = [];
    for (const left of entries) {
      const content = { ...issued, log: { ...issued.log, entries: entries.filter((entry) => entry !== left) } };
      if ((await signedAgain(content)).ok) tolerated.push(left.bytes);
    }
    expect(entries).toHaveLength(20);
    expect(tolerated).toEqual([]);
  });

  it("any entry twice, or in another's place, or with other bytes", async () => {
    const { entries } = issued.log;
    for (const [i, entry] of entries.entries()) {
      const withEntries = (changed: Certificate["log"]["entries"]) => signedAgain({ ...issued, log: { ...issued.log, entries: changed } });
      expect((await withEntries([...entries, entry])).ok).toBe(false);
      expect((await withEntries(entries.with(i, { ...entry, index: entry.index + 1 }))).ok).toBe(false);
      const text = Buffer.from(entry.bytes, "base64").toString("utf8").replace('"v":1', '"v":2');
      expect((await withEntries(entries.with(i, { ...entry, bytes: toBase64(Buffer.from(text)) }))).ok).toBe(false);
      expect((await withEntries(entries.with(i, { ...entry, bytes: `${entry.bytes.slice(0, -4)}Bi==` }))).ok).toBe(false);
      expect((await withEntries(entries.with(i, { ...entry, proof: entry.proof.slice(1) }))).ok).toBe(false);
    }
  });

  it("a final checkpoint that the log key did not sign", async () => {
    const stranger = await createSigner(fromBase64(makeSecrets().log));
    const { origin, entries } = issued.log;
    const size = (entries.at(-1)?.index ?? 0) + 1;
    const checkpoint = await signCheckpoint({ origin, size, root: new Uint8Array(32), extensions: [] }, stranger);
    expect((await signedAgain({ ...issued, log: { ...issued.log, checkpoint } })).ok).toBe(false);
  });

  it("an earlier checkpoint of the same log", async () => {
    const rows = await world.owner.query("select note from audit.checkpoint where log = 'c-test' order by size desc offset 1");
    expect(rows.length).toBeGreaterThan(3);
    for (const [note] of rows) expect((await signedAgain({ ...issued, log: { ...issued.log, checkpoint: String(note) } })).ok).toBe(false);
  });
});
