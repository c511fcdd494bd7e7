/**
 * Everything that somebody comes for, on one gateway: every route once, with an answer that is not a refusal; what is refused; and the keeper's loops.
 * In two halves, so that a test can look at the database before the purge and after it.
 */
import type { Anchor } from "../../src/audit/index.ts";
import { parsePromise } from "../../src/audit/promise.ts";
import { extendRange } from "../../src/audit/tree.ts";
import { because, bringIntoForce, contractText, expectStatus, importLines, search, shippedPolicy } from "./agreement.ts";
import { canaryCustomer, canaryElsewhere, canaryOrder } from "./canaries.ts";
import { approveRoles, breakGlass, holdAndRelease, rejectOne } from "./four-eyes.ts";
import type { Gateway } from "./gateway.ts";
import { acknowledge, fetchReturn, makeMerchantKey } from "./returned.ts";
import { provision } from "./scim.ts";
import { askShop } from "./shop.ts";

const contract = "/v1/contracts/c-test";
const customers = `${contract}/records/customer`;
const agreement = {
  more: "vendor_systems: [crm]\nseats: { second_owner: [senior] }\n",
  purposes: "{ after_sales: {}, emergency: { break_glass: { minutes: 5 } } }",
};
const encoded = encodeURIComponent(canaryElsewhere);

/** From a draft to an export. */
export async function journeyBeforeThePurge(gateway: Gateway): Promise<void> {
  await bringIntoForce(gateway, agreement);
  await approveRoles(gateway);
  await rejectOne(gateway);
  await importLines(gateway, [canaryCustomer, { id: "U2", name: "Al" }]);
  await importLines(gateway, [canaryCustomer, { ...canaryCustomer, id: "U3" }]);
  await importLines(gateway, [canaryOrder], { type: "order" });
  await importLines(gateway, `{"id":"${canaryElsewhere}\n"${canaryElsewhere}"\n{"id":{"${canaryElsewhere}":1}}\n`);
  await lookAround(gateway);
  await askShop(gateway);
  await changePolicy(gateway);
  await answerCustomers(gateway);
  for (const path of ["/healthz", "/readyz"]) await expectStatus(gateway.call("GET", path), 200);
  await expectStatus(gateway.call("GET", "/metrics", { as: "operator" }), 200);
  for (const path of ["/v1/contracts", contract, `${contract}/trust`, "/v1/approvals"])
    await expectStatus(gateway.call("GET", path, { as: "owner-1" }), 200);
  await gateway.keeper.tick();
  await gateway.keeper.sequence();
  await oversee(gateway);
  await readTheLog(gateway);
}

/** An agent looks, finds, misses and is refused. */
async function lookAround(gateway: Gateway): Promise<void> {
  await expectStatus(gateway.call("GET", "/v1/me", { as: "agent-1" }), 200);
  const { id, phone, email } = canaryCustomer;
  const [found] = (await search(gateway, { id })).records;
  for (const by of [{ phone }, { email }, { email: `${canaryElsewhere}@example.com` }, { id: canaryElsewhere }]) await search(gateway, by);
  await search(gateway, { tracking_no: canaryOrder.tracking_no }, { type: "order" });
  const headers = { "user-agent": canaryElsewhere.replace(/[^\x20-\x7e]/g, ""), "postern-ticket": "kanarie-zq7w" };
  await expectStatus(gateway.call("GET", `${customers}/${found?.locator}`, { as: "agent-2", headers }), 200);
  const refused: [string, string, number][] = [
    [`${customers}/${encoded}`, "agent-1", 400],
    [`${customers}/r_${"a".repeat(26)}`, "agent-1", 404],
    [`/v1/contracts/c-absent/records/customer/${found?.locator}`, "agent-1", 404],
    [`${customers}/${found?.locator}`, "stranger", 404],
    [`${contract}/audit/entries`, "agent-1", 403],
  ];
  for (const [path, as, status] of refused) await expectStatus(gateway.call("GET", path, { as }), status);
}

/** An officer searches the log by everything that it can be searched by, turns a page, and takes it away. */
async function oversee(gateway: Gateway): Promise<void> {
  const [found] = (await search(gateway, { id: canaryCustomer.id })).records;
  await gateway.keeper.sequence();
  const entries = `${contract}/audit/entries`;
  const day = "from=2020-01-01T00:00:00Z&to=2098-01-01T00:00:00Z";
  const kinds = "event=record.read&purpose=after_sales&field=phone&treatment=mask";
  for (const query of ["actor=demo/agent-1", `subject=${found?.locator}`, "effect=deny", day, kinds])
    await expectStatus(gateway.call("GET", `${entries}?${query}`, { as: "officer" }), 200);
  const page = await expectStatus(gateway.call("GET", `${entries}?limit=2`, { as: "officer" }), 200);
  const { next } = (await page.json()) as { next: string };
  await expectStatus(gateway.call("GET", `${entries}?limit=2&cursor=${encodeURIComponent(next)}`, { as: "officer" }), 200);
  const person = { type: "customer", id: canaryCustomer.id };
  await expectStatus(gateway.call("POST", `${contract}/audit/subjects`, { as: "officer", body: person }), 200);
  await (await expectStatus(gateway.call("GET", `${contract}/audit/tail`, { as: "officer" }), 200)).body?.cancel();
  await (await expectStatus(gateway.call("GET", `${contract}/audit/export?format=bundle`, { as: "officer" }), 200)).arrayBuffer();
  for (const format of ["csv", "ocsf", "cef", "syslog"]) {
    const copy = await expectStatus(gateway.call("GET", `${contract}/audit/export?format=${format}`, { as: "officer" }), 200);
    const { byteLength } = await copy.arrayBuffer();
    const asked = `format=${format}&bytes=${byteLength}&cursor=${copy.headers.get("export-cursor")}`;
    await expectStatus(gateway.call("GET", `${contract}/audit/export/manifest?${asked}`, { as: "officer" }), 200);
  }
}

/** Narrower by one owner, as it was by two; what is in force is read before and between. */
async function changePolicy(gateway: Gateway): Promise<void> {
  const shipped = shippedPolicy("cs-standard");
  const put = (text: string) => {
    const files = { contract: { name: "contract.yaml", text: contractText(agreement) }, policy: { name: "policy.yaml", text } };
    return gateway.call("PUT", `${contract}/policy`, { as: "owner-1", body: files, ...because });
  };
  await expectStatus(put(shipped.replace("      name: mask", "      name: withhold")), 200);
  const asked = await expectStatus(put(shipped), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("GET", `${contract}/policy`, { as: "officer" }), 200);
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}

/** By anybody, by an officer, and by the agent whose promise it was. */
async function readTheLog(gateway: Gateway): Promise<void> {
  const { headers } = await gateway.call("POST", `${customers}/search`, { as: "agent-1", body: { by: { id: canaryCustomer.id } } });
  const promise = parsePromise(headers.get("audit-promise") ?? "");
  for (const as of ["agent-1", "officer"])
    await expectStatus(gateway.call("GET", `/log/c-test/receipt/${promise?.id}`, { as, headers: { prefer: "wait=2" } }), 200);
  for (const path of ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "proof/0", "consistency?from=1", "policy"])
    await expectStatus(gateway.call("GET", `/log/c-test/${path}`, { as: "officer" }), 200);
  for (const path of ["checkpoint", "tile/0/000.p/1"]) await expectStatus(gateway.call("GET", `/log/gateway/${path}`), 200);
}

/** A customer asks what is held of them and has it corrected; another is forgotten; then the keys move on. */
async function answerCustomers(gateway: Gateway): Promise<void> {
  const asked = `${contract}/subject-requests`;
  const [found] = (await search(gateway, { id: canaryCustomer.id })).records;
  const said = { kind: "correction", note: canaryElsewhere };
  await expectStatus(gateway.call("POST", `${customers}/${found?.locator}/requests`, { as: "agent-1", body: said }), 201);
  const body = { kind: "access", type: "customer", id: canaryCustomer.id, note: canaryElsewhere };
  const received = await expectStatus(gateway.call("POST", asked, { as: "owner-1", body }), 201);
  const { request } = (await received.json()) as { request: string };
  for (const path of [asked, `${asked}/${request}`, `${asked}/${request}/report`])
    await expectStatus(gateway.call("GET", path, { as: "owner-1" }), 200);
  await expectStatus(gateway.call("POST", `${asked}/${request}/close`, { as: "owner-1", body: { outcome: "done" } }), 200);
  const subject = { type: "customer", id: "U3" };
  await expectStatus(gateway.call("POST", `${contract}/erasures`, { as: "owner-1", body: { subject, dry_run: true } }), 200);
  const erased = await gateway.call("POST", `${contract}/erasures`, { as: "owner-1", body: { subject, confirm: "U3" } });
  const { erasure } = (await erased.json()) as { erasure: string };
  await expectStatus(gateway.call("GET", `${contract}/erasures/${erasure}`, { as: "owner-1" }), 200);
  await expectStatus(gateway.call("GET", `${contract}/audit/retention`, { as: "officer" }), 200);
  await expectStatus(gateway.call("GET", `${contract}/retention`, { as: "officer" }), 200);
  const parts = `${contract}/partial-purges`;
  const order = { older_than_days: 90, confirm: "c-test" };
  const ordered = await expectStatus(gateway.call("POST", parts, { as: "owner-1", body: order, ...because }), 202);
  const { job } = (await ordered.json()) as { job: string };
  await expectStatus(gateway.call("GET", `${parts}/${job}`, { as: "owner-1" }), 200);
  for (const index of [false, true]) {
    const order = { confirm: "c-test", index };
    const rotated = await gateway.call("POST", `${contract}/keys/rotate`, { as: "owner-1", body: order });
    if (!rotated.ok) throw new Error(`a rotation is refused: ${await rotated.text()}`);
    for (let turns = 0; turns < 3; turns++) await gateway.keeper.tick();
  }
  await expectStatus(gateway.call("GET", `${contract}/keys`, { as: "owner-1" }), 200);
}

/** The anchor says that more of the log was published than the database holds; an operator looks, and has it go on. */
export async function journeyToANewEpoch(gateway: Gateway, anchor: Anchor, log: string): Promise<void> {
  const published = await anchor.read(log);
  if (published === null) throw new Error("nothing of this log was published");
  await anchor.advance(log, { ...published, range: extendRange(published.range, [new Uint8Array(32)]) });
  const ask = (body: unknown) => expectStatus(gateway.call("POST", `/log/${log}/epochs`, { as: "operator", body }), 200);
  const { opens } = (await (await ask({ dry_run: true })).json()) as { opens: string };
  await ask({ confirm: opens });
}

/** The end is moved by both parties and by one; agents are cut off and let in again; a clock is accepted. */
async function climb(gateway: Gateway): Promise<void> {
  const vendor = { reference: "amendment 1", statement: `sha256:${"a".repeat(64)}` };
  await expectStatus(gateway.call("POST", `${contract}/suspend`, { as: "owner-1", body: { reason: "audit" } }), 200);
  const acts: [string, unknown][] = [
    ["amend", { end: "2098-01-01", vendor }],
    ["terminate", { at: "2097-01-01", reason: "mutual", confirm: "c-test" }],
    ["resume", undefined],
  ];
  for (const [act, body] of acts) {
    const asked = await expectStatus(
      gateway.call("POST", `${contract}/${act}`, { as: "owner-1", ...(body !== undefined && { body }) }),
      202,
    );
    const { approval } = (await asked.json()) as { approval: { id: string } };
    await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
  }
  const regretted = { at: "2096-01-01", reason: "mutual", confirm: "c-test" };
  const asked = await expectStatus(gateway.call("POST", `${contract}/terminate`, { as: "owner-1", body: regretted }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/withdraw`, { as: "owner-1" }), 200);
  const now = new Date().toISOString();
  await expectStatus(gateway.call("POST", "/v1/clock/accept", { as: "operator", body: { now } }), 200);
  await expectStatus(gateway.call("GET", "/v1/root-key", { as: "operator" }), 200);
  await expectStatus(gateway.call("POST", "/v1/root-key/rewrap", { as: "operator", body: { dry_run: true } }), 200);
}

async function atThePage(gateway: Gateway): Promise<void> {
  const headers = { cookie: `__Host-postern=s.${"A".repeat(43)}`, "sec-fetch-site": "same-origin" };
  await expectStatus(gateway.call("GET", "/v1/session", { headers }), 200);
  await expectStatus(gateway.call("POST", "/v1/session/logout", { headers }), 200);
}

/** One of the merchant's own systems gets a key, uses it, gets another secret, and loses it. */
async function keyOfSystem(gateway: Gateway): Promise<void> {
  const keys = `${contract}/service-keys`;
  const wish = { name: "nightly import", scopes: ["retention:read"] };
  const made = await expectStatus(gateway.call("POST", keys, { as: "owner-1", body: wish }), 200);
  const { key, secret } = (await made.json()) as { key: string; secret: string };
  await expectStatus(gateway.call("GET", `${contract}/retention`, { headers: { authorization: `Bearer ${secret}` } }), 200);
  await expectStatus(gateway.call("POST", `${keys}/${key}/rotate`, { as: "owner-1", body: {} }), 200);
  await expectStatus(gateway.call("POST", `${keys}/${key}/revoke`, { as: "owner-1" }), 200);
  await expectStatus(gateway.call("GET", keys, { as: "owner-1" }), 200);
}

/** A seat is taken away and given back; a person is refused everywhere and let in again. */
async function cutOff(gateway: Gateway): Promise<void> {
  const agent = { issuer: "demo", subject: "agent-1" };
  const agents = `${contract}/agents`;
  await expectStatus(gateway.call("POST", `${agents}/revoke`, { as: "owner-1", body: { ...agent, reason: "left" } }), 200);
  await expectStatus(gateway.call("POST", `${agents}/restore`, { as: "owner-1", body: agent }), 200);
  await expectStatus(gateway.call("GET", agents, { as: "owner-1" }), 200);
  const body = { kind: "person", ...agent, reason: "incident" };
  const revoked = await expectStatus(gateway.call("POST", "/v1/revocations", { as: "operator", body }), 201);
  await expectStatus(gateway.call("GET", "/v1/me", { as: "agent-1" }), 401);
  await expectStatus(gateway.call("GET", "/v1/revocations", { as: "operator" }), 200);
  const { revocation } = (await revoked.json()) as { revocation: string };
  await expectStatus(gateway.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
  const holder = { issuer: "demo", subject: "owner-1" };
  await expectStatus(gateway.call("POST", "/v1/passkeys/revoke", { as: "operator", body: holder }), 200);
}

/** Ordered, approved, run, watched, certified; then agents and officers come once more. */
export async function journeyToTheCertificate(gateway: Gateway): Promise<void> {
  const purges = `${contract}/purges`;
  await holdAndRelease(gateway);
  await breakGlass(gateway);
  await climb(gateway);
  await cutOff(gateway);
  await keyOfSystem(gateway);
  await atThePage(gateway);
  await provision(gateway);
  await expectStatus(gateway.call("GET", purges, { as: "owner-1" }), 200);
  const key = await makeMerchantKey();
  const body = { confirm: "c-test", return: { to: key.jwk } };
  const ordered = await expectStatus(gateway.call("POST", purges, { as: "owner-1", body, ...because }), 202);
  const { job } = (await ordered.json()) as { job: string };
  await expectStatus(gateway.call("POST", `${purges}/${job}/approve`, { as: "owner-2" }), 200);
  await gateway.keeper.tick();
  const attested = `${purges}/${job}/attestations`;
  const said = { system: "crm", statement: "nothing is left", signer: "DPO", evidence: { name: "protocol", content: "AAAA" } };
  const filed = await expectStatus(gateway.call("POST", attested, { as: "owner-1", body: said }), 201);
  const { systems } = (await filed.json()) as { systems: { attestation: { id: string } }[] };
  await expectStatus(gateway.call("GET", attested, { as: "owner-1" }), 200);
  await expectStatus(gateway.call("GET", `${attested}/${systems[0]?.attestation.id}/evidence`, { as: "owner-1" }), 200);
  const { shown, records } = await fetchReturn(gateway, job, key);
  if (records.length === 0) throw new Error("nothing was returned");
  await expectStatus(acknowledge(gateway, job, shown.digest), 200);
  await gateway.keeper.tick();
  await (await expectStatus(gateway.call("GET", `${purges}/${job}/events`, { as: "owner-1" }), 200)).text();
  await expectStatus(gateway.call("GET", `${purges}/${job}`, { as: "owner-1" }), 200);
  await expectStatus(gateway.call("GET", `${purges}/${job}/certificate`, { as: "owner-1" }), 200);
  const late = await gateway.call("POST", `${customers}/search`, { as: "agent-1", body: { by: { id: canaryCustomer.id } } });
  if (late.ok) throw new Error("a purged contract still answers");
  await gateway.keeper.sequence();
  await (await expectStatus(gateway.call("GET", `${contract}/audit/export?format=bundle`, { as: "officer" }), 200)).arrayBuffer();
}
