/** The routes of people: who sits where, and who is let in nowhere. */
import * as z from "zod";
import { fromUtf8 } from "../crypto/index.ts";
import { json, type Received, type Route, readBounded } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { revokeRoutes } from "./revoke-routes.ts";
import { importSeats, type SeatsDesk } from "./seats.ts";

const csvBytesMax = 1024 * 1024;

export function directoryRoutes(desk: SeatsDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/contracts/{contract}/agents",
      summary: "Seats from a CSV (issuer,subject,role,name), all or nothing",
      body: { media: "text/csv", bytesMax: csvBytesMax, description: "UTF-8, with that header." },
      answers: { 200: { media: "application/json", description: "How many", schema: z.object({ seats: z.int() }) } },
      refusals: ["wrong_state", "winding_down", "audit_unavailable"],
      handle: async (received) => {
        const csv = await readText(received, csvBytesMax);
        if (!csv.ok) return received.turnAway(csv.refusal);
        const imported = await importSeats(desk, received.caller, received.params.contract as ContractId, csv.value);
        return imported.ok ? ok(json(JSON.stringify(imported.value))) : imported;
      },
    },
    ...revokeRoutes(desk),
  ];
}

async function readText(received: Received, bytesMax: number): Promise<Result<string, Refusal>> {
  const bytes = await readBounded(received.stream, bytesMax);
  if (bytes === null) return refuse({ code: "too_large" });
  try {
    return ok(fromUtf8(bytes));
  } catch {
    return refuse({ code: "unacceptable", errors: [{ pointer: "body", code: "not_utf8" }] });
  }
}
