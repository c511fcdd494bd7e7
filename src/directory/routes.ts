/** The routes of people, and of systems that stand in for some: who sits where, which keys there are, and who is let in nowhere. */
import * as z from "zod";
import { json, type Route, readBounded } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { connectorRoutes } from "./connector-routes.ts";
import type { ConnectorsDesk } from "./connectors.ts";
import { listSeats, type SeatsListed } from "./list-seats.ts";
import { passkeyRoutes } from "./passkey-routes.ts";
import type { PasskeyDesk } from "./passkeys.ts";
import { revokeRoutes } from "./revoke-routes.ts";
import { importSeats, type SeatsDesk } from "./seats.ts";
import { serviceKeyRoutes } from "./service-key-routes.ts";
import { sessionRoutes } from "./session-routes.ts";

const csvBytesMax = 1024 * 1024;

const paperSchema = z.object({ on: z.iso.date(), until: z.iso.date().nullable() }).nullable();
const seatsSchema = z.object({
  seats: z.array(
    z.object({
      issuer: z.string(),
      subject: z.string(),
      role: z.string(),
      name: z.string(),
      agreement: paperSchema,
      training: paperSchema,
      shifts: z.string().nullable(),
      revoked_at: z.iso.datetime().nullable(),
      revoked_by: z.string().nullable(),
      fault: z.string().nullable(),
    }),
  ),
  more: z.boolean(),
});

export function directoryRoutes(desk: SeatsDesk & ConnectorsDesk & PasskeyDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/agents",
      summary: "Who sits there, what is on file for them, and whether they could work now",
      answers: { 200: { media: "application/json", description: "By issuer and subject; at most 10,000", schema: seatsSchema } },
      refusals: ["audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const listed = await listSeats(desk, received.caller, received.params.contract as ContractId);
        return listed.ok ? ok(json(JSON.stringify(describeSeats(listed.value)))) : listed;
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/agents",
      summary: "Seats from a CSV (issuer,subject,role,name …), all or nothing",
      body: {
        media: "text/csv",
        bytesMax: csvBytesMax,
        description: "UTF-8, with that header; agreement_on, agreement_until, training_on, training_until and shifts may follow.",
      },
      answers: { 200: { media: "application/json", description: "How many", schema: z.object({ seats: z.int() }) } },
      refusals: ["wrong_state", "winding_down", "audit_unavailable"],
      handle: async (received) => {
        const csv = await readBounded(received.stream, csvBytesMax);
        if (csv === null) return received.turnAway({ code: "too_large" });
        const imported = await importSeats(desk, received.caller, received.params.contract as ContractId, csv);
        return imported.ok ? ok(json(JSON.stringify(imported.value))) : imported;
      },
    },
    ...serviceKeyRoutes(desk),
    ...sessionRoutes(desk),
    ...passkeyRoutes(desk),
    ...revokeRoutes(desk),
    ...connectorRoutes(desk),
  ];
}

function describeSeats({ seats, more }: SeatsListed): z.infer<typeof seatsSchema> {
  const described = seats.map(({ issuer, subject, role, name, agreement, training, shifts, revokedAt, revokedBy, fault }) => ({
    ...{ issuer, subject, role, name, agreement, training, shifts },
    revoked_at: revokedAt === null ? null : new Date(revokedAt).toISOString(),
    revoked_by: revokedBy,
    fault,
  }));
  return { seats: described, more };
}
