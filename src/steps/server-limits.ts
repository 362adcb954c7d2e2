/**
 * Options of how a server is asked, as limits of a judge file.
 * May not know: who is asked.
 */
import type { serverLimits } from "../options/shared.js";
import type { Limits } from "../records/judge-file.js";
import type { OptionsOf } from "../util/options.js";

export type ServerLimits = OptionsOf<ReturnType<typeof serverLimits>>;

/** Those that are given. */
export function limitsIn(options: ServerLimits): Partial<Limits> {
  const limits = {
    concurrency: options.concurrency,
    requests_per_minute: options.requestsPerMinute,
    tokens_per_minute: options.tokensPerMinute,
    timeout_seconds: options.timeout,
    retries: options.retries,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
