/** An officer searches the log, names a person by the merchant's own id, and watches it grow. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, type search } from "./support/agreement.ts";
import { createGateway, type Gateway, merchants } from "./support/gateway.ts";

interface Entry {
  readonly index: number;
  readonly id: string;
  readonly event: string;
  readonly actor: { readonly subject: string | null };
  readonly effect: string;
  readonly code: string;
  readonly purpose: string | null;
  readonly locators: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, unknown>>;
}
interface Page {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

const base = "/v1/contracts/c-test/audit";
const customers = [
  { id: "U1", name: "欧阳娜娜", phone: "13800138000", email: "nana@example.com", note: "不要按门铃" },
  { id: "U2", name: "林小满", phone: "13900139000", email: "xiaoman@example.com" },
];

let gateway: Gateway;
let locators: readonly string[];
beforeAll(async () => {
  const demo = (subject: string) => ({ issuer: "demo", subject });
  const linxi = { ...merchants["m-linxi"], officers: [demo("officer"), demo("officer-2")] };
  gateway = await createGateway({ common: { merchants: { ...merchants, "m-linxi": linxi } } });
  await bringIntoForce(gateway, { purposes: "{ after_sales: { preset: after_sales }, everything: {} }" });
  await importLines(gateway, customers);
  locators = await Promise.all(
    customers.map(async ({ id }) => {
      const answer = await gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
        as: "agent-1",
        body: { by: { id } },
        headers: { "postern-purpose": "everything" },
      });
      return ((await answer.json()) as Awaited<ReturnType<typeof search>>).records[0]?.locator ?? "";
    }),
  );
  await read(0, "agent-1", "everything");
  await read(0, "agent-2", "after_sales");
  await read(1, "agent-1", "after_sales");
  await read(0, "agent-2", "no_such_purpose", 422);
  await gateway.keeper.sequence();
});
afterAll(() => gateway.close());

async function read(customer: 0 | 1, as: string, purpose: string, status = 200): Promise<void> {
  const headers = { "postern-purpose": purpose };
  await expectStatus(gateway.call("GET", `/v1/contracts/c-test/records/customer/${locators[customer]}`, { as, headers }), status);
}

async function list(query: string): Promise<readonly Entry[]> {
  const answer = await expectStatus(gateway.call("GET", `${base}/entries${query}`, { as: "officer" }), 200);
  return ((await answer.json()) as Page).entries;
}

async function nameOf(body: unknown, as = "officer", status = 200): Promise<{ subject: string; locator: string }> {
  const answer = await expectStatus(gateway.call("POST", `${base}/subjects`, { as, body }), status);
  return (await answer.json()) as { subject: string; locator: string };
}

describe("an officer searches the log", () => {
  it("by purpose and by event", async () => {
    const careful = await list("?purpose=after_sales");
    expect(careful.map(({ event, actor }) => `${event} ${actor.subject}`)).toEqual(["record.read agent-1", "record.read agent-2"]);
    expect((await list("?purpose=everything&event=record.searched")).length).toBe(2);
    expect((await list("?event=seats.imported")).map(({ actor }) => actor.subject)).toEqual(["owner-1"]);
    expect(await list("?purpose=nothing_of_the_kind")).toEqual([]);
  });

  it("by the field that left, and by how it left", async () => {
    const named = await list("?field=name");
    expect(named.length).toBeGreaterThan(0);
    for (const { fields } of named) expect(fields.name).toMatch(/^(mask|reveal|generalize|pseudonymize)$/);
    const whole = await list("?event=record.read&effect=allow");
    expect(named.filter(({ event }) => event === "record.read")).toEqual(whole.filter(({ fields }) => fields.name !== undefined));
    expect(whole.length).toBeGreaterThan(named.filter(({ event }) => event === "record.read").length);
    const masked = await list("?treatment=mask&event=record.read");
    expect(masked).toEqual(whole.filter(({ fields }) => Object.values(fields).includes("mask")));
    expect(await list("?field=name&treatment=generalize")).toEqual([]);
    expect(await list("?field=no.such.path")).toEqual([]);
  });

  it("by all of it at once", async () => {
    const { locator } = await nameOf({ type: "customer", id: "U1" });
    const query = `?actor=demo/agent-2&subject=${locator}&effect=allow&event=record.read&purpose=after_sales&field=phone&treatment=mask&from=2020-01-01T00:00:00Z&to=2090-01-01T00:00:00Z`;
    expect((await list(query)).map(({ actor, locators: [about] }) => [actor.subject, about])).toEqual([["agent-2", locator]]);
    expect(await list(query.replace("agent-2", "agent-1"))).toEqual([]);
  });

  it("and the entry of the search says by what, not for whom", async () => {
    await list("?actor=demo/agent-1&field=phone&limit=1");
    await gateway.keeper.sequence();
    const [newest] = await list("?event=audit.listed&limit=1");
    expect(newest?.facts).toEqual({ contract: "c-test", asked_by: ["actor", "field"] });
  });

  it("page by page, and what is written meanwhile moves nothing", async () => {
    const before = (await list("?event=record.read&limit=200")).map(({ id }) => id);
    const paged: string[] = [];
    let cursor = "";
    do {
      const answer = await expectStatus(gateway.call("GET", `${base}/entries?event=record.read&limit=1${cursor}`, { as: "officer" }), 200);
      const { entries, next } = (await answer.json()) as Page;
      paged.push(...entries.map(({ id }) => id));
      await read(1, "agent-1", "everything");
      await gateway.keeper.sequence();
      cursor = next === null ? "" : `&cursor=${next}`;
    } while (cursor !== "");
    expect(paged).toEqual(before);
  });
});

describe("is this entry about customer X?", () => {
  it("is answered to whoever knows the merchant's id, refused asks included", async () => {
    const { subject, locator } = await nameOf({ type: "customer", id: "U1" });
    expect(locator).toBe(locators[0]);
    expect(subject).toMatch(/^s_[a-z2-7]{26}$/);
    const about = await list(`?subject=${locator}`);
    expect(about.map(({ event, code }) => `${event} ${code}`)).toEqual([
      "record.read purpose_unknown",
      "record.read masked",
      "record.read masked",
      "record.searched masked",
    ]);
    expect(await list(`?subject=${subject}`)).toEqual(about.filter(({ effect }) => effect === "allow"));
  });

  it("has an answer for everybody: that there is no such person is not said", async () => {
    const { locator } = await nameOf({ type: "customer", id: "nobody at all" });
    expect(await list(`?subject=${locator}`)).toEqual([]);
  });

  it("is not answered to others, nor of what the policy does not know", async () => {
    for (const [as, status] of [
      ["owner-1", 403],
      ["agent-1", 403],
      ["officer-b", 404],
    ] as const)
      await nameOf({ type: "customer", id: "U1" }, as, status);
    expect(await nameOf({ type: "custmer", id: "U1" }, "officer", 422)).toMatchObject({
      code: "unacceptable",
      errors: [{ pointer: "/type", code: "unknown" }],
    });
    for (const body of [
      {},
      { type: "customer" },
      { type: "customer", id: "" },
      { type: "customer", id: 1 },
      { type: "customer", id: "U1", x: 1 },
    ])
      await nameOf(body, "officer", 422);
  });

  it("leaves nothing of the id in the log", async () => {
    await nameOf({ type: "customer", id: "13800138000@U1" });
    const rows = await gateway.database.query("select encode(entries, 'escape') from audit.flush");
    expect(rows.map(([text]) => String(text)).join("")).toContain("subject_named");
    expect(rows.map(([text]) => String(text)).join("")).not.toContain("13800138000@U1");
  });
});

describe("what is not understood is never guessed", () => {
  const times = [
    "0001-01-01T00:00:00Z",
    "infinity",
    "-infinity",
    "now",
    "2016-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "NaN",
  ];
  const wrong = [
    ...times.flatMap((time) => [`from=${time}`, `to=${time}`]),
    "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    "event=record.red",
    "event=",
    "purpose=",
    "field=",
    "treatment=blur",
    "treatment=withhold",
    "actor=bob",
    "actor=/bob",
    "actor=demo/",
    "actor=a_short",
    "subject=U1",
    "subject=s_short",
    "cursor=AAAA",
  ];

  it.each(["entries?", "tail?", "export?format=csv&"])("%s", async (route) => {
    for (const query of wrong) {
      const answer = await gateway.call("GET", `${base}/${route}${query}`, { as: "officer" });
      const problem = (await answer.json()) as { code: string; errors: { pointer: string }[] };
      expect([query, answer.status, problem.code]).toEqual([query, 400, "bad_query"]);
      const named = query.split("&").at(-1)?.split("=")[0] ?? "";
      expect([query, problem.errors[0]?.pointer]).toEqual([query, `query:${named}`]);
    }
    expect(gateway.faults).toEqual([]);
  });

  it.each(["-1", "0", "1e9", "NaN", "201", "1.5", " 1", "999999999999999999999", "١"])("limit=%s", async (limit) => {
    const answer = await gateway.call("GET", `${base}/entries?limit=${encodeURIComponent(limit)}`, { as: "officer" });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "bad_query", errors: [{ pointer: "query:limit" }] });
  });

  it("a cursor of one route on another, of another officer, or under another filter", async () => {
    const answer = await gateway.call("GET", `${base}/export?format=csv`, { as: "officer" });
    const copy = answer.headers.get("export-cursor") ?? "";
    await answer.body?.cancel();
    const { next } = (await (await gateway.call("GET", `${base}/entries?limit=1`, { as: "officer" })).json()) as Page;
    for (const [route, as] of [
      [`entries?cursor=${copy}`, "officer"],
      [`tail?cursor=${next}`, "officer"],
      [`export?format=csv&cursor=${next}`, "officer"],
      [`export?format=cef&cursor=${copy}`, "officer"],
      [`export?format=csv&effect=deny&cursor=${copy}`, "officer"],
      [`export?format=csv&cursor=${copy}`, "officer-2"],
      [`export/manifest?format=csv&bytes=0&cursor=${next}`, "officer"],
    ] as const) {
      const refused = await gateway.call("GET", `${base}/${route}`, { as });
      expect([route, refused.status]).toEqual([route, 400]);
      expect(await refused.json()).toMatchObject({ errors: [{ pointer: "query:cursor", code: "not_usable" }] });
    }
  });
});

describe("an officer follows the log", () => {
  it("sees each entry once as it gets its place, by one entry of their own, and goes on behind a cursor", async () => {
    const answer = await expectStatus(gateway.call("GET", `${base}/tail?event=record.read`, { as: "officer" }), 200);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = linesOf(answer);
    await read(0, "agent-1", "everything");
    await read(1, "agent-2", "everything");
    await gateway.keeper.sequence();
    const [first, second] = [await lines.next(), await lines.next()];
    expect([first.value?.actor.subject, second.value?.actor.subject]).toEqual(["agent-1", "agent-2"]);
    await lines.return(undefined);

    await read(1, "agent-1", "after_sales");
    await gateway.keeper.sequence();
    const again = linesOf(await gateway.call("GET", `${base}/tail?event=record.read&cursor=${first.value?.cursor}`, { as: "officer" }));
    expect((await again.next()).value?.id).toBe(second.value?.id);
    expect((await again.next()).value?.purpose).toBe("after_sales");
    await again.return(undefined);
    await gateway.keeper.sequence();
    expect((await list("?event=audit.listed&limit=200")).filter(({ code }) => code === "followed")).toHaveLength(2);
  });
});

async function* linesOf(answer: Response): AsyncGenerator<Entry & { cursor: string }, undefined> {
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const [last = "", ...whole] = `${rest}${chunk}`.split("\n").reverse();
    rest = last;
    for (const line of whole.reverse()) if (line !== "") yield JSON.parse(line);
  }
  return undefined;
}
