/** `postern revoke …`: the emergency. Whatever is named is refused from the next request on, and how long that took is printed. */
import * as z from "zod";
import { type Client, createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractFlag, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { plain, print, printJson, suggest } from "./output.ts";

const reasons = ["left", "incident", "leaked", "shared", "investigation", "other"];
const reasonFlag = {
  reason: { type: "enum", options: reasons, required: true, valueHint: reasons.join("|"), description: "Why" },
} as const;
const seatSchema = z.looseObject({ contract: z.string(), revoked: z.boolean() });
const revocationSchema = z.looseObject({
  revocation: z.string(),
  kind: z.string(),
  issuer: z.string().nullable(),
  name: z.string().nullable(),
  reason: z.string(),
  revoked_at: z.string(),
  expires_at: z.string().nullable(),
});
type Revocation = z.infer<typeof revocationSchema>;

/** `ISSUER/NAME`; the name may hold further slashes. */
function ofIssuer(text: string): { issuer: string; name: string } {
  const at = text.indexOf("/");
  if (at < 1 || at === text.length - 1) throw new Failure(`${JSON.stringify(text)} is not of the form ISSUER/NAME`, exitCodes.usage);
  return { issuer: idOf(text.slice(0, at)), name: text.slice(at + 1) };
}

/** Answered means committed: from then on every request reads it. */
async function timed<Value>(act: () => Promise<Value>): Promise<{ done: Value; ms: number }> {
  const begun = performance.now();
  const done = await act();
  return { done, ms: Math.round(performance.now() - begun) };
}

function inEffect(ms: number): string {
  return `in effect after ${ms} ms: refused from the next request on, in every process`;
}

const agent = command({
  meta: { description: "Take one agent's seat at a contract away" },
  examples: ["npx postern revoke agent demo/agent-7 --contract c-hangzhou-cs --reason left --as owner-1"],
  args: {
    person: { type: "positional", required: true, valueHint: "ISSUER/SUBJECT", description: "As the seat names them" },
    ...contractFlag,
    ...reasonFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { issuer, name: subject } = ofIssuer(args.person);
    const path = `/v1/contracts/${idOf(args.contract)}/agents/revoke`;
    const { done, ms } = await timed(() => createClient(args).post(seatSchema, path, { issuer, subject, reason: args.reason }));
    if (args.json) return printJson({ ...done, effect_ms: ms });
    print(`${args.person} has no seat in ${args.contract} any more; ${inEffect(ms)}`);
    suggest(`npx postern revoke restore ${args.person} --contract ${args.contract}${asBefore(args)}      # gives it back`);
  },
});

const restore = command({
  meta: { description: "Give a seat back that was taken away" },
  examples: ["npx postern revoke restore demo/agent-7 --contract c-hangzhou-cs --as owner-1"],
  args: {
    person: { type: "positional", required: true, valueHint: "ISSUER/SUBJECT", description: "As the seat names them" },
    ...contractFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { issuer, name: subject } = ofIssuer(args.person);
    const done = await createClient(args).post(seatSchema, `/v1/contracts/${idOf(args.contract)}/agents/restore`, { issuer, subject });
    if (args.json) return printJson(done);
    print(`${args.person} has their seat in ${args.contract} again`);
  },
});

const contract = command({
  meta: { description: "Cut off all agents of a contract: it is suspended" },
  examples: ["npx postern revoke contract c-hangzhou-cs --as owner-1"],
  args: { id: { type: "positional", required: true, valueHint: "ID", description: "The contract" }, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const schema = z.looseObject({ contract: z.string(), standing: z.string() });
    const { done, ms } = await timed(() =>
      createClient(args).post(schema, `/v1/contracts/${idOf(args.id)}/suspend`, { reason: "incident" }),
    );
    if (args.json) return printJson({ ...done, effect_ms: ms });
    print(`${args.id} is suspended; ${inEffect(ms)}`);
    suggest(`npx postern contract resume ${args.id}${asBefore(args)}      # asks a second owner`);
  },
});

/** What an operator refuses everywhere, `name` being what the routes call it. */
function everywhere(kind: "person" | "token" | "key", field: "subject" | "jti" | "kid", what: string, example: string) {
  return command({
    meta: { description: `Refuse ${what} everywhere` },
    examples: [`npx postern revoke ${kind} ${example} --as operator`],
    args: {
      which: {
        type: "positional",
        required: true,
        valueHint: `ISSUER/${field.toUpperCase()}`,
        description: `The issuer's id, and its ${field}`,
      },
      ...reasonFlag,
      ...clientFlags,
      ...jsonFlag,
    },
    async run({ args }) {
      const { issuer, name } = ofIssuer(args.which);
      await tell(createClient(args), args, { kind, issuer, [field]: name, reason: args.reason });
    },
  });
}

function whole(kind: "issuer" | "vendor", what: string, example: string) {
  return command({
    meta: { description: `Refuse ${what} everywhere` },
    examples: [`npx postern revoke ${kind} ${example} --as operator`],
    args: {
      which: { type: "positional", required: true, valueHint: "ID", description: `The ${kind}'s id` },
      ...reasonFlag,
      ...clientFlags,
      ...jsonFlag,
    },
    run: ({ args }) => tell(createClient(args), args, { kind, [kind]: idOf(args.which), reason: args.reason }),
  });
}

interface Telling {
  readonly as?: string | undefined;
  readonly json?: boolean | undefined;
}

async function tell(client: Client, args: Telling, body: Record<string, string>): Promise<void> {
  const { done, ms } = await timed(() => client.post(revocationSchema, "/v1/revocations", body));
  if (args.json) return printJson({ ...done, effect_ms: ms });
  print(`${nameOf(done)} is revoked (${done.revocation}); ${inEffect(ms)}`);
  suggest(`npx postern revoke lift ${done.revocation}${asBefore(args)}`);
}

function nameOf({ kind, issuer, name }: Revocation): string {
  return plain([kind, [issuer, name].filter((part) => part !== null).join("/")].join(" "));
}

const lift = command({
  meta: { description: "Let in again what was refused everywhere" },
  examples: ["npx postern revoke lift 01a0c6b2-6a4e-7d3c-8f10-2b9d5e7c1a34 --as operator"],
  args: { id: { type: "positional", required: true, valueHint: "ID", description: "The revocation" }, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const lifted = await createClient(args).post(revocationSchema, `/v1/revocations/${idOf(args.id)}/lift`);
    if (args.json) return printJson(lifted);
    print(`${nameOf(lifted)} may come in again`);
  },
});

const list = command({
  meta: { description: "What is refused everywhere" },
  examples: ["npx postern revoke list --as operator"],
  args: { ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const { revocations } = await createClient(args).get(z.looseObject({ revocations: z.array(revocationSchema) }), "/v1/revocations");
    if (args.json) return printJson({ revocations });
    if (revocations.length === 0) print("nothing is revoked everywhere; seats that were taken away are the contracts' own matter");
    for (const one of revocations) print(`${one.revocation}  ${one.revoked_at}  ${one.reason}  ${nameOf(one)}`);
  },
});

const passkeys = command({
  meta: { description: "End all passkeys of somebody who lost theirs; they register another after their next login" },
  examples: ["npx postern revoke passkeys linxi/olga --as operator"],
  args: {
    person: { type: "positional", required: true, valueHint: "ISSUER/SUBJECT", description: "As their session has them" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { issuer, name: subject } = ofIssuer(args.person);
    const done = await createClient(args).post(z.looseObject({ passkeys: z.int() }), "/v1/passkeys/revoke", { issuer, subject });
    if (args.json) return printJson(done);
    print(done.passkeys === 0 ? `${args.person} has no passkey` : `${args.person} has no passkey any more; there were ${done.passkeys}`);
  },
});

export const revoke = command({
  meta: { description: "Take access away at once: an agent's seat, a contract's, or somebody's everywhere" },
  subCommands: {
    agent,
    contract,
    person: everywhere("person", "subject", "a person", "demo/agent-7"),
    token: everywhere("token", "jti", "one token", "demo/4f1c2a9e"),
    key: everywhere("key", "kid", "whatever a signing key signed", "demo/2026-11"),
    issuer: whole("issuer", "whoever an issuer names", "example"),
    vendor: whole("vendor", "a vendor's agents", "v-yunfu"),
    passkeys,
    restore,
    lift,
    list,
  },
});
