/**
 * Asks every call that has no reply yet: several at a time, at the pace that the server allows, again where it may help. Each request that
 * comes to an end is in the ledger before its reply counts.
 * May not know: pairs, verdicts, HTTP.
 */

import type { Limits } from "../records/judge-file.js";
import type { JudgeLedgerLine } from "../records/judge-ledger.js";
import { UserError } from "../util/errors.js";
import type { Failure } from "../util/http-failure.js";
import { type Clock, openPace, type Pace, retryDelay } from "./clock.js";
import { type Budget, estimateTokens, type Tokens } from "./cost.js";
import type { ChatMessage, Shown } from "./prompt.js";
import { readReply } from "./reply.js";
import { isTooLong } from "./verdict.js";

export interface Call {
  readonly key: string;
  /** Which of several replies to the same messages, from 0. */
  readonly vote: number;
  readonly shown: Shown;
  messages(): readonly ChatMessage[];
}

export type Attempt =
  /** A completion, without the key: its body as it came, or, where a value could not give it back, its text and what was read from it. */
  | { readonly kind: "reply"; readonly status: number; readonly body: unknown; readonly text?: string }
  /** No reply, and what may be done. `code`: the system's name for what the network did. */
  | (Failure & { readonly status: number | null; readonly code?: string });

/** Makes one request. Never throws for what the network or the server does. */
export type Transport = (call: Call) => Promise<Attempt>;

export interface Asking {
  readonly send: Transport;
  /** For the ledger. */
  readonly server: string;
  readonly limits: Limits;
  /** Most tokens of a reply, for estimates. */
  readonly maxOutput: number;
  readonly record: (line: JudgeLedgerLine) => Promise<void>;
  readonly clock: Clock;
  readonly budget?: Budget | undefined;
  /** Aborted: nothing new is asked, what is under way is waited for. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: AskingState) => void) | undefined;
  /** Replies there were before, from the same judge. */
  readonly earlier: number;
}

export interface AskingState {
  /** Requests that came to an end. */
  readonly requests: number;
  readonly replies: number;
  /** Calls given up: no reply after all retries, or the request was refused. */
  readonly failed: number;
  readonly dollars: number | undefined;
}

export interface Asked extends AskingState {
  /** The budget did not reach further. */
  readonly outOfMoney: boolean;
}

/** So many calls in a row without a reply, and the rest would fare no better. */
const IN_A_ROW = 10;

/** So many requests of one call to an address where nobody listens, before anything was answered there. */
const UNREACHED = 3;

/** Nobody means to wait that long with a terminal open. */
const LONGEST_WAIT_MS = 15 * 60_000;

/**
 * @throws UserError  the server refuses the key, the model or the address, cannot be reached, or has stopped answering
 * @throws the signal's reason
 */
export async function askAll(calls: readonly Call[], asking: Asking): Promise<Asked> {
  const run = openRun(asking);
  const queue = calls[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const call of queue) {
      if (run.stopped()) return;
      await run.ask(call);
    }
  };
  // The first call goes alone: a wrong key, address or parameter is met once, and its reply tells what a call costs.
  if (asking.budget !== undefined || asking.earlier === 0) await firstOf(queue, run.ask);
  if (!run.stopped()) await Promise.all(Array.from({ length: asking.limits.concurrency }, worker));
  const stop = run.reason();
  if (stop !== undefined) throw stop;
  asking.signal?.throwIfAborted();
  return run.state();
}

async function firstOf(queue: Iterator<Call>, ask: (call: Call) => Promise<void>): Promise<void> {
  const first = queue.next();
  if (first.done !== true) await ask(first.value);
}

interface Run {
  ask(call: Call): Promise<void>;
  stopped(): boolean;
  reason(): unknown;
  state(): Asked;
}

function openRun(asking: Asking): Run {
  const { limits, clock, budget, signal } = asking;
  const requests = openPace(limits.requests_per_minute, clock);
  const tokens = openPace(limits.tokens_per_minute, clock);
  const halt = new AbortController(); // ends waits, never a request under way
  let reason: unknown;
  let outOfMoney = false;
  let inARow = 0;
  const counts = { requests: 0, replies: 0, failed: 0 };
  const stop = (error: unknown): void => {
    reason ??= error;
    halt.abort(error);
  };
  signal?.addEventListener("abort", () => stop(signal.reason), { once: true });
  if (signal?.aborted === true) stop(signal.reason);
  const state = (): Asked => ({ ...counts, dollars: budget?.spent(), outOfMoney });

  const giveUp = (error: string): void => {
    counts.failed++;
    if (++inARow >= IN_A_ROW) {
      stop(
        new UserError(`the last ${IN_A_ROW} calls got no reply: ${error}`, {
          remedy: "what was answered is kept; give the same command again when the judge answers",
        }),
      );
    }
  };
  // Refused for this pair alone: others of the same judge were, or will be, answered.
  const isMine = (result: Attempt): boolean =>
    result.kind === "rejected" && (result.filtered || isTooLong(result.error) || counts.replies + asking.earlier > 0);
  const attemptOnce = async (call: Call, attempt: number, estimate: Tokens): Promise<Attempt> => {
    const at = new Date().toISOString();
    const started = clock.now();
    const result = await asking.send(call);
    const line = lineOf(call, attempt, asking.server, at, (clock.now() - started) / 1000, result);
    await asking.record(
      result.kind === "rejected" && isMine(result) ? { ...line, rejected: true, refused: result.filtered } : line,
    );
    counts.requests++;
    if (result.kind !== "reply") {
      budget?.release(estimate);
      return result;
    }
    const usage = readReply(result.body)?.usage;
    budget?.settle(estimate, usage);
    if (usage !== undefined) tokens.settle(usage.input + usage.output - estimate.input - estimate.output);
    return result;
  };
  const tryUntilReply = async (call: Call): Promise<void> => {
    const estimate = estimateOf(call, asking.maxOutput);
    for (let attempt = 1; ; attempt++) {
      await waitTurn(requests, tokens, estimate, halt.signal);
      if (budget?.take(estimate) === false) {
        outOfMoney = true;
        return;
      }
      const result = await attemptOnce(call, attempt, estimate);
      if (result.kind === "reply") {
        counts.replies++;
        inARow = 0;
        return;
      }
      if (isMine(result)) {
        counts.failed++;
        return;
      }
      const end = endOf(result, asking, counts.replies, attempt);
      if (end !== undefined) return stop(end);
      if (attempt > limits.retries) return giveUp(result.error);
      const asked = result.kind === "again" ? result.waitMs : undefined;
      await clock.sleep(retryDelay(attempt - 1, limits.backoff_seconds * 1000, asked, clock.chance()), halt.signal);
    }
  };
  return {
    async ask(call) {
      try {
        await tryUntilReply(call);
      } catch (error) {
        stop(error); // the wait was ended by `halt`, whose reason this is; or the ledger could not be written
      }
      asking.onProgress?.(state());
    },
    stopped: () => outOfMoney || halt.signal.aborted,
    reason: () => reason,
    state,
  };
}

async function waitTurn(requests: Pace, tokens: Pace, estimate: Tokens, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await requests.wait(1, signal);
  await tokens.wait(estimate.input + estimate.output, signal);
  signal.throwIfAborted();
}

export function estimateOf(call: Call, maxOutput: number): Tokens {
  const messages = call.messages();
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  return { input: estimateTokens(bytes, messages.length), output: maxOutput };
}

type NoReply = Exclude<Attempt, { kind: "reply" }>;

/** The error that ends the whole run, if this attempt is one that does. */
function endOf(result: NoReply, { server, limits }: Asking, replies: number, attempt: number): UserError | undefined {
  if (result.kind === "hopeless") return new UserError(`the judge: ${result.error}`, { remedy: result.remedy });
  if (result.kind === "rejected") {
    return new UserError(`the judge refuses the request: ${result.error}`, {
      remedy: "change `parameters` in the judge file to what this server takes (null leaves a default out)",
    });
  }
  if (result.code === "ECONNREFUSED" && replies === 0 && attempt >= Math.min(UNREACHED, limits.retries + 1)) {
    return new UserError(`nobody answers at the judge's address ${server} (ECONNREFUSED)`, {
      remedy: "start the server, or check base_url in the judge file",
    });
  }
  if (result.waitMs !== undefined && result.waitMs > LONGEST_WAIT_MS) {
    return new UserError(`the judge asks to wait ${Math.round(result.waitMs / 60_000)} minutes: ${result.error}`, {
      remedy: "what was answered is kept; give the same command again then",
    });
  }
  return undefined;
}

function lineOf(
  { key }: Call,
  attempt: number,
  server: string,
  at: string,
  seconds: number,
  result: Attempt,
): JudgeLedgerLine {
  const common = { key, attempt, server, at, seconds: Number(seconds.toFixed(3)) };
  if (result.kind !== "reply") return { ...common, status: result.status, error: result.error };
  const { status, body, text } = result;
  return text === undefined ? { ...common, status, body } : { ...common, status, text };
}
