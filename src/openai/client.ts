/**
 * The one way to ask a server: at the pace that it allows, within a budget, again where that may help, and no further where it cannot.
 * Each request that comes to an end is in the ledger before its reply counts.
 * May not know: what is asked, what a reply means, HTTP.
 */
import type { Limits } from "../records/judge-file.js";
import type { ReplyLine } from "../records/reply-ledger.js";
import { UserError } from "../util/errors.js";
import type { Clock } from "./clock.js";
import { usageIn } from "./completion.js";
import type { Budget, Tokens } from "./cost.js";
import { isTooLong } from "./failure.js";
import { lineOf } from "./ledger.js";
import { openPace, retryDelay } from "./pace.js";
import type { Attempt, Send } from "./transport.js";
import type { ServerWords } from "./words.js";

export interface ClientOptions<Request> {
  readonly send: Send<Request>;
  /** The server, for the ledger and for messages. */
  readonly server: string;
  readonly words: ServerWords;
  readonly limits: Limits;
  /** What a request will cost, about. */
  readonly estimate: (request: Request) => Tokens;
  /** Keeps a request that came to an end; what it throws ends the run. */
  readonly record?: (line: ReplyLine) => Promise<void>;
  readonly clock: Clock;
  readonly budget?: Budget | undefined;
  /** Aborted: nothing new is sent, what is under way is waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Replies there were before, from the same server. */
  readonly earlier: number;
}

/** What came of a request, after all attempts. */
export type Answer =
  | Extract<Attempt, { kind: "reply" }>
  /** It was refused and would be again; others were answered. `filtered`: for its content. */
  | { readonly kind: "refused"; readonly reason: string; readonly filtered: boolean }
  /** Another time there may be a reply. */
  | { readonly kind: "failed"; readonly reason: string }
  /** The budget did not reach for it, or for one before it: nothing was sent. */
  | { readonly kind: "unpaid" };

export interface Spent {
  /** Requests that came to an end. */
  readonly requests: number;
  readonly replies: number;
  readonly dollars: number | undefined;
  /** The budget did not reach further. */
  readonly outOfMoney: boolean;
}

export interface Client<Request> {
  /**
   * @throws UserError  the server refuses the key, the model or every request, cannot be reached, or has stopped answering
   * @throws the signal's reason, and whatever stopped another request of this client
   */
  ask(request: Request): Promise<Answer>;
  spent(): Spent;
}

/** So many calls in a row without a reply, and the rest would fare no better. */
const IN_A_ROW = 10;

/** So many requests of one call to an address where nobody listens, before anything was answered there. */
const UNREACHED = 3;

/** Nobody means to wait that long with a terminal open. */
const LONGEST_WAIT_MS = 15 * 60_000;

export function openClient<Request extends { readonly key: string }>(options: ClientOptions<Request>): Client<Request> {
  const { limits, clock, budget, signal, estimate } = options;
  const requests = openPace(limits.requests_per_minute, clock);
  const tokens = openPace(limits.tokens_per_minute, clock);
  const halt = new AbortController(); // ends waits, never a request under way
  const counts = { requests: 0, replies: 0 };
  let reason: unknown;
  let inARow = 0;
  let outOfMoney = false;
  let first: Promise<unknown> | undefined;
  const stop = (error: unknown): void => {
    reason ??= error;
    halt.abort(error);
  };
  signal?.addEventListener("abort", () => stop(signal.reason), { once: true });
  if (signal?.aborted === true) stop(signal.reason);

  // Refused for itself alone: others of the same kind were, or will be, answered.
  const isMine = (result: Attempt): boolean =>
    result.kind === "rejected" && (result.filtered || isTooLong(result.error) || counts.replies + options.earlier > 0);

  const waitTurn = async (cost: Tokens): Promise<void> => {
    halt.signal.throwIfAborted();
    await requests.wait(1, halt.signal);
    await tokens.wait(cost.input + cost.output, halt.signal);
    halt.signal.throwIfAborted();
  };

  const sendOnce = async (request: Request, attempt: number, cost: Tokens): Promise<Attempt> => {
    const sent = { key: request.key, attempt, server: options.server, at: new Date().toISOString() };
    const started = clock.now();
    const result = await options.send(request);
    const line = lineOf({ ...sent, seconds: (clock.now() - started) / 1000 }, result);
    const refusal = result.kind === "rejected" && isMine(result) ? { rejected: true, refused: result.filtered } : {};
    await options.record?.({ ...line, ...refusal } as ReplyLine);
    counts.requests++;
    if (result.kind !== "reply") {
      budget?.release(cost);
      return result;
    }
    counts.replies++;
    const usage = usageIn(result.body);
    budget?.settle(cost, usage);
    if (usage !== undefined) tokens.settle(usage.input + usage.output - cost.input - cost.output);
    return result;
  };

  const untilAnswered = async (request: Request): Promise<Answer> => {
    const cost = estimate(request);
    if (outOfMoney) return { kind: "unpaid" };
    for (let attempt = 1; ; attempt++) {
      await waitTurn(cost);
      if (budget?.take(cost) === false) {
        outOfMoney = true;
        return { kind: "unpaid" };
      }
      const result = await sendOnce(request, attempt, cost);
      if (result.kind === "reply") {
        inARow = 0;
        return result;
      }
      if (result.kind === "rejected" && isMine(result)) {
        return { kind: "refused", reason: result.error, filtered: result.filtered };
      }
      const end = endOf(result, options, counts.replies, attempt);
      if (end !== undefined) throw end;
      if (attempt > limits.retries) {
        if (++inARow >= IN_A_ROW) throw silent(options.words, result.error);
        return { kind: "failed", reason: result.error };
      }
      const asked = result.kind === "again" ? result.waitMs : undefined;
      await clock.sleep(retryDelay(attempt - 1, limits.backoff_seconds * 1000, asked, clock.chance()), halt.signal);
    }
  };

  const answer = async (request: Request): Promise<Answer> => {
    try {
      return await untilAnswered(request);
    } catch (error) {
      stop(error); // the wait was ended by `halt`, whose reason this is; or the ledger could not be written
      throw reason;
    }
  };

  return {
    async ask(request) {
      // The first goes alone: a wrong key, address or parameter is met once, and its reply tells what a call costs.
      if (first !== undefined) {
        await first;
        return answer(request);
      }
      const asked = answer(request);
      first = asked.catch(() => undefined);
      return asked;
    },
    spent: () => ({ ...counts, dollars: budget?.spent(), outOfMoney }),
  };
}

const silent = ({ who }: ServerWords, error: string): UserError =>
  new UserError(`the last ${IN_A_ROW} calls to ${who} got no reply: ${error}`, {
    remedy: `what was answered is kept; give the same command again when ${who} answers`,
  });

type NoReply = Exclude<Attempt, { kind: "reply" }>;

/** The error that ends the whole run, if this attempt is one that does. */
function endOf<Request>(
  result: NoReply,
  { words, server, limits }: ClientOptions<Request>,
  replies: number,
  attempt: number,
): UserError | undefined {
  const { who, address, where, refused } = words;
  if (result.kind === "hopeless") return new UserError(`${who}: ${result.error}`, { remedy: result.remedy });
  if (result.kind === "rejected") {
    return new UserError(`${who} refuses the request: ${result.error}`, { remedy: refused });
  }
  if (result.code === "ECONNREFUSED" && replies === 0 && attempt >= Math.min(UNREACHED, limits.retries + 1)) {
    return new UserError(`nobody answers at ${who}'s address ${server} (ECONNREFUSED)`, {
      remedy: `start the server, or check ${address}${where}`,
    });
  }
  if (result.waitMs !== undefined && result.waitMs > LONGEST_WAIT_MS) {
    return new UserError(`${who} asks to wait ${Math.round(result.waitMs / 60_000)} minutes: ${result.error}`, {
      remedy: "what was answered is kept; give the same command again then",
    });
  }
  return undefined;
}
