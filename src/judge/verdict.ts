/**
 * From a reply to a verdict, or to the reason why there is none. Verdicts speak of the answer that was shown first.
 * May not know: which answer is the model's, where replies come from.
 */
import type { VerdictOutcome } from "../records/annotations.js";
import type { AskedJudge } from "../records/judge-file.js";
import { parseVerdict } from "./parsers.js";
import type { Reply } from "./reply.js";

export type Verdict =
  /** P(the answer shown first is better), 0.5 a draw. */
  | { readonly outcome: "judged"; readonly first: number }
  | { readonly outcome: Exclude<VerdictOutcome, "judged" | "identical" | "empty">; readonly reason: string };

type Reading = Pick<AskedJudge, "verdict" | "markers" | "parser" | "position">;

export function verdictOf(reply: Reply, judge: Reading): Verdict {
  if (reply.refusal !== undefined) return { outcome: "refused", reason: "the judge declined" };
  if (reply.finish === "content_filter")
    return { outcome: "refused", reason: "stopped by the server's content filter" };
  return judge.verdict === "logprobs" ? weightedVerdict(reply, judge) : sampledVerdict(reply, judge);
}

/**
 * AlpacaEval 2's: P(first) / (P(first) + P(second)) among the likeliest tokens at one place; one that is missing counts as 0.
 *
 * @see alpaca_eval, completion_parsers.py, `logprob_parser` with `is_binarize` false
 */
function weightedVerdict({ top, finish }: Reply, { markers, position }: Reading): Verdict {
  if (top === undefined) return { outcome: "unparsed", reason: "no log-probabilities in the reply" };
  if (position === "last" && finish === "length")
    return { outcome: "truncated", reason: "cut off before its last token" };
  const place = new Map(position === "first" ? top[0] : top.at(-1));
  const [first, second, tie] = markers.map((marker) => place.get(marker) ?? Number.NEGATIVE_INFINITY);
  const share = shareOfFirst(first, second, tie);
  if (Number.isNaN(share)) return { outcome: "unparsed", reason: "no marker among the likeliest tokens" };
  return { outcome: "judged", first: share };
}

/** Differences first, so that very small probabilities do not vanish. */
function shareOfFirst(first = -Infinity, second = -Infinity, tie = -Infinity): number {
  const highest = Math.max(first, second, tie);
  if (highest === -Infinity) return Number.NaN;
  const [a, b, t] = [first, second, tie].map((logprob) => Math.exp(logprob - highest)) as [number, number, number];
  return (a + t / 2) / (a + b + t);
}

/** A reply that was cut off counts only where all of it is the verdict: its end might have changed it. */
function sampledVerdict({ text, finish }: Reply, { markers, parser }: Reading): Verdict {
  if (finish === "length" && !markers.includes(text.trim())) {
    return { outcome: "truncated", reason: "cut off at the limit of tokens" };
  }
  if (text.trim() === "") return { outcome: "unparsed", reason: "the reply is empty" };
  const first = parseVerdict(text, parser, markers);
  return first === undefined
    ? { outcome: "unparsed", reason: "no verdict that was offered" }
    : { outcome: "judged", first };
}

const filtered = /content[_ ]?filter|content management|safety|moderation/i;
const tooLong = /context|too (?:long|large|many tokens)|maximum.{0,20}(?:length|tokens)|token limit/i;

/** Whether a request was refused (status 400 and the like) for what this pair says, and not for how every request looks. */
export const isAboutThisPair = (error: string): boolean => filtered.test(error) || tooLong.test(error);

/** The verdict on a pair whose request the server refused. */
export const rejectionOf = (error: string): Verdict => ({
  outcome: filtered.test(error) ? "refused" : "failed",
  reason: shortened(error),
});

/** The verdict on a pair that no request brought a reply for. */
export const failureOf = (error: string): Verdict => ({ outcome: "failed", reason: shortened(error) });

/** A reason is one line of a table. The ledger has the whole of it. */
const shortened = (error: string): string => (error.length <= 120 ? error : `${error.slice(0, 119)}…`);
