/** A log on which nothing is built any more, until its operator has mended what is wrong. */

/** The stored log is not the one that was signed last: somebody changed the database, or set it back. The message is one line for an operator. */
export class LogHalted extends Error {
  readonly log: string;
  readonly reason: string;
  constructor(log: string, reason: string) {
    super(`log ${log} is halted: ${reason}`);
    this.name = "LogHalted";
    this.log = log;
    this.reason = reason;
  }
}
