/** The OpenAPI 3.1 document, generated from the route table: what is not there is not served. */
import * as z from "zod";
import { type RefusalCode, refusals } from "../kernel/index.ts";
import { type HeaderSchema, parameters, type Route } from "./route.ts";

/** Refusals that every route can answer. */
const common: readonly RefusalCode[] = ["bad_header", "bad_query", "method_not_allowed", "fault"];
/** And those of every route that asks who is there. */
const identified: readonly RefusalCode[] = ["token_missing", "not_permitted", "not_found", "database_unavailable"];

/** Who is admitted to a route, by its method and path: roles; `anyone`: nobody is asked; `anyone_for_gateway_log`: nor there, where the log is the gateway's. */
export type AdmittedTo = (route: string) => readonly string[];

export function openApiDocument(routes: readonly Route[], version: string, admittedTo: AdmittedTo): string {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(route, admittedTo(`${route.method} ${route.path}`));
    paths[route.path] = operations;
  }
  return JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Postern", version, license: { name: "MIT", identifier: "MIT" } },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: problemSchema },
    },
  });
}

function operation(route: Route, who: readonly string[]): unknown {
  const answers = Object.entries(route.answers).map(([status, answer]) => [
    status,
    {
      description: answer.description,
      content: Object.fromEntries(
        [answer.media, ...(answer.alsoAs ?? [])].map((media) => [
          media,
          { schema: answer.schema ? z.toJSONSchema(answer.schema, { io: "input" }) : {} },
        ]),
      ),
    },
  ]);
  return {
    summary: route.summary,
    tags: who,
    ...securityOf(who),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route, who)],
    ...(route.body ? { requestBody: requestBody(route.body) } : {}),
    responses: { ...Object.fromEntries(answers), ...problems(route, who) },
  };
}

/** `{}`: the token may be left out. */
function securityOf(who: readonly string[]): object {
  if (who.includes("anyone")) return {};
  return { security: who.includes("anyone_for_gateway_log") ? [{}, { bearer: [] }] : [{ bearer: [] }] };
}

function pathParameters({ path }: Route): unknown[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", pattern: parameters[name ?? ""]?.source },
  }));
}

function queryParameters({ query }: Route): unknown[] {
  return Object.entries(query === "any" ? {} : (query?.shape ?? {})).map(([name, schema]) => ({
    name,
    in: "query",
    required: !(schema as z.ZodType).safeParse(undefined).success,
    schema: z.toJSONSchema(schema as z.ZodType, { io: "input", unrepresentable: "any" }),
  }));
}

const reasonHeader: HeaderSchema = {
  name: "Postern-Reason",
  pattern: "^[\\x21-\\x7e]{1,4500}$",
  description:
    "Why, in your own words: 1 to 500 characters as percent-encoded UTF-8. Sealed in the log; a second owner reads why they are asked.",
};

function headerParameters({ headers = [] }: Route, who: readonly string[]): unknown[] {
  return [...headers, ...(who.includes("anyone") ? [] : [reasonHeader])].map(({ name, pattern, description }) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string", pattern },
  }));
}

function requestBody(body: NonNullable<Route["body"]>): unknown {
  const schema = body.schema ? z.toJSONSchema(body.schema, { io: "input" }) : { type: "string" };
  return {
    required: true,
    description: `${body.description} At most ${body.bytesMax} bytes.`,
    content: Object.fromEntries([body.media, ...(body.alsoAs ?? [])].map((media) => [media, { schema }])),
  };
}

function problems(route: Route, who: readonly string[]): Record<string, unknown> {
  const own: RefusalCode[] = [...route.refusals, ...common];
  if (!who.includes("anyone")) own.push(...identified);
  if (route.path.includes("{")) own.push("bad_id", "not_found");
  if (route.answers[200]?.alsoAs) own.push("not_acceptable");
  if (route.body) own.push("bad_json", "too_large", "wrong_media_type", "unacceptable");
  const byStatus = new Map<number, Set<RefusalCode>>();
  for (const code of own) {
    const { status } = refusals[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: [...codes].join(", "),
        content: route.refusalForm
          ? { [route.refusalForm.media]: { schema: {} } }
          : { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "code", "request_id"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { enum: Object.keys(refusals) },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: { type: "object", required: ["pointer", "code"], properties: { pointer: { type: "string" }, code: { type: "string" } } },
    },
  },
} as const;
