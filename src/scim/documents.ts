/** What a directory is told of this service itself (RFC 7643 §5–7): what it can, which resources it has, and which of their attributes it keeps. */
import { countMax } from "./scim-route.ts";
import { groupSchema, userSchema } from "./told.ts";

const urn = "urn:ietf:params:scim:schemas:core:2.0";

export function serviceProviderConfig(base: string): object {
  return {
    schemas: [`${urn}:ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: countMax },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A token that the gateway's operator issued for this vendor",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${base}/ServiceProviderConfig` },
  };
}

export function resourceTypes(base: string): object[] {
  return (
    [
      ["User", "/Users", userSchema, "A person of the vendor's"],
      ["Group", "/Groups", groupSchema, "A role at one of the vendor's contracts"],
    ] as const
  ).map(([id, endpoint, schema, description]) => ({
    schemas: [`${urn}:ResourceType`],
    ...{ id, name: id, endpoint, description, schema },
    meta: { resourceType: "ResourceType", location: `${base}/ResourceTypes/${id}` },
  }));
}

export function schemas(base: string): object[] {
  const one = (id: string, name: string, description: string, attributes: object[]) => ({
    schemas: [`${urn}:Schema`],
    ...{ id, name, description, attributes },
    meta: { resourceType: "Schema", location: `${base}/Schemas/${id}` },
  });
  const text = attribute("string");
  return [
    one(userSchema, "User", "A person of the vendor's", [
      text("userName", "Finds the person; nobody else has one that looks like it", { required: true, uniqueness: "server" }),
      text("externalId", "The directory's own id of the person", { caseExact: true }),
      text("displayName", "The name in lists"),
      attribute("boolean")("active", "Whether the person's seats give access"),
      attribute("complex")("groups", "Where the person sits", { multiValued: true, mutability: "readOnly", subAttributes: references }),
    ]),
    one(groupSchema, "Group", "A role at one of the vendor's contracts", [
      text("displayName", "contract/role", { required: true, mutability: "readOnly" }),
      attribute("complex")("members", "Who sits there", { multiValued: true, subAttributes: references }),
    ]),
  ];
}

function attribute(type: string) {
  return (name: string, description: string, more: object = {}) => ({
    ...{ name, type, multiValued: false, description, required: false, caseExact: false },
    ...{ mutability: "readWrite", returned: "default", uniqueness: "none" },
    ...more,
  });
}

const references = [
  attribute("string")("value", "The id", { mutability: "immutable", caseExact: true }),
  attribute("string")("display", "The name", { mutability: "readOnly" }),
];
