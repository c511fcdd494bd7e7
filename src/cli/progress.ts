/** A progress bar on standard error, only on a terminal. */

const barWidth = 24;
const redrawMs = 100;

export interface Progress {
  /** `total` null = not known: only `text` moves. */
  show(done: number, total: number | null, text: string): void;
  /** Clears the line. */
  end(): void;
}

export function createProgress(): Progress {
  if (!process.stderr.isTTY) return { show: () => undefined, end: () => undefined };
  let drawnAt = 0;
  return {
    show(done, total, text) {
      if (Date.now() - drawnAt < redrawMs) return;
      drawnAt = Date.now();
      const filled = total ? Math.min(barWidth, Math.floor((done / total) * barWidth)) : 0;
      const bar = total ? `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}] ` : "";
      process.stderr.write(`\r\u001b[K${bar}${text}`);
    },
    end: () => void process.stderr.write("\r\u001b[K"),
  };
}
