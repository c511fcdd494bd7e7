/**
 * Who may come to which route. What has no row is open to nobody.
 */
export type Role = "agent" | "merchant_owner" | "officer" | "operator";

/** The platform's own: nobody is asked who they are. */
const anyone = "anyone";
const agent = ["agent"] as const;
const owner = ["merchant_owner"] as const;
const officer = ["officer"] as const;
const operator = ["operator"] as const;
const officeHolders = ["officer", "merchant_owner"] as const;
const everybodyInside = ["officer", "merchant_owner", "agent"] as const;
/** Whoever an issuer knows: who has no seat is answered an empty list. */
const anyIssuers = ["agent", "officer", "merchant_owner", "operator"] as const;

/** By method and path as the OpenAPI document writes them. The gateway's own log is public: its `{log}` asks nobody. */
export const matrix: Readonly<Record<string, readonly Role[] | typeof anyone>> = {
  "GET /v1/contracts/{contract}/records/{type}/{locator}": agent,
  "POST /v1/contracts/{contract}/records/{type}/search": agent,
  "POST /v1/contracts/{contract}/records/{type}/{locator}/requests": agent,
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
  "POST /v1/contracts/{contract}/agents": owner,
  "POST /v1/contracts/{contract}/records/{type}/import": owner,
  "GET /v1/approvals": owner,
  "POST /v1/approvals/{approval}/approve": owner,
  "POST /v1/approvals/{approval}/reject": owner,
  "GET /v1/contracts/{contract}/audit/entries": officer,
  "GET /v1/contracts/{contract}/audit/tail": officer,
  "POST /v1/contracts/{contract}/audit/subjects": officer,
  "GET /v1/contracts/{contract}/audit/export": officer,
  "GET /v1/contracts/{contract}/audit/export/manifest": officer,
  "GET /log/{log}/checkpoint": officeHolders,
  "GET /log/{log}/tile/entries/{bundle}": officer,
  "GET /log/{log}/tile/{tile}": officeHolders,
  "GET /log/{log}/proof/{leaf}": officeHolders,
  "GET /log/{log}/consistency": officeHolders,
  "GET /log/{log}/policy": officeHolders,
  "GET /log/{log}/receipt/{entry}": everybodyInside,
  "GET /v1/contracts/{contract}/audit/retention": officeHolders,
  "POST /log/{log}/epochs": operator,
  "GET /v1/contracts/{contract}/purges": owner,
  "POST /v1/contracts/{contract}/purges": owner,
  "GET /v1/contracts/{contract}/purges/{job}": owner,
  "GET /v1/contracts/{contract}/purges/{job}/events": owner,
  "POST /v1/contracts/{contract}/purges/{job}/approve": owner,
  "GET /v1/contracts/{contract}/purges/{job}/certificate": owner,
  "GET /v1/contracts/{contract}/purges/{job}/return": owner,
  "GET /v1/contracts/{contract}/purges/{job}/return/parts/{part}": owner,
  "POST /v1/contracts/{contract}/purges/{job}/return/acknowledge": owner,
  "GET /v1/contracts/{contract}/purges/{job}/attestations": owner,
  "POST /v1/contracts/{contract}/purges/{job}/attestations": owner,
  "GET /v1/contracts/{contract}/purges/{job}/attestations/{attestation}/evidence": owner,
  "GET /v1/contracts/{contract}/subject-requests": owner,
  "POST /v1/contracts/{contract}/subject-requests": owner,
  "GET /v1/contracts/{contract}/subject-requests/{request}": owner,
  "GET /v1/contracts/{contract}/subject-requests/{request}/report": owner,
  "POST /v1/contracts/{contract}/subject-requests/{request}/close": owner,
  "GET /v1/contracts/{contract}/keys": owner,
  "POST /v1/contracts/{contract}/keys/rotate": owner,
  "POST /v1/contracts/{contract}/erasures": owner,
  "GET /v1/contracts/{contract}/erasures/{erasure}": owner,
  "GET /healthz": anyone,
  "GET /readyz": anyone,
  "GET /openapi.json": anyone,
  "GET /metrics": operator,
};
