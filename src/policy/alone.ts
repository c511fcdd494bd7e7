/** A policy without a contract: all its roles, every purpose that anybody names, and a ceiling that caps nothing. */
import { classNames } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import { compile } from "./compile.ts";
import type { ContractDocument } from "./contract-document.ts";
import type { PolicyDocument } from "./policy-document.ts";

/** What the purposes that no rule names are called: no policy can write it. */
const otherPurposes = "any other";

/** Two policies as bundles that differ by nothing but what they say. */
export function compileAlone(before: PolicyDocument, after: PolicyDocument): readonly [Bundle, Bundle] {
  const purposes = [...new Set([...purposesIn(before), ...purposesIn(after), otherPurposes])];
  return [compileUnderAll(before, purposes), compileUnderAll(after, purposes)];
}

function compileUnderAll(policy: PolicyDocument, purposes: readonly string[]): Bundle {
  const contract: ContractDocument = {
    source: policy.source,
    id: "any",
    merchant: "any",
    vendor: "any",
    subprocessors: [],
    term: { start: "1970-01-01", end: "2199-12-31", zone: "UTC", purgeAfterHours: 24 },
    purposes: Object.fromEntries(purposes.map((purpose) => [purpose, {}])),
    ceiling: Object.fromEntries(classNames.map((name) => [name, { treatment: "reveal" }])),
    policy: "any",
    roles: Object.keys(policy.roles),
    purge: { coolingHours: 0, backupHorizonHours: 0 },
  };
  const compiled = compile(policy, contract);
  if (!compiled.ok) throw new Error("a policy has no role of its own");
  return compiled.value;
}

function purposesIn({ roles }: PolicyDocument): string[] {
  const types = Object.values(roles).flatMap((rules) => Object.values(rules));
  const grants = types.flatMap(({ fields, writes = [] }) => [...Object.values(fields).flat(), ...writes]);
  return grants.flatMap(({ purposes }) => purposes ?? []);
}
