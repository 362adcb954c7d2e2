/** The run record of a judged set of pairs: everything counted, nothing left out. */

import { positionsOf } from "../judge/positions.js";
import { holdsControlToken } from "../judge/prompt.js";
import type { Replies } from "../judge/replies.js";
import { dollars, type Tokens } from "../openai/cost.js";
import { type Annotation, type VerdictOutcome, verdictOutcomes } from "../records/annotations.js";
import type { Judge } from "../records/judge-file.js";
import type { JudgeRun } from "../records/judge-run.js";
import { toEstimateRecord } from "../stats/estimate.js";
import { openWinRate, probabilityOf, whyNoRate, winRateBounds } from "../stats/win-rate.js";
import { sha256 } from "../util/files.js";
import { packageVersion } from "../util/system.js";
import type { JudgePlan } from "./judge-plan.js";

export function judgeRecord(
  plan: JudgePlan,
  annotations: readonly Annotation[],
  replies: Replies | undefined,
  outOfMoney: boolean,
): JudgeRun {
  const { outputs, baseline, pairing, pairs } = plan;
  const outcomes = countOutcomes(annotations);
  const fileOf = ({ path, sha256: hash, generator, rows }: JudgePlan["outputs"]) => {
    return { path, sha256: hash, generator, rows: rows.length };
  };
  return {
    version: 1,
    command: "judge",
    tacit: packageVersion(),
    fingerprint: plan.fingerprint,
    judge: describeJudge(plan, replies),
    outputs: fileOf(outputs),
    baseline: fileOf(baseline),
    pairs: {
      judged: outcomes.judged + outcomes.identical,
      total: pairs.length,
      only_outputs: pairing.onlyOutputs,
      only_baseline: pairing.onlyBaseline,
      beyond_limit: pairing.pairs.length - pairs.length,
    },
    outcomes,
    reasons: countReasons(annotations),
    calls: { total: plan.keys.size, outcomes: callOutcomes(plan.keys, replies) },
    control_tokens: pairs.filter(({ baseline: b, model }) => holdsControlToken(b) || holdsControlToken(model)).length,
    ...costs(plan, replies),
    ...winRate(annotations),
    ...positions(annotations),
    stopped: outOfMoney ? "max-cost" : null,
  };
}

function describeJudge({ loaded, keys }: JudgePlan, replies: Replies | undefined): JudgeRun["judge"] {
  const { judge, name, hash, prompt } = loaded;
  const servers = new Set([...keys].flatMap((key) => replies?.get(key)?.server ?? []));
  return {
    name,
    hash,
    definition: judge,
    prompt: prompt === undefined ? null : { source: prompt.source, sha256: sha256(prompt.prompt.text) },
    servers: [...servers].sort(),
    verdict: verdictInWords(judge),
  };
}

function verdictInWords(judge: Judge): string {
  if (judge.kind === "checker") {
    const by = judge.draw === 0 ? "" : ` by more than ${judge.draw}`;
    return `2 where the checker's score of the model's output is higher${by}, 1 where it is lower${by}, else 1.5; each output is scored by itself, so that there is no order to switch`;
  }
  if (judge.kind === "votes") return "the mean of the votes on a pair";
  const orders =
    judge.order === "both" ? "the mean of both orders" : "one order, hash-random by instruction as AlpacaEval's";
  if (judge.verdict === "logprobs") {
    return `1 + P(the model is better), from the log-probabilities of the two marker tokens as AlpacaEval 2 weighs them; ${orders}`;
  }
  const votes = judge.votes === 1 ? "one sampled verdict" : `the share of ${judge.votes} sampled verdicts`;
  return (
    `${votes} per order, without log-probabilities: coarser than AlpacaEval 2's weighted preference, with the same mean only as far as ` +
    `the judge samples in proportion to its probabilities; ${orders}`
  );
}

function countOutcomes(annotations: readonly Annotation[]): Record<VerdictOutcome, number> {
  const counts = Object.fromEntries(verdictOutcomes.map((outcome) => [outcome, 0])) as Record<VerdictOutcome, number>;
  for (const { outcome } of annotations) if (outcome !== undefined) counts[outcome]++;
  return counts;
}

/** Most frequent first. */
function countReasons(annotations: readonly Annotation[]): JudgeRun["reasons"] {
  const counts = new Map<string, JudgeRun["reasons"][number]>();
  for (const { outcome, reason } of annotations) {
    if (outcome === undefined || outcome === "judged" || reason === undefined) continue;
    const key = JSON.stringify([outcome, reason]);
    counts.set(key, { outcome, reason, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

function callOutcomes(
  keys: ReadonlySet<string>,
  replies: Replies | undefined,
): Partial<Record<VerdictOutcome, number>> {
  const counts: Partial<Record<VerdictOutcome, number>> = {};
  for (const key of keys) {
    const outcome = replies?.get(key)?.verdict.outcome ?? "failed";
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Over the replies that the verdicts were read from: what was asked twice because of a kill is not known. */
function costs(
  { keys, price }: JudgePlan,
  replies: Replies | undefined,
): Pick<JudgeRun, "tokens" | "replies_without_tokens" | "price" | "dollars"> {
  const used = [...keys].flatMap((key) => replies?.get(key) ?? []).filter(({ replied }) => replied);
  const known = used.flatMap(({ usage }) => usage ?? []);
  const tokens = known.reduce<Tokens>(
    (sum, { input, output }) => ({ input: sum.input + input, output: sum.output + output }),
    { input: 0, output: 0 },
  );
  const complete = used.length > 0 && known.length === used.length;
  return {
    tokens: complete ? tokens : null,
    replies_without_tokens: used.length - known.length,
    price: price ?? null,
    dollars: complete && price !== undefined ? dollars(tokens, price) : null,
  };
}

/** Pairs of equal outputs are draws whoever judges: alone they say nothing of the two models, and make no rate. */
function winRate(annotations: readonly Annotation[]) {
  const tally = openWinRate();
  for (const { preference, outcome } of annotations) {
    const p = preference === null ? undefined : probabilityOf(preference);
    if (p !== undefined) tally.add(p, outcome === "identical");
  }
  const rate = tally.totals();
  return {
    win_rate: rate.winRate ?? null,
    win_rate_undefined: rate.winRate === undefined ? whyNoRate(rate) : null,
    standard_error: rate.standardError ?? null,
    discrete_win_rate: rate.discreteWinRate ?? null,
    bounds: winRateBounds(rate, annotations.length - rate.total) ?? null,
    n_wins: rate.wins,
    n_wins_base: rate.winsBase,
    n_draws: rate.draws,
    n_total: rate.total,
  };
}

function positions(annotations: readonly Annotation[]) {
  const { firstPreferred, bothOrders, flips, flipRate } = positionsOf(annotations);
  return {
    first_preferred: firstPreferred.n === 0 ? null : toEstimateRecord(firstPreferred),
    both_orders: bothOrders,
    flips,
    flip_rate: bothOrders === 0 ? null : toEstimateRecord(flipRate),
  };
}
