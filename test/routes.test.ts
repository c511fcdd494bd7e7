/** Every route is documented and every documented one is served, whatever the method, the path's spelling or the bytes on the wire. */
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { serve as listen, type ServerType } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { type Ask, documentedAsk, readDocument, type Served } from "./support/documented.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

const nowhere = `r_${"a".repeat(26)}`;

let gateway: Gateway;
let locator: string;
let served: Served;
let ask: Ask;
beforeAll(async () => {
  gateway = await createGateway();
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  locator = (await search(gateway, { id: "U1" })).records[0]?.locator ?? "";
  served = await readDocument(gateway);
  ask = documentedAsk(gateway, served);
});
afterAll(() => gateway.close());

describe("routes", () => {
  it("are those of the document, no other, each with its methods", async () => {
    const routed = new Set(gateway.app.routes.map(({ path }) => path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")));
    expect([...routed].sort()).toEqual(Object.keys(served).sort());
    for (const [pattern, operations] of Object.entries(served)) {
      const path = pattern.replaceAll(/\{\w+\}/g, (name) => (name === "{locator}" ? nowhere : "x"));
      const allowed = Object.keys(operations).map((method) => method.toUpperCase());
      for (const method of ["HEAD", "OPTIONS", "GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "QUERY"]) {
        if (allowed.includes(method)) continue;
        const { status, answer } = await ask(method, path, { headers: { "x-http-method-override": "DELETE" } });
        expect([pattern, method, status, answer.headers.get("allow")?.split(", ").sort()]).toEqual([pattern, method, 405, allowed.sort()]);
      }
    }
  });

  it("beyond that are 404, as problems, in the reader's language", async () => {
    for (const path of ["/", "/v1", "/v1/", "/v1/me/", "/V1/me", "//v1/me", "/v1/contracts/c-test/records/customer", "/docs", "/.env"]) {
      expect(await ask("GET", path)).toMatchObject({ status: 404, code: "not_found" });
    }
    const { answer } = await ask("GET", "/nowhere", { headers: { "accept-language": "zh-CN,zh;q=0.9" } });
    expect([answer.headers.get("content-language"), ((await answer.json()) as { title: string }).title]).toEqual(["zh-CN", "未找到"]);
  });

  it("need a token, and say the same whether the record is there", async () => {
    const path = (name: string) => `/v1/contracts/c-test/records/customer/${name}`;
    const bodies = await Promise.all(
      [locator, nowhere].map(async (name) => {
        const answer = await gateway.call("GET", path(name));
        expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="postern"']);
        return (await answer.text()).replace(answer.headers.get("x-request-id") ?? "", "ID");
      }),
    );
    expect(bodies[0]).toBe(bodies[1]);
  });
});

describe("over a socket", () => {
  let server: ServerType;
  let port: number;
  beforeAll(async () => {
    server = listen({ fetch: gateway.app.fetch, port: 0, hostname: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** What comes back for these lines, byte for byte. */
  function send(lines: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(`${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n`));
      let text = "";
      socket.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text)).on("error", reject);
    });
  }
  const request = (line: string, ...headers: string[]) => send([`${line} HTTP/1.1`, "Host: 127.0.0.1", ...headers]);

  it("one good token is an answer; two headers, or a second in one, are 400 and say nothing", async () => {
    const path = `/v1/contracts/c-test/records/customer/${locator}`;
    const good = `Authorization: Bearer ${await gateway.token("agent-1")}`;
    expect(await request(`GET ${path}`, good)).toMatch(/^HTTP\/1.1 200 /);
    for (const headers of [[good, good], [good, "Authorization: Bearer x"], ["authorization: Bearer x", good], [`${good}, Bearer x`]]) {
      const answer = await request(`GET ${path}`, ...headers);
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      expect(answer).toContain('"code":"bad_header"');
      expect(answer).not.toContain("欧阳");
    }
  });

  it.each([
    ["GET /v1/contracts/c-test/records/customer/%00", /^HTTP\/1.1 400 /],
    ["GET /v1/contracts/c-test/records/customer/..%2f..%2fc-other", /^HTTP\/1.1 40[04] /],
    ["GET /v1/contracts/c-test/records/customer/../../../c-other/records/customer/x", /^HTTP\/1.1 40[04] /],
    ["GET /v1/contracts/c-test/records/customer/%2e%2e/x", /^HTTP\/1.1 40[04] /],
    ["GET /v1/contracts/c-test/records/customer/%zz", /^HTTP\/1.1 40[04] /],
    ["GET /v1/contracts/c-test/records/customer/%E9%A6", /^HTTP\/1.1 40[04] /],
    ["GET /v1\\contracts\\c-test", /^HTTP\/1.1 40[04] /],
    ["TRACE /v1/me", /^HTTP\/1.1 405 /],
    ["HEAD /v1/me", /^HTTP\/1.1 405 /],
    ["PROPFIND /v1/me", /^HTTP\/1.1 405 /],
    ["OPTIONS *", /^HTTP\/1.1 40[045] /],
  ])("%s is refused", async (line, status) => {
    const answer = await request(line, `Authorization: Bearer ${await gateway.token("agent-1")}`);
    expect(answer).toMatch(status);
    expect(answer).not.toMatch(/node_modules|select |Error:/);
  });

  it("nothing of all that was a fault", () => {
    expect(gateway.faults).toEqual([]);
  });
});
