/**
 * `policy check`, to the letter: every problem and every warning by an example, with its place and its cure; nothing is said of files that are right.
 */
import { describe, expect, it } from "vitest";
import { type Checked, checkFiles, describeProblem, problemCodes } from "../src/policy/index.ts";
import { contractText, type Edit, type Example, type Examples, policyText } from "./support/check-examples.ts";
import { contractWarnings, policyWarnings } from "./support/check-warnings.ts";
import { contractProblems } from "./support/contract-problems.ts";
import { policyProblems } from "./support/policy-problems.ts";
import { ruleProblems } from "./support/rule-problems.ts";

const said = ({ problems, warnings }: Checked) => [
  ...problems.map(describeProblem),
  ...warnings.map((warning) => `warning: ${describeProblem(warning)}`),
];

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`nothing to edit: ${from}`);
    return before.replace(from, to);
  }, text);
}

const check = (policy: string, contract: string) =>
  checkFiles([
    { file: "p.yaml", text: policy },
    { file: "c.yaml", text: contract },
  ]);
const checkPolicy = ({ edits, beside = [] }: Example) => check(edited(policyText, edits), edited(contractText, beside));
const checkContract = ({ edits, beside = [] }: Example) => check(edited(policyText, beside), edited(contractText, edits));

const files = [
  { named: "a policy", examples: { ...policyProblems, ...ruleProblems, ...policyWarnings }, run: checkPolicy },
  { named: "a contract", examples: { ...contractProblems, ...contractWarnings }, run: checkContract },
] as const satisfies readonly { named: string; examples: Examples; run: (example: Example) => Checked }[];

describe.each(files)("the check of $named", ({ examples, run }) => {
  describe.each(Object.entries(examples))("%s", (_group, rows) => {
    it.each(rows)("$what", (example) => expect(said(run(example))).toEqual(example.said));
  });
});

const numbers = Array.from({ length: 33 }, (_, n) => n);
const manyConditions = edited(policyText, [
  ["status: { class: plain }", `status: { class: plain }\n${numbers.map((n) => `      f${n}: { class: plain }`).join("\n")}`],
  ["phone: reveal", `phone: reveal\n${numbers.map((n) => `      f${n}: { reveal: { when: "request.hour < ${n}" } }`).join("\n")}`],
]);
const deepRoles = `roles: { r0: {}, ${Array.from({ length: 18 }, (_, n) => `r${n + 1}: { extends: r${n} }`).join(", ")} }`;
const condition = (text: string) => edited(policyText, [["phone: reveal", `phone: { reveal: { when: '${text}' } }`]]);
const shorter = "(say it shorter, or let the record carry the answer as a field of its own)";

const texts = [
  ["a key twice", "roles: {}\nroles: {}\n", "2:1: this key stands twice (keep one of them)"],
  ["an alias", "resources: *a\n", "1:12: aliases are not accepted (write the value out)"],
  ["an anchor", "roles: &a {}\n", "1:11: anchors are not accepted (remove the &name)"],
  ["a merge key", "roles:\n  <<: {}\n", "2:3: merge keys are not accepted (write the keys out)"],
  ["a tag", "roles: !!map {}\n", "1:14: tags are not accepted (remove the !tag; quote the value if it must be text)"],
  [
    "a function",
    "roles: !!js/function 'function () { return 1 }'\n",
    "1:8: unresolved tag: tag:yaml.org,2002:js/function (remove the !tag; quote the value if it must be text)",
  ],
  ["a tab as indentation", "roles:\n\ta: {}\n", "2:1: tabs are not allowed as indentation (indent with spaces)"],
  ["a second document", "roles: {}\n---\nroles: {}\n", "2:1: a second document (one file holds one document: remove the ---)"],
  ["a directive", "%YAML 1.1\n---\nroles: {}\n", "1:1: directives are not accepted (remove the line that starts with %)"],
  ["a number as key", "roles:\n  1: {}\n", "2:3: a key that is not plain text (quote it)"],
  ["a prototype as key", "roles:\n  __proto__: {}\n", "2:3: this key is not accepted (choose another name)"],
  [
    "an unclosed bracket",
    "roles: [\n",
    "2:1: flow sequence in block collection must be sufficiently indented and end with a ] (close the bracket, and indent what is inside)",
  ],
  ["nesting past the limit", `${"{a: ".repeat(40)}x${"}".repeat(40)}`, "1:69: nested too deep"],
  ["10 MB", `# ${"x".repeat(10_000_000)}`, "1:1: the file is larger than 256 kB"],
  [
    "more conditions than anybody reads",
    manyConditions,
    "54:5: 33 conditions in one role and resource, 32 at most (use the same words where the same is meant)",
  ],
  [
    "roles that extend one another too far",
    deepRoles,
    '1:383: "r17" extends more than 16 roles, one after another (let it extend one that extends fewer)',
  ],
  [
    "a condition of 65 nodes",
    condition(`${"record.status + ".repeat(40)}"" == "x"`),
    `22:32: the condition is not accepted at character 1: exceeded maxAstNodes (64) ${shorter}`,
  ],
  [
    "a condition of 1,001 characters",
    condition(`record.status == "${"x".repeat(983)}"`),
    `22:32: the condition is longer than 1000 characters ${shorter}`,
  ],
] as const;

describe("the check of a text", () => {
  it.each(texts)("%s", (_what, text, line) => expect(said(check(text, contractText))[0]).toBe(`p.yaml:${line}`));
});

describe("the check", () => {
  it("says nothing of files that are right, nor of a policy that denies everything", () => {
    expect(check(policyText, contractText)).toEqual({ problems: [], warnings: [] });
    expect(checkFiles([{ file: "p.yaml", text: "" }])).toEqual({ problems: [], warnings: [] });
    expect(checkFiles([])).toEqual({ problems: [], warnings: [] });
  });

  it("has an example here for every code that it knows", () => {
    const checked = [
      ...files.flatMap(({ examples, run }) => Object.values(examples).flatMap((rows) => rows.map((example) => run(example)))),
      ...texts.map(([, text]) => check(text, contractText)),
    ];
    const codes = new Set(checked.flatMap(({ problems, warnings }) => [...problems, ...warnings].map(({ code }) => code)));
    expect([...codes].sort()).toEqual([...problemCodes].sort());
  });

  it("warns in both ways of what is lowered beside another field that is only sometimes there", () => {
    const sometimes = edited(policyText, [
      ["status: { class: plain }", "status: { class: plain }\n      a: { class: plate }\n      b: { class: plate }"],
      ["phone: reveal", "phone: reveal\n      a: { mask: { when: request.hour < 18 } }\n      b: { mask: { profile: hutool } }"],
    ]);
    expect(check(sometimes, contractText).warnings.map(({ code, line }) => [code, line])).toEqual([
      ["masks_join", 26],
      ["views_join", 26],
    ]);
  });

  it("warns of what a role has from another once, where it is written", () => {
    const twice = edited(policyText, [
      ["status: { class: plain }", "status: { class: plain }\n      id_card: { class: resident_id }"],
      ["      name: mask\n", "      name: mask\n      id_card: mask\n      birth_date: reveal\n"],
    ]);
    expect(check(twice, contractText).warnings.map(({ code, line }) => [code, line])).toEqual([["masks_join", 16]]);
  });

  it.each([
    [
      "a field that only a search uses",
      "status: { class: plain }",
      "status: { class: plain }\n      email: { class: email, search: true }",
    ],
    ["a field that only a condition reads", "status: reveal", "rows: record.status == 'open'"],
    [
      "a secret, which is named so that it is counted",
      "status: { class: plain }",
      "status: { class: plain }\n      pin: { class: secret }",
    ],
    ["a mask of another profile where the extended role has the usual one", "phone: reveal", "phone: { mask: { profile: hutool } }"],
    ["two purposes that part the alternatives", "phone: reveal", "phone: { reveal: { purposes: [after_sales] }, else: mask }"],
    ["a value that has to be asked for", "phone: reveal", "phone: { reveal: { quota: 20/day } }"],
  ])("does not warn of %s", (_what, before, after) => {
    expect(said(check(edited(policyText, [[before, after]]), contractText))).toEqual([]);
  });
});
