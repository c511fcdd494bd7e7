/** What the operator's file may say of sinks, and in which words it is refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openSinks } from "../src/node-sinks.ts";
import { readOperatorFile } from "../src/operator-settings.ts";
import type { SinkSettings } from "../src/sink-settings.ts";
import { operatorFile } from "./support/command-line.ts";

const directory = mkdtempSync(join(tmpdir(), "postern-sinks-"));
const token = join(directory, "token");
writeFileSync(token, "s3cret-token\n");
afterAll(() => rmSync(directory, { recursive: true }));

function read(sinks: string, production = false): readonly SinkSettings[] {
  const file = production
    ? operatorFile.replace("built_in: true", 'issuer: "https://i.example", jwks: "https://i.example/k"')
    : operatorFile;
  return readOperatorFile(`${file}sinks:\n${sinks}`, "postern.yaml", production).sinks;
}

describe("the operator's sinks", () => {
  it("are Splunk, Elasticsearch, syslog and files, and open without being asked anything", async () => {
    const sinks = read(`
  - { id: splunk, kind: splunk_hec, url: "https://splunk.example:8088", token: "file:${token}", index: main }
  - { id: elastic, kind: elastic_bulk, url: "https://elastic.example:9200/es", index: postern-audit, api_key: "file:${token}" }
  - { id: collector, kind: syslog, address: "tls://siem.example:6514" }
  - { id: beside, kind: syslog, address: "tcp://127.0.0.1:601", format: cef }
  - { id: here, kind: splunk_hec, url: "http://localhost:8088", token: "file:${token}" }
  - { id: copy, kind: file, path: /srv/copies/audit.ndjson }`);
    expect((await openSinks(sinks)).map(({ name }) => name)).toEqual(["splunk", "elastic", "collector", "beside", "here", "copy"]);
    expect(read("  []")).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    [
      "a secret in the file",
      '- { id: s, kind: splunk_hec, url: "https://s.example", token: s3cret }',
      /^postern\.yaml: sinks\.0\.token: must be file:PATH/,
    ],
    [
      "a credential in the address",
      '- { id: s, kind: splunk_hec, url: "https://u:s3cret@s.example", token: "file:t" }',
      /sinks\.0\.url: holds no credential/,
    ],
    [
      "plain HTTP to another host",
      '- { id: s, kind: splunk_hec, url: "http://s.example", token: "file:t" }',
      /sinks\.0: would send the log unencrypted .* insecureHttp: true/,
    ],
    [
      "plain TCP to another host",
      '- { id: s, kind: syslog, address: "tcp://s.example:514" }',
      /sinks\.0: would send the log unencrypted .* insecureTcp: true/,
    ],
    [
      "a host that only looks like loopback",
      '- { id: s, kind: splunk_hec, url: "http://127.0.0.1.s.example", token: "file:t" }',
      /unencrypted/,
    ],
    ["another protocol", '- { id: s, kind: splunk_hec, url: "ftp://s.example", token: "file:t" }', /sinks\.0\.url: must be an https/],
    ["an address without a port", '- { id: s, kind: syslog, address: "tls://s.example" }', /sinks\.0\.address: must be tls:\/\/HOST:PORT/],
    ["UDP", '- { id: s, kind: syslog, address: "udp://s.example:514" }', /sinks\.0\.address: must be tls:\/\/HOST:PORT/],
    ["an unknown kind", "- { id: s, kind: kafka }", /sinks\.0\.kind: /],
    ["an unknown key", "- { id: s, kind: file, path: a, pth: b }", /sinks\.0: .*pth/],
    ["a kind's other key", '- { id: s, kind: file, path: a, url: "https://s.example" }', /sinks\.0: .*url/],
    ["a name that is none", "- { id: a b, kind: file, path: a }", /sinks\.0\.id: must match/],
    ["one name twice", "- { id: a, kind: file, path: a }\n  - { id: a, kind: file, path: b }", /sinks\.1\.id: two sinks are called a/],
  ])("are refused in one line: %s", (_case, sinks, line) => {
    expect(() => read(`  ${sinks}`)).toThrow(line);
    expect(() => read(`  ${sinks}`)).not.toThrow(/s3cret/);
  });

  it("may send in the clear where that was said, and in production never", () => {
    const sinks = '  - { id: s, kind: splunk_hec, url: "http://s.example", token: "file:t", insecureHttp: true }';
    expect(read(sinks)).toHaveLength(1);
    expect(() => read(sinks, true)).toThrow("sinks.0.insecureHttp: is refused in production");
  });

  it("name the file of a secret that is not there or not one", async () => {
    const withToken = (path: string) => read(`  - { id: s, kind: splunk_hec, url: "https://s.example", token: "file:${path}" }`);
    await expect(openSinks(withToken(join(directory, "absent")))).rejects.toThrow(/sinks: s: .*absent cannot be read/);
    writeFileSync(join(directory, "two"), "one\ntwo\n");
    await expect(openSinks(withToken(join(directory, "two")))).rejects.toThrow(/holds no credential, or more than one line/);
  });
});
