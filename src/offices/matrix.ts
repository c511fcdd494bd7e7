/**
 * Who may come to which route: what the gateway is held to, what its document says, and what is tested cell by cell.
 * What has no row is open to nobody, and does not start.
 */
type Role = "agent" | "vendor_admin" | "merchant_owner" | "service" | "officer" | "operator" | "scim";
/** Nobody is asked who they are; or nobody for the gateway's own log. Or a vendor's admin, at a contract that has them approve something. */
export type Admitted = Role | "anyone" | "anyone_for_gateway_log" | "vendor_admin_asked";

const anyone: readonly Admitted[] = ["anyone"];
const agent: readonly Admitted[] = ["agent"];
const owner: readonly Admitted[] = ["merchant_owner"];
const officer: readonly Admitted[] = ["officer"];
const operator: readonly Admitted[] = ["operator"];
/** A vendor's directory, by its own token, which opens nothing else. */
const scim: readonly Admitted[] = ["scim"];
const officeHolders: readonly Admitted[] = ["officer", "merchant_owner"];
/** Or one of the merchant's own systems, where its key has the scope (service-keys/scopes.ts). */
const ownerOrService: readonly Admitted[] = ["merchant_owner", "service"];
/** Of a contract: the merchant's, and the vendor's for its own people. */
const seatKeepers: readonly Admitted[] = ["merchant_owner", "vendor_admin"];
const approvers: readonly Admitted[] = ["merchant_owner", "vendor_admin_asked"];
const everybodyInside: readonly Admitted[] = ["officer", "merchant_owner", "agent"];
/** Whoever an issuer knows: who has no seat is answered an empty list. */
const anyIssuers: readonly Admitted[] = ["agent", "vendor_admin", "officer", "merchant_owner", "operator"];
/** Of the gateway's log everybody reads what holds no entry. */
const logReaders: readonly Admitted[] = ["officer", "merchant_owner", "anyone_for_gateway_log"];

/** By method and path as the OpenAPI document writes them. */
export const matrix: Readonly<Record<string, readonly Admitted[]>> = {
  "GET /v1/contracts/{contract}/records/{type}/{locator}": agent,
  "POST /v1/contracts/{contract}/records/{type}/search": agent,
  "POST /v1/contracts/{contract}/records/{type}/{locator}/requests": agent,
  "GET /v1/contracts/{contract}/upstream/{connector}/{path}": agent,
  "POST /v1/contracts/{contract}/upstream/{connector}/{path}": agent,
  "PUT /v1/contracts/{contract}/upstream/{connector}/{path}": agent,
  "PATCH /v1/contracts/{contract}/upstream/{connector}/{path}": agent,
  "GET /v1/session/login": anyone,
  "GET /v1/session/callback": anyone,
  "GET /v1/session": anyone,
  "POST /v1/session/logout": anyone,
  "POST /v1/session/backchannel-logout": anyone,
  "GET /v1/session/passkeys": anyone,
  "POST /v1/session/passkeys/options": anyone,
  "POST /v1/session/passkeys": anyone,
  "POST /v1/session/passkeys/{passkey}/revoke": anyone,
  "POST /v1/session/step-up/options": anyone,
  "POST /v1/session/step-up": anyone,
  "POST /v1/passkeys/revoke": operator,
  "GET /v1/me": anyIssuers,
  "GET /v1/contracts": owner,
  "POST /v1/contracts": owner,
  "GET /v1/contracts/{contract}": owner,
  "POST /v1/contracts/{contract}/activate": owner,
  "GET /v1/contracts/{contract}/trust": officeHolders,
  "GET /v1/contracts/{contract}/policy": officeHolders,
  "PUT /v1/contracts/{contract}/policy": owner,
  "POST /v1/contracts/{contract}/amend": owner,
  "POST /v1/contracts/{contract}/terminate": owner,
  "POST /v1/contracts/{contract}/suspend": owner,
  "POST /v1/contracts/{contract}/resume": owner,
  "GET /v1/contracts/{contract}/holds": owner,
  "POST /v1/contracts/{contract}/holds": owner,
  "POST /v1/contracts/{contract}/holds/{hold}/release": owner,
  "POST /v1/clock/accept": operator,
  "GET /v1/contracts/{contract}/agents": seatKeepers,
  "POST /v1/contracts/{contract}/agents": seatKeepers,
  "POST /v1/contracts/{contract}/records/{type}/import": ownerOrService,
  "POST /v1/contracts/{contract}/role-grants": seatKeepers,
  "GET /v1/contracts/{contract}/break-glass": officeHolders,
  "POST /v1/contracts/{contract}/break-glass": owner,
  "POST /v1/contracts/{contract}/break-glass/{glass}/close": owner,
  "POST /v1/contracts/{contract}/break-glass/{glass}/review": officeHolders,
  "GET /v1/approvals": approvers,
  "POST /v1/approvals/{approval}/approve": approvers,
  "POST /v1/approvals/{approval}/reject": approvers,
  "POST /v1/approvals/{approval}/withdraw": owner,
  "GET /v1/contracts/{contract}/audit/entries": officer,
  "GET /v1/contracts/{contract}/audit/tail": officer,
  "POST /v1/contracts/{contract}/audit/subjects": officer,
  "GET /v1/contracts/{contract}/audit/export": officer,
  "GET /v1/contracts/{contract}/audit/export/manifest": officer,
  "GET /log/{log}/checkpoint": logReaders,
  "GET /log/{log}/tile/entries/{bundle}": officer,
  "GET /log/{log}/tile/{tile}": logReaders,
  "GET /log/{log}/proof/{leaf}": logReaders,
  "GET /log/{log}/consistency": logReaders,
  "GET /log/{log}/policy": logReaders,
  "GET /log/{log}/receipt/{entry}": everybodyInside,
  "GET /v1/contracts/{contract}/audit/retention": officeHolders,
  "POST /log/{log}/epochs": operator,
  "GET /v1/contracts/{contract}/purges": owner,
  "POST /v1/contracts/{contract}/purges": owner,
  "GET /v1/contracts/{contract}/purges/{job}": owner,
  "GET /v1/contracts/{contract}/purges/{job}/events": owner,
  "POST /v1/contracts/{contract}/purges/{job}/approve": approvers,
  "GET /v1/contracts/{contract}/purges/{job}/certificate": owner,
  "GET /v1/contracts/{contract}/purges/{job}/return": owner,
  "GET /v1/contracts/{contract}/purges/{job}/return/parts/{part}": owner,
  "POST /v1/contracts/{contract}/purges/{job}/return/acknowledge": owner,
  "GET /v1/contracts/{contract}/purges/{job}/attestations": owner,
  "POST /v1/contracts/{contract}/purges/{job}/attestations": owner,
  "GET /v1/contracts/{contract}/purges/{job}/attestations/{attestation}/evidence": owner,
  "GET /v1/contracts/{contract}/subject-requests": ownerOrService,
  "POST /v1/contracts/{contract}/subject-requests": ownerOrService,
  "GET /v1/contracts/{contract}/subject-requests/{request}": ownerOrService,
  "GET /v1/contracts/{contract}/subject-requests/{request}/report": ownerOrService,
  "POST /v1/contracts/{contract}/subject-requests/{request}/close": ownerOrService,
  "GET /v1/contracts/{contract}/keys": owner,
  "POST /v1/contracts/{contract}/keys/rotate": owner,
  "POST /v1/contracts/{contract}/erasures": ownerOrService,
  "GET /v1/contracts/{contract}/erasures/{erasure}": ownerOrService,
  "POST /v1/contracts/{contract}/partial-purges": owner,
  "GET /v1/contracts/{contract}/partial-purges/{job}": owner,
  "GET /v1/contracts/{contract}/retention": [...officeHolders, "service"],
  "GET /v1/contracts/{contract}/connectors": owner,
  "PUT /v1/contracts/{contract}/connectors/{connector}": owner,
  "GET /v1/contracts/{contract}/connectors/{connector}": owner,
  "DELETE /v1/contracts/{contract}/connectors/{connector}": owner,
  "GET /v1/contracts/{contract}/service-keys": owner,
  "POST /v1/contracts/{contract}/service-keys": owner,
  "POST /v1/contracts/{contract}/service-keys/{key}/rotate": owner,
  "POST /v1/contracts/{contract}/service-keys/{key}/revoke": owner,
  "POST /v1/contracts/{contract}/agents/revoke": seatKeepers,
  "POST /v1/contracts/{contract}/agents/restore": seatKeepers,
  "GET /v1/revocations": operator,
  "POST /v1/revocations": operator,
  "POST /v1/revocations/{revocation}/lift": operator,
  "GET /v1/scim/{vendor}/tokens": operator,
  "POST /v1/scim/{vendor}/tokens": operator,
  "POST /v1/scim/{vendor}/tokens/{token}/revoke": operator,
  "GET /v1/scim/{vendor}/v2/ServiceProviderConfig": scim,
  "GET /v1/scim/{vendor}/v2/ResourceTypes": scim,
  "GET /v1/scim/{vendor}/v2/Schemas": scim,
  "GET /v1/scim/{vendor}/v2/Users": scim,
  "POST /v1/scim/{vendor}/v2/Users": scim,
  "GET /v1/scim/{vendor}/v2/Users/{user}": scim,
  "PUT /v1/scim/{vendor}/v2/Users/{user}": scim,
  "PATCH /v1/scim/{vendor}/v2/Users/{user}": scim,
  "DELETE /v1/scim/{vendor}/v2/Users/{user}": scim,
  "GET /v1/scim/{vendor}/v2/Groups": scim,
  "POST /v1/scim/{vendor}/v2/Groups": scim,
  "GET /v1/scim/{vendor}/v2/Groups/{group}": scim,
  "PUT /v1/scim/{vendor}/v2/Groups/{group}": scim,
  "PATCH /v1/scim/{vendor}/v2/Groups/{group}": scim,
  "DELETE /v1/scim/{vendor}/v2/Groups/{group}": scim,
  "GET /v1/root-key": operator,
  "POST /v1/root-key/rewrap": operator,
  "POST /v1/demo/tamper": anyone,
  "GET /healthz": anyone,
  "GET /readyz": anyone,
  "GET /openapi.json": anyone,
  "GET /metrics": operator,
};

/** Acts for which whoever came by a session must have shown a passkey just now: what one person decides alone, and cannot take back. */
export const wantsStepUp: ReadonlySet<string> = new Set([
  "POST /v1/approvals/{approval}/approve",
  "POST /v1/contracts/{contract}/purges/{job}/approve",
]);

/** Nobody, where there is no row. */
export function admittedTo(route: string): readonly Admitted[] {
  return matrix[route] ?? [];
}
