/** How a command ends when it does not succeed: lines for a person on standard error, and an exit code for a program. */

/** After sysexits where there is a code that fits. */
export const exitCodes = {
  ok: 0,
  /** Done and the answer is no: refused, not valid, lines rejected, a check failing. */
  failed: 1,
  /** The command line, or a file that it names, cannot be used. */
  usage: 2,
  /** Consistent, but checked only against keys that the export itself names. */
  notPinned: 3,
  /** Two policies compared: the new one shows more, or cannot be proven not to. */
  widens: 4,
  /** EX_UNAVAILABLE: no gateway or database answers. */
  unavailable: 69,
  /** EX_SOFTWARE: a fault of ours. */
  fault: 70,
  /** EX_CONFIG. */
  config: 78,
} as const;

export class Failure extends Error {
  readonly exitCode: number;
  /** Lines under the first. */
  readonly details: readonly string[];
  constructor(message: string, exitCode: number = exitCodes.failed, details: readonly string[] = []) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
    this.details = details;
  }
}

/** By name: importing the classes would load database drivers for `--help`. */
const exitByName: Readonly<Record<string, number>> = {
  ConfigRefused: exitCodes.config,
  MigrationFailed: exitCodes.config,
  MigrationRefused: exitCodes.config,
  DirectoryInUse: exitCodes.config,
  DatabaseUnavailable: exitCodes.unavailable,
  KeysUnavailable: exitCodes.unavailable,
};

export interface Ending {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

export function endingOf(error: unknown): Ending {
  if (error instanceof Failure) return { lines: [error.message, ...error.details.map((line) => `  ${line}`)], exitCode: error.exitCode };
  if (!(error instanceof Error)) return { lines: ["a fault of Postern's own"], exitCode: exitCodes.fault };
  const exitCode = exitByName[error.name];
  if (exitCode !== undefined) return { lines: [error.message], exitCode };
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { lines: [`a fault of Postern's own: ${error.name}: ${error.message}`, ...frames.slice(0, 5)], exitCode: exitCodes.fault };
}
