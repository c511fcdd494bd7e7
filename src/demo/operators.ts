/** The operator's file of the demo: the generated parties under the built-in issuer. */
import { builtInIssuerId } from "../identity/index.ts";
import type { DemoWorld } from "./world.ts";

/** As `postern.yaml` would say it (JSON is YAML). */
export function operatorText({ merchants, vendors, operators }: Pick<DemoWorld, "merchants" | "vendors" | "operators">): string {
  const people = (subjects: readonly string[]) => subjects.map((subject) => ({ issuer: builtInIssuerId, subject }));
  return JSON.stringify({
    issuers: [{ id: builtInIssuerId, built_in: true }],
    merchants: Object.fromEntries(
      merchants.map(({ id, owners, officers }) => [id, { owners: people(owners), officers: people(officers) }]),
    ),
    vendors: Object.fromEntries(vendors.map(({ id, admins }) => [id, { issuers: [builtInIssuerId], admins: people(admins) }])),
    operators: people(operators),
  });
}
