/** The certificate's route: signed unless something else is asked for, to read where the gateway can print, and never as what nobody asked for. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certificatePolicy } from "../src/cli/certificate-html.ts";
import { preferredOf } from "../src/http/accept.ts";
import { createPrinter } from "../src/node-printer.ts";
import { createWorld, fetchCertificate, populate, purge, type World } from "./support/purge-world.ts";

const offered = ["application/jose", "text/html", "application/pdf"];

describe("a client says what it accepts", () => {
  it.each([
    [null, "application/jose"],
    ["", "application/jose"],
    ["*/*", "application/jose"],
    ["application/*", "application/jose"],
    ["text/html", "text/html"],
    ["TEXT/HTML;q=0.5, application/jose;q=0.4", "text/html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["application/pdf, text/html", "text/html"],
    ["application/jose;q=0, */*", "text/html"],
    ["application/jose;q=0, text/*;q=0, */*;q=0.1", "application/pdf"],
    ["text/html;level=1", "text/html"],
    ["application/json", null],
    ["text/html;q=0", null],
    ["text/html;q=2", null],
    ["text/html;q=abc", null],
    ["text", null],
  ])("%s: %s", (accept, expected) => {
    expect(preferredOf(accept, offered)).toBe(expected);
  });

  it("and gets what is offered or nothing, whatever it says", () => {
    fc.assert(fc.property(fc.string(), (accept) => [...offered, null].includes(preferredOf(accept, offered))));
  });
});

describe("an owner asks for a certificate", { timeout: 60_000 }, () => {
  let printing: World;
  let path: string;
  let signed: string;

  beforeAll(async () => {
    printing = await createWorld({ keeper: { printer: createPrinter() } });
    await populate(printing.gateway);
    const job = await purge(printing.gateway);
    path = `/v1/contracts/c-test/purges/${job}/certificate`;
    signed = await fetchCertificate(printing.gateway, job);
  });
  afterAll(() => printing.close());

  const ask = (accept: string | null, as = "owner-1", which = "") =>
    printing.gateway.call("GET", `${path}${which}`, { as, headers: accept === null ? {} : { accept } });

  it.each([null, "*/*", "application/jose"])("and gets it as it was signed, asking for %s", async (accept) => {
    const response = await ask(accept);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/jose"]);
    expect([response.headers.get("vary"), response.headers.get("cache-control")]).toEqual(["accept", "no-store"]);
    expect(await response.text()).toBe(signed);
  });

  it("and gets a page in both languages, which may run and load nothing, and says that nobody verified it", async () => {
    const response = await ask("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect([response.headers.get("vary"), response.headers.get("cache-control")]).toEqual(["accept", "no-store"]);
    expect(response.headers.get("content-security-policy")).toBe(`${certificatePolicy()}; frame-ancestors 'none'`);
    expect(certificatePolicy()).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'$/);
    const html = await response.text();
    expect(html).toContain("数据清除证明");
    expect(html).toContain("Certificate of Destruction");
    expect(html).toContain("Not verified when this was made");
    expect(html).not.toContain("<script");
  });

  it("and gets a PDF, the same for all who ask at once", async () => {
    const responses = await Promise.all([ask("application/pdf"), ask("application/pdf", "owner-2")]);
    expect(responses.map(({ status, headers }) => [status, headers.get("content-type")])).toEqual([
      [200, "application/pdf"],
      [200, "application/pdf"],
    ]);
    const [one, other] = await Promise.all(responses.map(async (response) => Buffer.from(await response.arrayBuffer())));
    expect(one?.subarray(0, 5).toString()).toBe("%PDF-");
    expect(other?.equals(one ?? Buffer.of())).toBe(true);
  });

  it("and is told which forms there are where it accepts none of them", async () => {
    const response = await ask("application/json");
    expect([response.status, response.headers.get("vary")]).toEqual([406, "accept"]);
    expect(await response.json()).toMatchObject({
      code: "not_acceptable",
      errors: [{ pointer: "header:accept", code: "not_offered", message: offered.join(", ") }],
    });
  });

  it("and is told nothing in any form where it is not theirs, or not there", async () => {
    for (const accept of offered) {
      expect((await ask(accept, "owner-b1")).status).toBe(404);
      expect((await ask(accept, "owner-1", "?which=final")).status).toBe(404);
    }
  });

  it("finds the forms in the document of the gateway that offers them", async () => {
    const document = (await (await printing.gateway.call("GET", "/openapi.json")).json()) as {
      paths: Record<string, { get: { responses: Record<string, { content: object; description: string }> } }>;
    };
    const { responses } = document.paths["/v1/contracts/{contract}/purges/{job}/certificate"]?.get ?? {};
    expect(Object.keys(responses?.["200"]?.content ?? {})).toEqual(offered);
    expect(responses?.["406"]?.description).toBe("not_acceptable");
  });
});

describe("a gateway that cannot print", { timeout: 60_000 }, () => {
  it("says so to who wants a page, and answers what was signed to who takes anything", async () => {
    const world = await createWorld();
    try {
      await populate(world.gateway);
      const path = `/v1/contracts/c-test/purges/${await purge(world.gateway)}/certificate`;
      const ask = (accept: string) => world.gateway.call("GET", path, { as: "owner-1", headers: { accept } });
      const refused = await ask("text/html");
      expect([refused.status, await refused.json()]).toMatchObject([406, { errors: [{ message: "application/jose" }] }]);
      expect((await ask("text/html, */*;q=0.1")).headers.get("content-type")).toBe("application/jose");
    } finally {
      await world.close();
    }
  });
});
