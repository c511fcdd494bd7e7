/**
 * Whether the server answers anybody. One that let a whole deadline pass without a word counts as silent until its next word.
 * Without this, those who queue in front of the pool would each wait out a deadline in turn.
 */

/** How long statements still wait for a connection after the server fell silent: mostly it was one backend that hung. */
const waitMs = 500;

export class Silence {
  #words = 0;
  #since: number | null = null;

  /** Now, to be told to `begin` by what gets no answer from here on. */
  get mark(): number {
    return this.#words;
  }

  get lasts(): boolean {
    return this.#since !== null;
  }

  /** A deadline passed since `mark`. False where the server answered somebody meanwhile. */
  begin(mark: number): boolean {
    if (this.#words !== mark) return false;
    this.#since ??= performance.now();
    return true;
  }

  /** The server answered or refused a statement, or took a connection. */
  end(): void {
    this.#words++;
    this.#since = null;
  }

  /** How long a statement may wait for a connection; none at all where it is not positive. */
  patienceMs(deadlineMs: number): number {
    return this.#since === null ? deadlineMs : Math.min(deadlineMs, this.#since + waitMs - performance.now());
  }
}
