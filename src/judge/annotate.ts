/**
 * From the verdicts of single calls to one annotation a pair.
 * May not know: where replies come from.
 */
import type { Annotation, AnnotationCall } from "../records/annotations.js";
import type { AskedJudge } from "../records/judge-file.js";
import type { PairVerdict } from "./direct.js";
import type { NeededCall, PlannedPair } from "./plan.js";
import type { Answered } from "./replies.js";

export interface Names {
  readonly baseline: string;
  readonly model: string;
  readonly annotator: string;
}

/** The part of an annotation that no judge decides. */
export function annotationOf(pair: PlannedPair, names: Names, verdict: PairVerdict): Annotation {
  return {
    instruction: pair.instruction,
    ...(pair.dataset === undefined ? {} : { dataset: pair.dataset }),
    output_1: pair.baseline,
    generator_1: names.baseline,
    output_2: pair.model,
    generator_2: names.model,
    annotator: names.annotator,
    ...verdict,
  };
}

export const settledVerdict = ({ outcome, reason }: NonNullable<PlannedPair["settled"]>): PairVerdict => ({
  preference: outcome === "identical" ? 1.5 : null,
  outcome,
  reason,
});

const NOT_ASKED: Answered["verdict"] = { outcome: "failed", reason: "not asked: the cost limit was reached" };

export function annotatePair(
  pair: PlannedPair,
  judge: AskedJudge,
  names: Names,
  answered: (key: string) => Answered | undefined,
): Annotation {
  if (pair.settled !== undefined) return annotationOf(pair, names, settledVerdict(pair.settled));
  const found = pair.calls.map((call) => ({ call, answer: answered(call.key) }));
  const calls = found.map(({ call, answer }) => undoOrder(call, answer?.verdict ?? NOT_ASKED));
  const choices = found.map(({ answer }) => answer?.choice ?? null);
  const completion = choices.every((choice) => choice === null)
    ? {}
    : { raw_completion: choices.length === 1 ? choices[0] : choices };
  return { ...annotationOf(pair, names, meanOverOrders(calls, judge.votes)), calls, ...completion };
}

/**
 * AlpacaEval's scale: 1 + P(the model is better). It computes 2 − P(first) and, where the model was first, 3 − that.
 *
 * @see alpaca_eval, processors.py, `RandomSwitchTwoColumnsProcessor`
 */
function undoOrder({ switched }: NeededCall, verdict: Answered["verdict"]): AnnotationCall {
  if (verdict.outcome !== "judged") {
    return { switched, outcome: verdict.outcome, preference: null, reason: verdict.reason };
  }
  const preference = switched ? 1 + verdict.first : 2 - verdict.first;
  return { switched, outcome: "judged", preference };
}

/** A pair has a verdict where each order has one: one order alone would bring its position's bias in. */
function meanOverOrders(calls: readonly AnnotationCall[], votes: number): PairVerdict {
  const orders = [false, true].flatMap((switched) => {
    const ofOrder = calls.filter((call) => call.switched === switched);
    return ofOrder.length === 0 ? [] : [verdictOfOrder(ofOrder, votes)];
  });
  const missing = orders.find(({ preference }) => preference === null);
  if (missing !== undefined) return missing;
  return { preference: mean(orders.flatMap(({ preference }) => preference ?? [])), outcome: "judged" };
}

/** The mean of its votes; at least half of them must be verdicts. */
export function verdictOfOrder(calls: readonly AnnotationCall[], votes: number): PairVerdict {
  const judged = calls.flatMap(({ preference }) => preference ?? []);
  if (2 * judged.length >= votes && judged.length > 0) return { preference: mean(judged), outcome: "judged" };
  const { outcome, reason = "" } = calls.find(({ preference }) => preference === null) ?? {};
  return { preference: null, ...(outcome === undefined ? {} : { outcome }), reason };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
