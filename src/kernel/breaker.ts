/**
 * Stops asking a service that fails again and again, and lets one question through now and then until one is answered. Inert: numbers only, so
 * that on Workers it outlives the request that counted, and no question that was cut off can leave it shut.
 */
export interface Breaker {
  /** Whether a question may be asked now. Where it was shut, the one that may is the probe of its turn. */
  admits(): boolean;
  /** The last question was answered, or none was asked. */
  isSound(): boolean;
  /** The service answered, whatever it said. */
  answered(): void;
  /** `tookAll`: a question waited to its end; those that follow it, of the same request perhaps, do not wait as well. */
  failed(tookAll: boolean): void;
}

const failuresMax = 5;
const shutMs = 5_000;
const restMs = 1_000;

/** `now`: milliseconds. */
export function createBreaker(now: () => number): Breaker {
  let failures = 0;
  let shutUntil = 0;
  return {
    admits() {
      if (now() < shutUntil) return false;
      if (failures >= failuresMax) shutUntil = now() + shutMs;
      return true;
    },
    isSound: () => failures === 0,
    answered() {
      failures = 0;
      shutUntil = 0;
    },
    failed(tookAll) {
      failures++;
      if (failures >= failuresMax) shutUntil = now() + shutMs;
      else if (tookAll) shutUntil = now() + restMs;
    },
  };
}
