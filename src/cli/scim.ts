/** `postern scim …`: the tokens by which vendors' own directories say who works where (docs/SCIM.md). */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";

const tokenSchema = z.looseObject({
  id: z.string(),
  issued_at: z.string(),
  expires_at: z.string(),
  last_used_at: z.string().nullable(),
});
const issuedSchema = tokenSchema.extend({ token: z.string() });
const vendorFlag = {
  vendor: { type: "string", required: true, valueHint: "ID", description: "The vendor, as the operator's file names it" },
} as const;

function tokensOf(vendor: string): string {
  return `/v1/scim/${idOf(vendor)}/tokens`;
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new Failure(`--${flag} must be a whole number`, exitCodes.usage);
  return Number(text);
}

const token = command({
  meta: { description: "Issue a token for a vendor's directory; it is shown once" },
  examples: ["npx postern scim token --vendor v-yunfu --as operator", "npx postern scim token --vendor v-yunfu --overlap 0 --as operator"],
  args: {
    ...vendorFlag,
    days: { type: "string", default: "365", valueHint: "DAYS", description: "How long it holds: 1 to 730" },
    overlap: { type: "string", default: "24", valueHint: "HOURS", description: "How long the vendor's earlier ones still hold: 0 to 168" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const body = { days: wholeNumber("days", args.days), overlap_hours: wholeNumber("overlap", args.overlap) };
    const client = createClient(args);
    const issued = await client.post(issuedSchema, tokensOf(args.vendor), body);
    const base = `${client.origin}/v1/scim/${args.vendor}/v2`;
    if (args.json) return printJson({ ...issued, base });
    print(plain(issued.token));
    note(`until ${plain(issued.expires_at)}; nobody can show it again. The directory's address: ${base}`);
    suggest(`npx postern scim tokens --vendor ${args.vendor}${asBefore(args)}      # when each was last used`);
  },
});

const tokens = command({
  meta: { description: "A vendor's tokens: until when, and when last used" },
  examples: ["npx postern scim tokens --vendor v-yunfu --as operator"],
  args: { ...vendorFlag, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const listed = await createClient(args).get(z.looseObject({ tokens: z.array(tokenSchema) }), tokensOf(args.vendor));
    if (args.json) return printJson(listed);
    if (listed.tokens.length === 0) {
      print("no tokens: the vendor's directory cannot come");
      return suggest(`npx postern scim token --vendor ${args.vendor}${asBefore(args)}`);
    }
    const rows = listed.tokens.map(({ id, expires_at, last_used_at }) => [
      id,
      `until ${expires_at}`,
      last_used_at === null ? "never used" : `last used ${last_used_at}`,
    ]);
    print(columns(rows.map((row) => row.map(plain))));
  },
});

const revoke = command({
  meta: { description: "Take a token of a vendor's directory away, at once" },
  examples: ["npx postern scim revoke 01a0c6b2-6a4e-7d3c-8f10-2b9d5e7c1a34 --vendor v-yunfu --as operator"],
  args: {
    id: { type: "positional", required: true, valueHint: "ID", description: "The token's id, from the list" },
    ...vendorFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const schema = z.looseObject({ id: z.string() });
    const revoked = await createClient(args).post(schema, `${tokensOf(args.vendor)}/${idOf(args.id)}/revoke`);
    if (args.json) return printJson(revoked);
    print(`${plain(revoked.id)} is revoked: refused from the next request on`);
    suggest(`npx postern scim token --vendor ${args.vendor}${asBefore(args)}      # another one`);
  },
});

export const scim = command({
  meta: { description: "Vendors' own directories by SCIM 2.0: Entra ID, Okta and others" },
  subCommands: { token, tokens, revoke },
});
