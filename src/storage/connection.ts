/** One connection as the pool sees it, and the deadline of whatever it is asked. It knows no driver. */
import { DatabaseUnavailable, type Param, type Row } from "./database.ts";

export interface Connection {
  /** One statement; `simple`: several at once, without parameters. Several may be under way, answered in order. Rejects with the two errors of `database.ts`. */
  run(text: string, params: readonly Param[], simple?: boolean): Promise<Row[]>;
  /** True once the connection cannot run another statement. */
  isLost(): boolean;
  /** Gives the connection up at once; whatever is under way rejects. */
  drop(): void;
  /** Says goodbye to the server. */
  end(): Promise<void>;
}

/** Resolves once the server takes statements; calls `lost` at most once, when the connection breaks later. */
export type Connect = (lost: () => void) => Promise<Connection>;

/** The deadline passed without an answer. */
export class NoAnswer extends DatabaseUnavailable {
  constructor(uncertain: boolean) {
    super("no answer by the deadline", uncertain);
  }
}

/** Drops the connection where the answer is late: what it still does cannot be waited for, and nothing may follow it. */
export function runByDeadline(
  connection: Connection,
  deadlineMs: number,
  text: string,
  params: readonly Param[],
  simple?: boolean,
): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new NoAnswer(true));
      connection.drop();
    }, deadlineMs);
    connection.run(text, params, simple).then(
      (rows) => {
        clearTimeout(timer);
        resolve(rows);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
