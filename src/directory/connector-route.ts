/** The route by which an owner registers the merchant's own API. */
import * as z from "zod";
import { json, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type ConnectorsDesk, registerConnector } from "./connectors.ts";

const fileBytesMax = 256 * 1024;

/** `credential`: one line of visible ASCII, as a header takes it. */
const registrationBody = z.strictObject({
  connector: z.strictObject({ name: z.string().min(1).max(200), text: z.string().max(fileBytesMax) }),
  settings: z.record(z.string().max(32), z.string().max(253)).default({}),
  credential: z.string().regex(/^[\x21-\x7e]{1,1024}$/),
});
const registeredAnswer = z.object({ connector: z.string(), host: z.string(), digest: z.string(), routes: z.array(z.string()) });

export function connectorRoute(desk: ConnectorsDesk): Route {
  return {
    method: "PUT",
    path: "/v1/contracts/{contract}/connectors/{connector}",
    summary: "Register the merchant's own API under a name, or change how it is asked",
    body: {
      media: "application/json",
      bytesMax: 3 * fileBytesMax,
      schema: registrationBody,
      description: "A connector's YAML and its name, the settings it asks for, and the credential, which is not shown again.",
    },
    answers: { 200: { media: "application/json", description: "Where it leads, and what may be asked for", schema: registeredAnswer } },
    refusals: ["wrong_state", "audit_unavailable", "keys_unavailable", "share_closed"],
    handle: async ({ body, caller, params }) => {
      const { connector: file, settings, credential } = body as z.infer<typeof registrationBody>;
      const asked = { contract: params.contract as ContractId, name: params.connector ?? "", file, settings, credential };
      const registered = await registerConnector(desk, caller, asked);
      if (!registered.ok) return registered;
      const { name: connector, host, digest, routes } = registered.value;
      return ok(json(JSON.stringify({ connector, host, digest, routes })));
    },
  };
}
