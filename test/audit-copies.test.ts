/** Copies of the log for other systems: whatever stands in an entry stays where it stands. */
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, eventNames } from "../src/audit/index.ts";
import { type Copied, createCopyFormats } from "../src/copies/index.ts";
import { sha256, toHex, utf8 } from "../src/crypto/index.ts";
import { canonicalJson } from "../src/kernel/index.ts";
import { hasShared, readShared } from "./support/shared.ts";

const formats = createCopyFormats("0.0.0");

/** `text` wherever an entry has room for a text that somebody else chose. */
function copied(text: string, { event = "record.read", effect = "allow", code = "masked" } = {}): Copied {
  return {
    index: 7,
    entry: {
      v: 1,
      log: "test/postern/c-test",
      id: "019aaaaa-aaaa-7aaa-aaaa-aaaaaaaaaaaa",
      time: "2026-11-27T03:49:37.738Z",
      writer: { id: `w_${"a".repeat(16)}`, n: 0 },
      event: event as Entry["event"],
      actor: { role: "agent", id: `a_${"a".repeat(26)}` },
      request: { id: text, route: text },
      reason: { purpose: text, ticket: `t_${"a".repeat(26)}` },
      resource: { type: text, records: [{ locator: text, subject: `s_${"a".repeat(26)}` }], fields: { [text]: "mask" } },
      decision: { policy: text, role: text },
      outcome: { effect: effect as "allow" | "deny", code },
      facts: { [text]: text },
    },
    details: { issuer: text, subject: text, address: text, userAgent: text },
  };
}

const hostile = [
  "\r\n<110>1 2026-01-01T00:00:00Z evil postern - - - forged",
  "a\rb",
  "a\nb\n",
  "\u001b[2J\u001b[31mred",
  "a\u2028b\u2029c\u0085d",
  "\u202egnp.exe",
  "CEF:0|x|y|z| act=forged \\|\\=",
  'a|b=c\\n"d"]e,f;g\'h\\',
  "=cmd|' /C calc'!A0",
  "+1+1",
  "-2+3",
  "@SUM(1)",
  "\t=1",
  "\0=1",
  "＝1+1",
  "\ud800 lone",
  "林小满 🧾",
];

describe("CSV", () => {
  const rowsOf = (texts: readonly string[]): Record<string, string>[] =>
    parse(formats.csv.head + texts.map((text) => formats.csv.record(copied(text))).join(""), { columns: true, record_delimiter: "\r\n" });

  it("gives back every text, one row an entry", () => {
    const rows = rowsOf(hostile);
    expect(rows).toHaveLength(hostile.length);
    rows.forEach((row, i) => {
      const [text = ""] = hostile.slice(i, i + 1);
      for (const name of ["user_agent", "purpose", "type", "route", "request_id", "actor_subject", "policy"]) {
        expect(row[name]?.replace(/^'/, "")).toBe(text.toWellFormed());
      }
      expect([row.index, row.event, row.effect]).toEqual(["7", "record.read", "allow"]);
    });
  });

  it("has no cell that a spreadsheet takes for a formula", () => {
    for (const row of rowsOf(hostile)) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r\0＝＋－＠]/);
    expect(rowsOf(["=1"])[0]?.purpose).toBe("'=1");
    expect(rowsOf(["\r=1"])[0]?.purpose).toBe("'\r=1");
    expect(rowsOf(["a=1"])[0]?.purpose).toBe("a=1");
  });

  it("holds for any text at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const [row, ...more] = rowsOf([text]);
        expect(more).toEqual([]);
        expect(/^[=+\-@\t\r\0＝＋－＠]/.test(text) ? `'${text}` : text).toBe(row?.purpose);
      }),
      { numRuns: 100 },
    );
  });
});

describe("CEF", () => {
  it("has its seven fields and its keys, whatever the texts say", () => {
    for (const text of hostile) {
      const record = formats.cef.record(copied(text));
      const { head, extension } = readCef(record);
      expect(head).toEqual(["CEF:0", "Postern", "Postern", "0.0.0", "record.read", "record.read allow", "3"]);
      expect(Object.keys(extension)).toEqual([...new Set(Object.keys(extension))]);
      expect(extension.act).toBe("record.read");
      expect(extension.rt).toBe("1795751377738");
      expect(extension.requestClientApplication).toBe(seen(text, ["\r", "\n"]));
      expect(extension.cs1).toBe(seen(text, ["\r", "\n"]));
    }
  });

  it("has a bar in its head only where a field ends", () => {
    expect(createCopyFormats("1|2\\3").cef.record(copied("x"))).toContain("|Postern|1\\|2\\\\3|record.read|");
  });

  it("has an IPv6 address in the field for one", () => {
    const { extension } = readCef(formats.cef.record(copied("2001:db8::1")));
    expect([extension.src, extension.c6a2, extension.c6a2Label]).toEqual([undefined, "2001:db8::1", "Source IPv6 Address"]);
    expect(readCef(formats.cef.record(copied("192.0.2.1"))).extension.src).toBe("192.0.2.1");
  });
});

describe("syslog", () => {
  it("has one header, one structure and a text behind a byte order mark, whatever the texts say", () => {
    for (const text of hostile) {
      const { header, parameters, message } = readSyslog(formats.syslog.record(copied(text)));
      expect(header).toBe("<110>1 2026-11-27T03:49:37.738Z test postern - record.read");
      expect(parameters.index).toBe("7");
      expect(parameters.purpose).toBe(seen(text));
      expect(parameters.user_agent).toBe(seen(text));
      expect(message).toBe(`agent ${seen(text)}: record.read, allow (masked)`);
    }
    expect(formats.syslog.record(copied("x", { effect: "deny" }))).toMatch(/^<108>1 /);
  });
});

describe("OCSF", () => {
  it("is one line of JSON that holds the texts as they are", () => {
    for (const text of hostile) {
      const record = formats.ocsf.record(copied(text));
      expect(record).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*\n$/u);
      const event = JSON.parse(record);
      expect(event.unmapped).toMatchObject({ purpose: text, type: text, fields: { [text]: "mask" }, facts: { [text]: text } });
      expect(event.actor.user.name).toBe(text.toWellFormed());
    }
  });

  it.each([
    ["record.read", "allow", "masked", 600501],
    ["record.searched", "allow", "masked", 600504],
    ["record.read", "deny", "outside_hours", 600501],
    ["audit.listed", "allow", "ok", 600508],
    ["purge.rows.done", "allow", "ok", 600507],
    ["contract.activated", "allow", "ok", 600303],
    ["request.refused", "deny", "token_expired", 300201],
    ["request.refused", "deny", "not_found", 600302],
    ["record.read", "deny", "record_damaged", 200601],
    ["contract.backdated", "allow", "ok", 200601],
  ])("%s, %s (%s) is %i", (event, effect, code, type) => {
    const made = JSON.parse(formats.ocsf.record(copied("x", { event, effect, code })));
    expect([made.type_uid, made.status_id, made.metadata.version]).toEqual([type, effect === "allow" ? 1 : 2, "1.8.0"]);
  });

  it("calls a value that was shown in the clear a decryption", () => {
    const shown = copied("phone");
    if (shown.entry.resource) shown.entry.resource.fields.phone = "reveal";
    expect(JSON.parse(formats.ocsf.record(shown)).type_uid).toBe(600510);
  });

  it("carries with the profile a digest of its own canonical form", () => {
    const event = JSON.parse(formats.integrity.record(copied("林小满")));
    const [{ fingerprint, ...attestation }] = event.attestation_list;
    expect([event.metadata.version, event.metadata.profiles]).toEqual(["1.9.0", ["record_integrity"]]);
    expect(fingerprint.value).toBe(toHex(sha256(utf8(canonicalJson({ ...event, attestation_list: [attestation] })))));
  });

  it.skipIf(!hasShared(schemaFile("base_event")))("has for each event what the published schema requires", () => {
    for (const event of eventNames) {
      for (const [effect, code] of [
        ["allow", "ok"],
        ["deny", "token_expired"],
        ["deny", "record_damaged"],
      ] as const) {
        const made = JSON.parse(formats.integrity.record(copied("x", { event, effect, code })));
        const missing = (name: string, part: object = made) => missingFrom(schemaOf(name), part);
        expect(missing("base_event")).toEqual([]);
        expect(missing("attestation", made.attestation_list[0])).toEqual([]);
        expect(missing("fingerprint", made.attestation_list[0].fingerprint)).toEqual([]);
        if (made.actor) expect([missing("actor", made.actor), missing("user", made.actor.user)]).toEqual([[], []]);
        const own = { 6005: "datastore_activity", 6003: "api_activity" }[made.class_uid as number];
        if (own === undefined) continue;
        expect(missing(own)).toEqual([]);
        expect(Object.keys(schemaOf(own).attributes.activity_id?.enum ?? {})).toContain(String(made.activity_id));
      }
    }
  });
});

interface Schema {
  readonly attributes: Readonly<Record<string, { readonly requirement?: string; readonly enum?: object }>>;
  readonly constraints?: { readonly at_least_one?: readonly string[] };
}

function schemaFile(name: string): string {
  return `apis/siem/ocsf/${name}.json`;
}

function schemaOf(name: string): Schema {
  return JSON.parse(readShared(schemaFile(name)));
}

function missingFrom({ attributes, constraints }: Schema, part: object): string[] {
  const required = Object.entries(attributes).flatMap(([name, { requirement }]) => (requirement === "required" ? [name] : []));
  const oneOf = constraints?.at_least_one ?? [];
  const none = oneOf.length > 0 && !oneOf.some((name) => name in part) ? [`one of ${oneOf.join(", ")}`] : [];
  return [...required.filter((name) => !(name in part)), ...none];
}

/** How a text is shown where what nobody sees is written out; `but`: what has a form of its own. */
function seen(text: string, but: readonly string[] = []): string {
  const unseen = /[\p{Cc}\p{Cf}\u2028\u2029\p{Cs}]/gu;
  return text.replaceAll(unseen, (c) => (but.includes(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** As a receiver reads it: an unescaped bar ends a field, an unescaped `=` begins a value, and a line is a record. */
function readCef(record: string): { head: string[]; extension: Record<string, string> } {
  expect(record).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*\n$/u);
  const parts = record.slice(0, -1).split(/(?<!\\)(?:\\\\)*\|/, 7);
  const extensionText = record.slice(parts.join("|").length + 1, -1);
  const keys = [...extensionText.matchAll(/(?:^| )(\w+)(?<!\\)=/g)];
  const extension: Record<string, string> = {};
  keys.forEach((key, i) => {
    const value = extensionText.slice(key.index + key[0].length, keys[i + 1]?.index ?? extensionText.length);
    expect(extension).not.toHaveProperty([key[1] ?? ""]);
    extension[key[1] ?? ""] = value.replaceAll(/\\([\\=rn])/g, (_, c: string) => ({ r: "\r", n: "\n" })[c] ?? c);
  });
  return { head: parts, extension };
}

function readSyslog(record: string): { header: string; parameters: Record<string, string>; message: string } {
  expect(record.indexOf("\n")).toBe(record.length - 1);
  const whole = /^(.*?) \[postern@32473((?: \w+="(?:[^"\\\]]|\\["\\\]])*")+)\] \ufeff(.*)\n$/u.exec(record);
  const parameters: Record<string, string> = {};
  for (const [, name = "", value = ""] of (whole?.[2] ?? "").matchAll(/ (\w+)="((?:[^"\\\]]|\\["\\\]])*)"/g)) {
    parameters[name] = value.replaceAll(/\\(["\\\]])/g, "$1");
  }
  return { header: whole?.[1] ?? "", parameters, message: whole?.[3] ?? "" };
}
