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
import type { Emitter } from "../records/events.js";
import { type AskedJudge, limitsSchema } from "../records/judge-file.js";
import type { ReplyLine } from "../records/reply-ledger.js";
import { Interrupted, UserError } from "../util/errors.js";
import type { OptionsOf } from "../util/options.js";
import { inParallel } from "../util/parallel.js";
import type { Result } from "../util/result.js";
import type { JudgePlan } from "./judge-plan.js";
import { limitsIn, type ServerLimits } from "./server-limits.js";

export interface Judged {
  readonly annotations: readonly Annotation[];
  /** Undefined where the judge is not asked. */
  readonly replies?: Replies;
  readonly spent: Spent;
  /** Calls whose replies were there already. */
  readonly reused: number;
}

export interface AskingOptions extends ServerLimits, Pick<OptionsOf<typeof judgeOptions>, "maxCost"> {
  readonly clock?: Clock;
}

/**
 * @throws UserError  the judge has stopped answering, or nothing is known of any pair
 * @throws Interrupted  the signal; what was answered is in the ledger
 */
export async function askForVerdicts(
  plan: JudgePlan,
  judge: AskedJudge,
  result: Result,
  options: AskingOptions,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<Judged> {
  const calls = plan.keys.size;
  const replies = openReplies(plan.keys, judge);
  const ledger = await result.ledger<ReplyLine>(replies.visit);
  const reused = replies.size();
  const missing = missingCalls(plan.pairs, plan.loaded, replies.has);
  say.begin({ total: calls, unit: "calls", reused });
  const limits = limitsSchema.parse({ ...(judge.kind === "openai" ? judge.limits : {}), ...limitsIn(options) });
  const refuseWithoutLogprobs = watchForLogprobs(plan, judge, replies);
  const client = openJudgeClient(plan, judge, options, {
    limits,
    earlier: reused,
    signal,
    record: async (line) => {
      await ledger.append(line);
      replies.visit(line);
      refuseWithoutLogprobs(line.key);
    },
  });
  try {
    for await (const _ of inParallel(missing, limits.concurrency, client.ask)) {
      const { requests, replies: replied, dollars } = client.spent();
      say.progress({ done: replies.size(), repeated: requests - replied, dollars });
    }
    signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(`${replies.size()} of ${calls} calls are answered; give the same command again to resume`);
  }
  const spent = client.spent();
  refuseWithoutReplies(plan, replies, spent.outOfMoney);
  const annotations = plan.pairs.map((pair) => annotatePair(pair, judge, plan.names, replies.get));
  return { annotations, replies, spent, reused };
}

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

/** @returns takes the key of each new line in the ledger; throws where continuing would pay for nothing */
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
