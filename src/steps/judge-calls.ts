/**
 * The calls of one judging: those without a reply are asked, and every reply, old and new, becomes a verdict.
 * May not know: where results lie.
 */
import { annotatePair } from "../judge/annotate.js";
import { type Call, estimateOf, judgeWords, openJudge } from "../judge/calls.js";
import { missingCalls } from "../judge/plan.js";
import { openReplies, type Replies } from "../judge/replies.js";
import { type Client, openClient, type Spent } from "../openai/client.js";
import { type Clock, realClock } from "../openai/clock.js";
import { openBudget } from "../openai/cost.js";
import type { judgeOptions } from "../options/measure.js";
import type { Annotation } from "../records/annotations.js";
import { type AskedJudge, type Limits, limitsSchema } from "../records/judge-file.js";
import type { ReplyLine } from "../records/reply-ledger.js";
import { Interrupted, UserError } from "../util/errors.js";
import type { OptionsOf } from "../util/options.js";
import { inParallel } from "../util/parallel.js";
import type { Result } from "../util/result.js";
import type { JudgePlan } from "./judge-plan.js";

export interface Judged {
  readonly annotations: readonly Annotation[];
  /** Undefined where the judge is not asked. */
  readonly replies?: Replies;
  readonly spent: Spent;
  /** Calls whose replies were there already. */
  readonly reused: number;
}

export interface AskingOptions
  extends Pick<
    OptionsOf<typeof judgeOptions>,
    "concurrency" | "requestsPerMinute" | "tokensPerMinute" | "timeout" | "retries" | "maxCost"
  > {
  readonly clock?: Clock;
}

export interface AskingWatch {
  /** Aborted: no new request is sent, those under way are waited for. */
  readonly signal?: AbortSignal;
  readonly onStart?: (plan: { readonly pairs: number; readonly calls: number; readonly missing: number }) => void;
  readonly onProgress?: (state: { readonly answered: number; readonly calls: number; readonly spent: Spent }) => void;
}

/**
 * @throws UserError  the judge cannot go on, or nothing is known of any pair
 * @throws Interrupted  the signal; what was answered is in the ledger
 */
export async function askForVerdicts(
  plan: JudgePlan,
  judge: AskedJudge,
  result: Result,
  options: AskingOptions,
  watch: AskingWatch,
): Promise<Judged> {
  const calls = plan.keys.size;
  const replies = openReplies(plan.keys, judge);
  const ledger = await result.ledger<ReplyLine>(replies.visit);
  const reused = replies.size();
  const missing = missingCalls(plan.pairs, plan.loaded, replies.has);
  watch.onStart?.({ pairs: plan.pairs.length, calls, missing: missing.length });
  const limits = limitsOf(judge, options);
  const refuseWithoutLogprobs = watchForLogprobs(plan, judge, replies);
  const client = openJudgeClient(plan, judge, options, {
    limits,
    earlier: reused,
    signal: watch.signal,
    record: async (line) => {
      await ledger.append(line);
      replies.visit(line);
      refuseWithoutLogprobs(line.key);
    },
  });
  try {
    for await (const _ of inParallel(missing, limits.concurrency, client.ask)) {
      watch.onProgress?.({ answered: replies.size(), calls, spent: client.spent() });
    }
    watch.signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(`${replies.size()} of ${calls} calls are answered; give the same command again to resume`);
  }
  const spent = client.spent();
  refuseWithoutReplies(plan, replies, spent.outOfMoney);
  const annotations = plan.pairs.map((pair) => annotatePair(pair, judge, plan.names, replies.get));
  return { annotations, replies, spent, reused };
}

/** The judge file's, and over them what was asked for. */
const limitsOf = (judge: AskedJudge, options: AskingOptions): Limits =>
  limitsSchema.parse({ ...(judge.kind === "openai" ? judge.limits : {}), ...limitsIn(options) });

const limitsIn = (options: AskingOptions): Partial<Limits> =>
  Object.fromEntries(
    Object.entries({
      concurrency: options.concurrency,
      requests_per_minute: options.requestsPerMinute,
      tokens_per_minute: options.tokensPerMinute,
      timeout_seconds: options.timeout,
      retries: options.retries,
    }).filter(([, value]) => value !== undefined),
  );

function openJudgeClient(
  { price }: JudgePlan,
  judge: AskedJudge,
  { maxCost, clock = realClock }: AskingOptions,
  run: Pick<Parameters<typeof openClient<Call>>[0], "limits" | "earlier" | "signal" | "record">,
): Client<Call> {
  return openClient<Call>({
    ...run,
    send: openJudge(judge),
    server: judge.kind === "openai" ? judge.base_url : judge.kind,
    words: judgeWords,
    estimate: (call) => estimateOf(call, judge),
    clock,
    budget: maxCost === undefined || price === undefined ? undefined : openBudget(maxCost, price),
  });
}

/**
 * Nothing is known of any pair that was to be judged: a result would only look like one.
 *
 * @throws UserError  no call has anything but a failure
 */
function refuseWithoutReplies({ keys }: JudgePlan, replies: Replies, outOfMoney: boolean): void {
  if (keys.size === 0) return;
  const reasons = new Map<string, number>();
  for (const key of keys) {
    const verdict = replies.get(key)?.verdict;
    if (verdict === undefined) continue; // not asked
    if (verdict.outcome !== "failed") return;
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
  }
  const [reason] = [...reasons].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (outOfMoney && reason === undefined) {
    throw new UserError("the limit on cost does not reach for a single call", { remedy: "give a higher one" });
  }
  throw new UserError(`none of ${keys.size} calls to the judge got a usable reply: ${reason ?? "none was asked"}`, {
    remedy: "what came is in the ledger and no result is written; give the same command again when the judge answers",
  });
}

/** So many replies and not one with log-probabilities: the server has none, and the rest would be paid for nothing. */
const WITHOUT_LOGPROBS = 8;

/** @returns takes the key of each new line in the ledger; throws where going on would pay for nothing */
function watchForLogprobs({ keys }: JudgePlan, judge: AskedJudge, replies: Replies): (key: string) => void {
  let without = 0;
  let weighs = judge.verdict === "sampled" || [...keys].some((key) => replies.get(key)?.verdict.outcome === "judged");
  return (key) => {
    const found = replies.get(key)?.verdict;
    if (weighs || found === undefined || found.outcome === "failed") return;
    if (found.outcome === "judged") {
      weighs = true;
      return;
    }
    if (/log-probabilit|top_logprobs/.test(found.reason)) without++;
    if (without < WITHOUT_LOGPROBS) return;
    const what = /top_logprobs/.test(found.reason) ? "no top_logprobs" : "no log-probabilities that can be weighed";
    throw new UserError(`the judge's first ${without} replies hold ${what}`, {
      remedy: "write `verdict: sampled` in the judge file if this server gives none",
    });
  };
}
