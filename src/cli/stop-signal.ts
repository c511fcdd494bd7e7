/** How a command that serves is told to end. */
import { exitCodes } from "./failure.ts";

const stopSignals = ["SIGTERM", "SIGINT"] as const;

/** A second signal ends the process without draining. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    for (const signal of stopSignals) {
      process.on(signal, () => {
        if (told) process.exit(exitCodes.failed);
        told = true;
        resolve();
      });
    }
  });
}
