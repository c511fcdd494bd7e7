/** A vendor's directory, as it talks to the gateway: with its own token, in SCIM's media type. */
import { expectStatus } from "./agreement.ts";
import type { Door } from "./gateway.ts";

const base = "/v1/scim/v-yunfu/v2";
export const urn = {
  user: "urn:ietf:params:scim:schemas:core:2.0:User",
  group: "urn:ietf:params:scim:schemas:core:2.0:Group",
  patch: "urn:ietf:params:scim:api:messages:2.0:PatchOp",
  enterprise: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
};

export interface Issued {
  readonly id: string;
  readonly token: string;
}

export async function issueToken(gateway: Door, body: object = {}, vendor = "v-yunfu"): Promise<Issued> {
  const answer = await expectStatus(gateway.call("POST", `/v1/scim/${vendor}/tokens`, { as: "operator", body }), 201);
  return (await answer.json()) as Issued;
}

export interface ScimAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever resource it asked for
  readonly body: any;
}

export type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<ScimAnswer>;

/** `path`: behind the vendor's base. */
export function directoryOf(gateway: Door, token: string, at = base): Ask {
  return async (method, path, body, headers = {}) => {
    const answer = await gateway.call(method, `${at}${path}`, {
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/scim+json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === "" ? null : JSON.parse(text) };
  };
}

export function person(externalId: string, more: object = {}): object {
  return { schemas: [urn.user], userName: `${externalId}@yunfu.example`, externalId, displayName: `Person ${externalId}`, ...more };
}

export function patch(...operations: object[]): object {
  return { schemas: [urn.patch], Operations: operations };
}

/** The vendor's directory brings somebody, seats them, and takes them out again; its token goes. */
export async function provision(gateway: Door): Promise<void> {
  const { id: issued, token } = await issueToken(gateway);
  await expectStatus(gateway.call("GET", "/v1/scim/v-yunfu/tokens", { as: "operator" }), 200);
  const ask = directoryOf(gateway, token);
  const done = async (...asked: Parameters<Ask>) => {
    const { status, body } = await ask(...asked);
    if (status >= 300) throw new Error(`${asked[0]} ${asked[1]}: ${status}`);
    return body;
  };
  for (const document of ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/Users", "/Groups"]) await done("GET", document);
  await done("GET", `/Users?filter=${encodeURIComponent('userName eq "p-1@yunfu.example"')}`);
  const { id } = await done("POST", "/Users", person("p-1"));
  const group = "/Groups/c-test~first_line";
  await done("PATCH", group, patch({ op: "add", path: "members", value: [{ value: id }] }));
  await done("GET", group);
  await done("PUT", `/Users/${id}`, person("p-1", { displayName: "P" }));
  await done("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: false }));
  await done("GET", `/Users/${id}`);
  const { headers } = await ask("GET", group);
  await done("PUT", group, { schemas: [urn.group], members: [] }, { "if-match": headers.get("etag") ?? "" });
  await done("POST", "/Groups", { schemas: [urn.group], displayName: "c-test/first_line" });
  await done("DELETE", group);
  await done("DELETE", `/Users/${id}`);
  await expectStatus(gateway.call("POST", `/v1/scim/v-yunfu/tokens/${issued}/revoke`, { as: "operator" }), 200);
}
