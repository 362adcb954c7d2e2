/**
 * When the next request may go: so much a minute, and how long before another attempt.
 * May not know: what is sent.
 */
import type { Clock } from "./clock.js";

/** Lets through so much a minute, evenly: whoever comes waits until what came before is paid off. */
export interface Pace {
  wait(cost: number, signal?: AbortSignal): Promise<void>;
  /** What was let through cost so much more (or less) than was said. */
  settle(difference: number): void;
}

/** So long at most one settlement makes others wait: what a server says it used is its own word. */
const LONGEST_DEBT_MS = 15 * 60_000;

export function openPace(perMinute: number | undefined, clock: Clock): Pace {
  if (perMinute === undefined) return { wait: async () => undefined, settle: () => undefined };
  const msPerUnit = 60_000 / perMinute;
  let free = clock.now();
  return {
    async wait(cost, signal) {
      const start = Math.max(free, clock.now());
      free = start + cost * msPerUnit;
      const ms = start - clock.now();
      if (ms > 0) await clock.sleep(ms, signal);
    },
    settle(difference) {
      free += Math.min(difference * msPerUnit, LONGEST_DEBT_MS);
    },
  };
}

/**
 * How long before retry `n` (from 0): as the server asks, and a little more so that not all come back at once; else half of a doubling
 * wait, and the other half by chance ("equal jitter").
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelay(n: number, baseMs: number, asked: number | undefined, chance: number): number {
  if (asked !== undefined) return asked + 0.1 * chance * Math.max(baseMs, asked);
  const full = Math.min(60_000, baseMs * 2 ** n);
  return full / 2 + (full / 2) * chance;
}
