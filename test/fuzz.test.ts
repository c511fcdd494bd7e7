/** What the document allows, and the same with something wrong in it: never a fault, never an answer that is not in the document. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { applyFiles, bringIntoForce, contractText, search, shippedPolicy } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { ask } from "./support/ladder.ts";
import { isLong } from "./support/long.ts";
import { type GeneratedRequest, type NamedOperation, type OpenApiDocument, operationsOf, requestOf } from "./support/openapi-requests.ts";
import { neighbour, populate, purge } from "./support/purge-world.ts";
import { hasShared, readShared } from "./support/shared.ts";

const oddities = [
  "",
  " ",
  "\u0000",
  "null",
  "-1",
  "../..",
  "%2e%2e",
  "'; drop table seat; --",
  "{{7*7}}",
  "＝1+1",
  "e\u0301",
  "\u202e",
  "💣".repeat(40),
  "a".repeat(5_000),
];
const naughty: readonly string[] = hasShared("vectors/blns.json")
  ? z.array(z.string()).parse(JSON.parse(readShared("vectors/blns.json")))
  : [];
const odd = [...oddities, ...naughty];
/** The usual run asks the same every time; the long form asks something else each time, and says what. */
const tries = (usual: number) => (isLong ? { numRuns: usual * 10 } : { numRuns: usual, seed: 20_261_127 });
const timeoutMs = isLong ? 600_000 : 60_000;

let gateway: Gateway;
let operations: ReadonlyMap<string, NamedOperation>;
let known: Readonly<Record<string, readonly string[]>>;
let schemas: { answer(operation: NamedOperation, status: string, media: string): z.ZodType; problem: z.ZodType };

beforeAll(async () => {
  gateway = await createGateway();
  await populate(gateway, { contract: "c-test" }, 2);
  await populate(gateway, { contract: "c-purged" }, 1);
  await bringIntoForce(gateway, { ...neighbour, seats: "demo,agent-9,first_line,林小满\n" });
  const job = await purge(gateway, "c-purged");
  const approval = await ask(gateway, "terminate", { confirm: "c-test", at: "now", reason: "mutual" });
  const found = await search(gateway, { id: "U0" });
  await gateway.keeper.tick();
  await gateway.keeper.sequence();
  const document = (await (await gateway.call("GET", "/openapi.json")).json()) as OpenApiDocument;
  operations = new Map(operationsOf(document).map((operation) => [operation.route, operation]));
  const contracts = ["c-test", "c-test", "c-purged", "c-nowhere", "gateway"];
  known = {
    contract: contracts,
    log: contracts,
    type: ["customer", "order", "nothing"],
    locator: [found.records[0]?.locator ?? "", `r_${"a".repeat(26)}`],
    approval: [approval, "x-1"],
    job: [job, "x-1"],
    tile: ["0/000", "1/000", "0/000.p/3", "9/999"],
    bundle: ["000", "000.p/3", "999"],
    leaf: ["0", "1", "99999"],
    part: ["000000", "keys", "manifest"],
    format: ["bundle", "csv", "ocsf"],
    from: ["0", "1", "999"],
    limit: ["1", "50", "0"],
  };
  const answers = new Map<z.core.JSONSchema.JSONSchema, z.ZodType>();
  const compiled = (schema: z.core.JSONSchema.JSONSchema) => {
    const made = answers.get(schema) ?? z.fromJSONSchema(schema);
    answers.set(schema, made);
    return made;
  };
  schemas = {
    answer: (operation, status, media) =>
      compiled((operation.responses[status]?.content[media]?.schema ?? {}) as z.core.JSONSchema.JSONSchema),
    problem: compiled(document.components.schemas.Problem as z.core.JSONSchema.JSONSchema),
  };
});
afterAll(() => gateway.close());

/** What is wrong with the answer; `null` = nothing. */
async function wrongWith(route: string, answer: Response): Promise<string | null> {
  const text = await answer.text();
  const operation = operations.get(route);
  const documented = operation?.responses[answer.status];
  const type = answer.headers.get("content-type") ?? "";
  const media = documented && type in documented.content ? type : (type.split(";")[0] ?? "");
  const told = `${route}: ${answer.status} ${media} ${text.slice(0, 300)}`;
  const { code = "" } = media === "application/problem+json" ? (JSON.parse(text) as { code: string }) : {};
  if (!operation || !documented || (answer.status >= 500 && code !== "misconfigured")) return told;
  if (answer.status === 304 || text === "") return null;
  if (!(media in documented.content)) return told;
  if (code !== "") {
    const isWritten = documented.description.split(", ").includes(code) && schemas.problem.safeParse(JSON.parse(text)).success;
    return isWritten ? null : told;
  }
  if (media !== "application/json") return null;
  const read = schemas.answer(operation, String(answer.status), media).safeParse(JSON.parse(text));
  return read.success ? null : `${told} ${z.prettifyError(read.error)}`;
}

const people = ["owner-1", "owner-1", "owner-2", "agent-1", "officer", "operator", "agent-9", undefined] as const;

async function send(as: string | undefined, { route, method, path, headers, body }: GeneratedRequest): Promise<string | null> {
  const answer = await gateway.call(method, path, { ...(as !== undefined && { as }), headers, ...(body !== undefined && { body }) });
  return wrongWith(route, answer);
}

describe("requests made from the document", () => {
  it(
    "are answered as the document says, whatever is wrong with them, and leave no fault",
    async () => {
      const anyRequest = fc.oneof(...[...operations.values()].map((operation) => requestOf(operation, known, odd)));
      const together = fc.array(fc.tuple(fc.constantFrom(...people), anyRequest), { minLength: 10, maxLength: 10 });
      await fc.assert(
        fc.asyncProperty(together, async (requests) => {
          const wrong = await Promise.all(requests.map(([as, request]) => send(as, request)));
          expect(wrong.filter((told) => told !== null)).toEqual([]);
          expect(gateway.faults).toEqual([]);
        }),
        tries(200),
      );
    },
    timeoutMs,
  );
});

/** A file with a line or a word of it changed. */
function changed(text: string): fc.Arbitrary<string> {
  const lines = text.split("\n");
  const place = fc.nat(lines.length - 1);
  const edit = fc.oneof(
    place.map((at) => lines.toSpliced(at, 1)),
    fc.tuple(place, place).map(([from, to]) => lines.toSpliced(to, 0, lines[from] ?? "")),
    fc
      .tuple(place, fc.constantFrom("  ", "\t", "- ", "? ", "&a ", "*a ", "!!js ", "---\n", "{", "]"))
      .map(([at, before]) => lines.with(at, before + lines[at])),
    fc.tuple(place, fc.nat(), fc.constantFrom(...odd)).map(([at, word, other]) => {
      const words = (lines[at] ?? "").split(/\b/);
      return lines.with(at, words.length === 0 ? other : words.with(word % words.length, other).join(""));
    }),
  );
  return edit.map((edited) => edited.join("\n"));
}

describe("a contract and a policy with something changed in them", () => {
  it(
    "become a draft, or are refused by file, line and column",
    async () => {
      const [contract, policy] = [contractText({ contract: "c-fuzz" }), shippedPolicy("cs-standard")];
      const files = fc.oneof(fc.tuple(changed(contract), fc.constant(policy)), fc.tuple(fc.constant(contract), changed(policy)));
      await fc.assert(
        fc.asyncProperty(files, async ([agreed, written]) => {
          const answer = await applyFiles(gateway, agreed, "owner-1", written);
          const problem = (await answer.json()) as { errors?: { pointer: string }[] };
          expect([200, 403, 409, 422]).toContain(answer.status);
          if (answer.status === 422)
            for (const { pointer } of problem.errors ?? []) expect(pointer).toMatch(/^(contract|policy)\.yaml(:\d+:\d+)?$/);
          expect(gateway.faults).toEqual([]);
        }),
        tries(100),
      );
    },
    timeoutMs,
  );
});
