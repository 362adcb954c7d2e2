/**
 * Time and chance as the network needs them; a test brings its own. Neither has any part in a verdict.
 * May not know: what is waited for.
 */
import { setTimeout } from "node:timers/promises";

export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Rejects with the signal's reason when that is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  chance(): number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  chance: Math.random,
};
