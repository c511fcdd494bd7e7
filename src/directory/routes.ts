/** The routes of people: who sits where, and who is let in nowhere. */
import * as z from "zod";
import { json, type Route, readBounded } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { connectorRoute } from "./connector-route.ts";
import type { ConnectorsDesk } from "./connectors.ts";
import { revokeRoutes } from "./revoke-routes.ts";
import { importSeats, type SeatsDesk } from "./seats.ts";

const csvBytesMax = 1024 * 1024;

export function directoryRoutes(desk: SeatsDesk & ConnectorsDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/contracts/{contract}/agents",
      summary: "Seats from a CSV (issuer,subject,role,name), all or nothing",
      body: { media: "text/csv", bytesMax: csvBytesMax, description: "UTF-8, with that header." },
      answers: { 200: { media: "application/json", description: "How many", schema: z.object({ seats: z.int() }) } },
      refusals: ["wrong_state", "winding_down", "audit_unavailable"],
      handle: async (received) => {
        const csv = await readBounded(received.stream, csvBytesMax);
        if (csv === null) return received.turnAway({ code: "too_large" });
        const imported = await importSeats(desk, received.caller, received.params.contract as ContractId, csv);
        return imported.ok ? ok(json(JSON.stringify(imported.value))) : imported;
      },
    },
    ...revokeRoutes(desk),
    connectorRoute(desk),
  ];
}
