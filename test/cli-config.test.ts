/** What an operator can have got wrong ends a start at once: one line that names the key and the cure, and none of a secret. */
import { afterAll, describe, expect, it } from "vitest";
import { createCommandLine, operatorFile } from "./support/command-line.ts";

const { postern, timed, put, remove } = await createCommandLine();
/** Of the process's own work: the suite's files run beside each other, and waiting for a turn is not slowness. */
const configEndsWithinMs = 2_000;

put("postern.yaml", operatorFile);
afterAll(remove);

describe("a start with a configuration that cannot be", () => {
  const production = { NODE_ENV: "production" };
  const urls = { DATABASE_URL_EDGE: "postgres://e@127.0.0.1:9/x", DATABASE_URL_KEEPER: "postgres://k@127.0.0.1:9/x" };

  it.each<[string, Record<string, string>, RegExp]>([
    ["an unknown variable", { POSTERN_ORIGN: "x" }, /POSTERN_ORIGN is not a setting; did you mean POSTERN_ORIGIN\?/],
    ["a port that is none", { PORT: "80a" }, /PORT: must be a port number/],
    ["an origin that is none", { POSTERN_ORIGIN: "javascript:alert(1)" }, /POSTERN_ORIGIN: must be an http/],
    ["a database that is none", { DATABASE_URL_EDGE: "mysql://x" }, /DATABASE_URL_EDGE: must be a postgres/],
    ["a share store that is none", { POSTERN_SHARE_STORE: "s3://x" }, /POSTERN_SHARE_STORE: must be file:PATH or/],
    ["a root key that is no file", { POSTERN_ROOT_KEY: "c2VjcmV0" }, /POSTERN_ROOT_KEY: must be file:PATH/],
    ["plain HTTP for others", { HOST: "0.0.0.0" }, /HOST 0\.0\.0\.0 would serve plain HTTP/],
    ["no operator's file", { POSTERN_CONFIG: "absent.yaml" }, /absent\.yaml cannot be read; POSTERN_CONFIG names/],
    ["production with the embedded database", production, /DATABASE_URL_EDGE and DATABASE_URL_KEEPER are needed in production/],
    ["production with the built-in issuer", { ...production, ...urls }, /the built-in issuer is refused in production/],
    ["one side without a Postgres", { only: "edge" }, /--only edge needs a Postgres/],
  ])("ends within 2 s, code 78, one line: %s", async (_case, variables, line) => {
    const { only, ...environment } = variables;
    await refusedStart(only ? `serve --only ${only}` : "serve", environment, line);
  });

  it.each<[string, string, RegExp]>([
    ["of 15 bytes", Buffer.from("fifteen-bytes-k").toString("base64"), /root\.key has 15 bytes; a key has 32/],
    ["of zeros", Buffer.alloc(32).toString("base64"), /root\.key is not random/],
    ["that is not base64", "correct horse battery staple", /root\.key is not a key/],
  ])("names a key file %s, and shows none of it", async (_case, text, line) => {
    put(
      "root.key",
      `${text}
`,
    );
    const said = await refusedStart("serve", { POSTERN_ROOT_KEY: "file:root.key" }, line);
    expect(said).not.toContain(text.slice(0, 8));
  });

  it.each<[string, string, RegExp]>([
    ["one owner", operatorFile.replace(", { issuer: demo, subject: owner-2 }", ""), /needs at least two owners/],
    ["an owner who is also officer", operatorFile.replace("subject: officer", "subject: owner-1"), /demo\/owner-1 is also an owner/],
    [
      "a vendor's admin who is also owner",
      operatorFile.replace("[demo] }", "[demo], admins: [{ issuer: demo, subject: owner-1 }] }"),
      /vendors\.v-yunfu\.admins: demo\/owner-1 holds another office/,
    ],
    [
      "a vendor's admin of another organisation's issuer",
      operatorFile.replace("[demo] }", "[demo], admins: [{ issuer: other, subject: a }] }"),
      /vendors\.v-yunfu\.admins: other\/a comes by no issuer of v-yunfu's/,
    ],
    ["an unknown key", `${operatorFile}merchnats: {}\n`, /merchnats/],
    [
      "a merge delay that is none",
      `${operatorFile}log: { merge_delay_seconds: 5m }\n`,
      /log\.merge_delay_seconds: must be whole seconds from 60/,
    ],
    ["one of a day", `${operatorFile}log: { merge_delay_seconds: 86400 }\n`, /log\.merge_delay_seconds: must be .* from 60 to 3600/],
    [
      "a stop before it",
      `${operatorFile}log: { disclosure_stops_seconds: 300 }\n`,
      /log\.disclosure_stops_seconds: must be more than merge_delay_seconds/,
    ],
    ["a key of the log that is none", `${operatorFile}log: { merge_delay: 60 }\n`, /log: .*merge_delay/],
    ["broken YAML", "issuers: [", /broken\.yaml:1/],
  ])("names what is wrong in the operator's file: %s", async (_case, text, line) => {
    put("broken.yaml", text);
    await refusedStart("serve", { POSTERN_CONFIG: "broken.yaml" }, line);
  });

  it("signs no token in production", async () => {
    expect(await postern("token agent-1", "", production)).toMatchObject({ code: 78, stdout: "" });
  });

  async function refusedStart(words: string, variables: Readonly<Record<string, string>>, line: RegExp): Promise<string> {
    const { code, stdout, stderr, workedMs } = await timed(words, variables);
    expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 78, stdout: "", lines: 2 });
    expect(stderr).toMatch(line);
    expect(workedMs).toBeLessThan(configEndsWithinMs);
    return stderr;
  }
});
