/**
 * Text that was written to make us slow: no shipped pattern backtracks without end, and no field's text takes long, whatever is in it.
 */
import { describe, expect, it } from "vitest";
import {
  classNames,
  compilePlan,
  generalizationsOf,
  generalizeValue,
  maskDocument,
  maskProfiles,
  maskValue,
  normalize,
  pseudonymizeValue,
} from "../src/masking/index.ts";
import { cpuMilliseconds } from "./support/cpu-time.ts";
import { hostileTexts } from "./support/hostile-texts.ts";
import { attackOn, patternsOf, shippedPatterns } from "./support/patterns.ts";

const key = new Uint8Array(32).fill(7);
const today = "2026-11-22";

describe("every regular expression under src", () => {
  it("is found, and none works long on a text against it", { timeout: 60_000 }, () => {
    const shipped = shippedPatterns();
    expect(shipped.length).toBeGreaterThan(100);
    for (const shown of shipped) expect(attackOn(shown), `${shown.file} ${shown.pattern}`).toBeNull();
  });

  it("would be caught", () => {
    const source =
      "const a = /^(a+)+$/; const b = /^(?:[0-9]|[0-9-])*x$/; const c = /^[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*$/; const fine = /^[a-z]+$/;";
    const found = patternsOf("seed.ts", source).map((seed) => attackOn(seed) !== null);
    expect(found).toEqual([true, true, true, false]);
  });
});

describe("64 KB of hostile text in a field", () => {
  it("are masked, made coarser, named and normalized in well under 200 ms", { timeout: 60_000 }, () => {
    const slow: string[] = [];
    for (const text of [...hostileTexts(65_536), ...hostileTexts(512), ...hostileTexts(64)]) {
      for (const name of classNames) {
        const milliseconds = cpuMilliseconds(() => {
          for (const profile of maskProfiles) maskValue(name, text, profile, today);
          for (const to of generalizationsOf(name)) generalizeValue(name, text, to, today);
          pseudonymizeValue(name, text, key);
          normalize(name, text);
        });
        if (milliseconds > 200) slow.push(`${name}: ${JSON.stringify(text.slice(0, 20))} ${milliseconds} ms`);
      }
    }
    expect(slow).toEqual([]);
  });

  it("are refused or read in well under 200 ms where a text holds JSON", () => {
    const plan = compilePlan([{ path: "payload$.phone", class: "phone", treatment: "mask" }]);
    for (const payload of [...hostileTexts(65_536), "[".repeat(65_536), '{"a":'.repeat(13_000), `{"phone":"${"1".repeat(65_000)}"}`]) {
      expect(cpuMilliseconds(() => maskDocument(plan, { payload }, { today, pseudonymKey: key }))).toBeLessThan(200);
    }
  });
});
