/** Times of single pieces of work. */
export class Times {
  readonly #ms: number[] = [];

  add(ms: number): void {
    this.#ms.push(ms);
  }

  count(): number {
    return this.#ms.length;
  }

  p50Ms(): number {
    return this.#at(0.5);
  }

  summary(): { rps: number; p50_ms: number; p99_ms: number } {
    const total = this.#ms.reduce((sum, ms) => sum + ms, 0);
    return {
      rps: Math.round((this.#ms.length / total) * 1000),
      p50_ms: Number(this.#at(0.5).toFixed(4)),
      p99_ms: Number(this.#at(0.99).toFixed(4)),
    };
  }

  #at(share: number): number {
    const sorted = Float64Array.from(this.#ms).sort();
    return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  }
}
