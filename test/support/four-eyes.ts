/** What one owner asks and another one decides, as a part of the whole journey. */
import { because, contractText, expectStatus, shippedPolicy } from "./agreement.ts";
import { canaryCustomer } from "./canaries.ts";
import type { Gateway } from "./gateway.ts";

const contract = "/v1/contracts/c-test";
const customers = `${contract}/records/customer`;

/** A senior works once a second owner said so. */
export async function approveRoles(gateway: Gateway): Promise<void> {
  const asked = await expectStatus(gateway.call("POST", `${contract}/role-grants`, { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}

/** A second owner says no. */
export async function rejectOne(gateway: Gateway): Promise<void> {
  const files = {
    contract: { name: "contract.yaml", text: contractText({ contract: "c-rejected" }) },
    policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
  };
  await expectStatus(gateway.call("POST", "/v1/contracts", { as: "owner-1", body: files }), 200);
  const asked = await expectStatus(gateway.call("POST", "/v1/contracts/c-rejected/activate", { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/reject`, { as: "owner-2", ...because }), 200);
}

/** One customer's data is kept for a while. */
export async function holdAndRelease(gateway: Gateway): Promise<void> {
  const scope = { subject: { type: "customer", id: canaryCustomer.id } };
  const body = { scope, basis: "dispute", note: "claim 7", authority: "legal", expires_at: "2098-01-01T00:00:00Z" };
  const placed = await expectStatus(gateway.call("POST", `${contract}/holds`, { as: "owner-1", body }), 201);
  const { hold } = (await placed.json()) as { hold: string };
  await expectStatus(gateway.call("GET", `${contract}/holds`, { as: "owner-1" }), 200);
  const asked = await expectStatus(gateway.call("POST", `${contract}/holds/${hold}/release`, { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}

/** Two owners let an agent see one customer; one of them ends it, an officer says whether it was right. */
export async function breakGlass(gateway: Gateway): Promise<void> {
  const path = `${contract}/break-glass`;
  const body = { seat: { issuer: "demo", subject: "agent-1" }, purpose: "emergency", person: { type: "customer", id: canaryCustomer.id } };
  const asked = await expectStatus(gateway.call("POST", path, { as: "owner-1", body, ...because }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
  const found = { as: "agent-1", body: { by: { id: canaryCustomer.id } }, headers: { "postern-purpose": "emergency" } };
  await expectStatus(gateway.call("POST", `${customers}/search`, found), 200);
  await expectStatus(gateway.call("POST", `${path}/${approval.id}/close`, { as: "owner-1" }), 200);
  await expectStatus(
    gateway.call("POST", `${path}/${approval.id}/review`, { as: "officer", body: { finding: "justified" }, ...because }),
    200,
  );
  await expectStatus(gateway.call("GET", path, { as: "officer" }), 200);
}
