/** Routes by which an owner registers the merchant's own API, looks at what is registered, and takes it away. */
import * as z from "zod";
import type { Connector } from "../connectors/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type ConnectorsDesk, readConnectors, registerConnector, removeConnector, routesOf, type ShownConnector } from "./connectors.ts";

const fileBytesMax = 256 * 1024;

/** `credential`: one line of visible ASCII, as a header takes it. */
const registrationBody = z.strictObject({
  connector: z.strictObject({ name: z.string().min(1).max(200), text: z.string().max(fileBytesMax) }),
  settings: z.record(z.string().max(32), z.string().max(253)).default({}),
  credential: z.string().regex(/^[\x21-\x7e]{1,1024}$/),
});
const registeredAnswer = z.object({ connector: z.string(), host: z.string(), digest: z.string(), routes: z.array(z.string()) });
const listedSchema = registeredAnswer.extend({
  authentication: z.enum(["bearer", "basic", "header", "taobao", "role"]),
  purpose: z.string().nullable(),
  registered_at: z.iso.datetime(),
  /** When the upstream last refused the credential, since it is registered. */
  refused_at: z.iso.datetime().nullable(),
});
/** `definition`: all that is kept of its file, with the settings in it. */
const shownSchema = listedSchema.extend({ definition: z.unknown() });
const refusals = ["audit_unavailable", "keys_unavailable", "share_closed"] as const;

export function connectorRoutes(desk: ConnectorsDesk): Route[] {
  const list = "/v1/contracts/{contract}/connectors";
  const path = `${list}/{connector}`;
  return [
    {
      method: "PUT",
      path,
      summary: "Register the merchant's own API under a name, or change how it is asked",
      body: {
        media: "application/json",
        bytesMax: 3 * fileBytesMax,
        schema: registrationBody,
        description: "A connector's YAML and its name, the settings it asks for, and the credential, which is not shown again.",
      },
      answers: { 200: { media: "application/json", description: "Where it leads, and what may be asked for", schema: registeredAnswer } },
      refusals: ["wrong_state", ...refusals],
      handle: async (received) => {
        const { connector: file, settings, credential } = received.body as z.infer<typeof registrationBody>;
        const asked = { contract: contractOf(received), name: nameOf(received), file, settings, credential };
        const registered = await registerConnector(desk, received.caller, asked);
        if (!registered.ok) return registered;
        const { name: connector, host, digest, routes } = registered.value;
        return ok(json(JSON.stringify({ connector, host, digest, routes })));
      },
    },
    {
      method: "GET",
      path: list,
      summary: "The merchant's own APIs that are registered, without their credentials",
      answers: { 200: { media: "application/json", description: "By name", schema: z.object({ connectors: z.array(listedSchema) }) } },
      refusals,
      handle: async (received) => {
        const read = await readConnectors(desk, received.caller, contractOf(received));
        return read.ok ? ok(json(JSON.stringify({ connectors: read.value.map(describe) }))) : read;
      },
    },
    {
      method: "GET",
      path,
      summary: "One of the merchant's own APIs as it is registered, without its credential",
      answers: { 200: { media: "application/json", description: "What may be asked of it, and how", schema: shownSchema } },
      refusals,
      handle: async (received) => {
        const read = await readConnectors(desk, received.caller, contractOf(received), nameOf(received));
        if (!read.ok) return read;
        const [shown] = read.value.map((one) => ({ ...describe(one), definition: one.connector }));
        return ok(json(JSON.stringify(shown)));
      },
    },
    {
      method: "DELETE",
      path,
      summary: "Take one of the merchant's own APIs away, and its credential with it",
      answers: {
        200: { media: "application/json", description: "Nothing is asked of it any more", schema: z.object({ connector: z.string() }) },
      },
      refusals,
      handle: async (received) => {
        const done = await removeConnector(desk, received.caller, contractOf(received), nameOf(received));
        return done.ok ? ok(json(JSON.stringify({ connector: nameOf(received) }))) : done;
      },
    },
  ];
}

function describe({ name, connector, digest, registeredAt, refusedAt }: ShownConnector): z.infer<typeof listedSchema> {
  const { host, purpose = null } = connector;
  return {
    ...{ connector: name, host, digest, purpose, authentication: authenticationOf(connector) },
    routes: routesOf(connector),
    registered_at: new Date(registeredAt).toISOString(),
    refused_at: refusedAt === null ? null : new Date(refusedAt).toISOString(),
  };
}

/** `role`: a database's, by its password. */
function authenticationOf(connector: Connector): z.infer<typeof listedSchema>["authentication"] {
  if ("tables" in connector) return "role";
  const { authentication } = connector;
  if (typeof authentication === "string") return authentication;
  return "header" in authentication ? "header" : "taobao";
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}

function nameOf(received: Received): string {
  return received.params.connector ?? "";
}
