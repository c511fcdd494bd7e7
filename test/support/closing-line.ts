/**
 * A Vitest reporter that closes the run with one plain line, `N passed, N failed` (and `, N skipped` when any), for whoever reads logs.
 * It prints as the process ends, so nothing of the runner's comes after it. The exit code is never changed.
 */
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

type Counts = { passed: number; failed: number; skipped: number };

export class ClosingLine implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once("exit", (code) => {
      process.stdout.write(`${closingLine(this.#counts, code)}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count(this.#counts, module);
      for (const suite of module.children.allSuites()) count(this.#counts, suite);
      for (const test of module.children.allTests()) this.#counts[outcome(test)]++;
    }
  }
}

/** A file that does not load, or a hook around a suite that throws, has no test of its own to fail: each of its errors counts as one. */
function count(counts: Counts, group: TestModule | TestSuite): void {
  counts.failed += group.errors().length;
}

/** A test that never ran to its end in a run that ended is skipped only if somebody asked for that. */
function outcome(test: TestCase): keyof Counts {
  const { state } = test.result();
  return state === "pending" ? "failed" : state;
}

/** A run that ends badly although no test failed (no test found, set-up or teardown broke) has one failure. */
function closingLine({ passed, failed, skipped }: Counts, exitCode: number): string {
  const told = exitCode !== 0 && failed === 0 ? 1 : failed;
  return `${passed} passed, ${told} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
