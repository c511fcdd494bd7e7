/**
 * A bounded pool over connections, and the queue in front of it. It knows no driver.
 * Statements go to an idle connection, else behind those that a busy one has under way (a few: that halves the cost of a small statement),
 * else they wait in line; a transaction has its connection to itself. No background timers: a lost connection is replaced by
 * the next statement that needs one, so the pool heals as soon as the server is back.
 * While the server is silent (`silence.ts`) resting connections are given up, new ones are tried for, and who asks is refused at once.
 */
import { type Connect, type Connection, NoAnswer, runByDeadline } from "./connection.ts";
import { DatabaseError, DatabaseUnavailable, type Param, type Row } from "./database.ts";
import { Silence } from "./silence.ts";

export interface PoolOptions {
  readonly poolSize: number;
  /** Of one statement, from the call to the answer, waiting included. */
  readonly deadlineMs: number;
  /** Statements and transactions that may wait for a connection. */
  readonly queueMax: number;
}

/** Statements under way on one connection. One that hangs takes the others with it, so this stays small. */
const pipelineMax = 8;
/** After a refused connection, how long others are refused without another attempt. */
const reconnectPauseMs = 100;
/** An attempt to connect has a whole deadline, for a slow server's sake; one older than this does not keep others from being made. */
const youngAttemptMs = 500;

/** One connection's place in the pool. */
export interface Lane {
  readonly connection: Connection;
  underWay: number;
  /** By a transaction. */
  held: boolean;
}

interface Attempt {
  readonly begunAt: number;
  /** Of the silence. */
  readonly mark: number;
}

interface Waiter {
  readonly exclusive: boolean;
  take(lane: Lane): void;
  fail(error: DatabaseUnavailable): void;
  next: Waiter | null;
  settled: boolean;
}

export class Pool {
  readonly #connect: Connect;
  readonly #options: PoolOptions;
  readonly #lanes = new Set<Lane>();
  /** Lanes with nothing under way. Last in, first out: the warm ones are used. */
  readonly #idle: Lane[] = [];
  readonly #attempts = new Set<Attempt>();
  #first: Waiter | null = null;
  #last: Waiter | null = null;
  #waiting = 0;
  readonly #silence = new Silence();
  #refusal: { readonly reason: string; readonly until: number } | null = null;
  #closing = false;
  #closed: Promise<void> | null = null;
  #emptied: () => void = () => {};

  constructor(connect: Connect, options: PoolOptions) {
    this.#connect = connect;
    this.#options = options;
  }

  /** One statement on any connection. */
  run(text: string, params: readonly Param[], simple?: boolean): Promise<Row[]> {
    const { deadlineMs } = this.#options;
    const lane = this.#waiting === 0 ? this.#laneFor(false) : null;
    if (lane) return this.#runOn(lane, deadlineMs, text, params, simple);
    const start = performance.now();
    return this.#wait(false).then((taken) =>
      this.#runOn(taken, Math.max(1, deadlineMs - (performance.now() - start)), text, params, simple),
    );
  }

  /** A connection for one transaction, which must `release` it. Throws `DatabaseUnavailable`, not uncertain. */
  async hold(): Promise<Lane> {
    return (this.#waiting === 0 ? this.#laneFor(true) : null) ?? (await this.#wait(true));
  }

  release(lane: Lane): void {
    lane.underWay--;
    lane.held = false;
    if (!this.#lanes.has(lane)) return;
    if (lane.connection.isLost()) this.#forget(lane);
    else if (lane.underWay === 0) this.#idle.push(lane);
    if (this.#waiting > 0) this.#dispatch();
    else if (this.#closing) this.#endIdle();
  }

  /** Waits for what is under way, at most one deadline, then drops it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #runOn(lane: Lane, deadlineMs: number, text: string, params: readonly Param[], simple: boolean | undefined): Promise<Row[]> {
    const { mark } = this.#silence;
    return runByDeadline(lane.connection, deadlineMs, text, params, simple).then(
      (rows) => {
        this.#silence.end();
        this.release(lane);
        return rows;
      },
      (error: unknown) => {
        if (error instanceof NoAnswer) this.#unanswered(mark);
        if (error instanceof DatabaseError) this.#silence.end();
        this.release(lane);
        throw error;
      },
    );
  }

  /** What is under way on other connections has its own deadline; those that rest are as dead as this one, and would be found so one by one. */
  #unanswered(mark: number): void {
    if (!this.#silence.begin(mark)) return;
    for (const lane of this.#idle.splice(0)) {
      lane.connection.drop();
      this.#forget(lane);
    }
  }

  /** `null` = all are taken, or there are none. Marks the lane as used. */
  #laneFor(exclusive: boolean): Lane | null {
    if (this.#closing) return null;
    const lane = this.#idle.pop() ?? (exclusive ? null : this.#leastBusy());
    if (!lane) return null;
    // A busy lane was taken: there is work for one more.
    if (lane.underWay > 0) this.#open(1);
    lane.underWay++;
    lane.held = exclusive;
    return lane;
  }

  #leastBusy(): Lane | null {
    if (this.#silence.lasts) return null;
    let best: Lane | null = null;
    for (const lane of this.#lanes) {
      if (lane.held || lane.underWay >= pipelineMax || lane.connection.isLost()) continue;
      if (!best || lane.underWay < best.underWay) best = lane;
    }
    return best;
  }

  #wait(exclusive: boolean): Promise<Lane> {
    if (this.#closing) return Promise.reject(new DatabaseUnavailable("the database is closed", false));
    if (this.#waiting >= this.#options.queueMax)
      return Promise.reject(new DatabaseUnavailable("too many statements wait for the database", false));
    const patienceMs = this.#silence.patienceMs(this.#options.deadlineMs);
    if (patienceMs <= 0) {
      this.#open(1);
      return Promise.reject(new DatabaseUnavailable("the database does not answer", false));
    }
    const { mark } = this.#silence;
    return new Promise((resolve, reject) => {
      const settle = () => {
        waiter.settled = true;
        this.#waiting--;
        clearTimeout(timer);
      };
      const waiter: Waiter = {
        exclusive,
        take(lane) {
          settle();
          resolve(lane);
        },
        fail(error) {
          settle();
          reject(error);
        },
        next: null,
        settled: false,
      };
      const timer = setTimeout(() => {
        if (this.#lanes.size === 0) this.#unanswered(mark);
        waiter.fail(new DatabaseUnavailable("no connection by the deadline", false));
      }, patienceMs);
      if (this.#last) this.#last.next = waiter;
      else this.#first = waiter;
      this.#last = waiter;
      this.#waiting++;
      this.#dispatch();
    });
  }

  /** Serves the line in order: a transaction at its head is not overtaken, so the lanes run empty for it. */
  #dispatch(): void {
    for (let head = this.#head(); head; head = this.#head()) {
      const lane = this.#laneFor(head.exclusive);
      if (!lane) {
        this.#open(this.#waiting);
        return;
      }
      this.#first = head.next;
      if (!this.#first) this.#last = null;
      head.take(lane);
    }
  }

  /** Those that gave up meanwhile are passed over. */
  #head(): Waiter | null {
    while (this.#first?.settled) this.#first = this.#first.next;
    if (!this.#first) this.#last = null;
    return this.#first;
  }

  #open(wanted: number): void {
    const most = this.#silence.lasts ? 1 : wanted;
    while (this.#lanes.size + this.#attempts.size < this.#options.poolSize && this.#youngAttempts() < most && !this.#closing) {
      if (this.#refusal && performance.now() < this.#refusal.until) {
        this.#failWithoutLanes(this.#refusal.reason);
        return;
      }
      const attempt = { begunAt: performance.now(), mark: this.#silence.mark };
      this.#attempts.add(attempt);
      void this.#openOne(attempt);
    }
  }

  #youngAttempts(): number {
    if (this.#attempts.size === 0) return 0;
    const now = performance.now();
    return [...this.#attempts].filter(({ begunAt }) => now - begunAt < youngAttemptMs).length;
  }

  async #openOne(attempt: Attempt): Promise<void> {
    let lane: Lane | null = null;
    try {
      const connection = await this.#connect(() => {
        if (lane) this.#lost(lane);
      });
      this.#attempts.delete(attempt);
      this.#refusal = null;
      this.#silence.end();
      lane = { connection, underWay: 1, held: false };
      this.#lanes.add(lane);
      this.release(lane);
    } catch (error) {
      this.#attempts.delete(attempt);
      if (error instanceof NoAnswer) this.#unanswered(attempt.mark);
      const reason = error instanceof DatabaseUnavailable ? error.message : "the database cannot be reached";
      this.#refusal = { reason, until: performance.now() + reconnectPauseMs };
      this.#failWithoutLanes(reason);
    }
  }

  /** One that broke while idle leaves at once; one in use leaves with its next release. */
  #lost(lane: Lane): void {
    const at = this.#idle.indexOf(lane);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#forget(lane);
  }

  #forget(lane: Lane): void {
    this.#lanes.delete(lane);
    if (this.#lanes.size + this.#attempts.size === 0) this.#emptied();
  }

  #failWithoutLanes(reason: string): void {
    if (this.#lanes.size + this.#attempts.size === 0) this.#emptied();
    if (this.#lanes.size + this.#youngAttempts() > 0) return;
    for (let head = this.#head(); head; head = this.#head()) head.fail(new DatabaseUnavailable(reason, false));
  }

  async #close(): Promise<void> {
    this.#closing = true;
    for (let head = this.#head(); head; head = this.#head()) head.fail(new DatabaseUnavailable("the database is closed", false));
    if (this.#lanes.size + this.#attempts.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    const timer = setTimeout(() => {
      for (const lane of [...this.#lanes]) {
        lane.connection.drop();
        this.#forget(lane);
      }
    }, this.#options.deadlineMs);
    this.#endIdle();
    await emptied;
    clearTimeout(timer);
  }

  #endIdle(): void {
    for (const lane of this.#idle.splice(0)) void lane.connection.end().finally(() => this.#forget(lane));
  }
}
