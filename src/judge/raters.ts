/**
 * Judges beside each other: on the pairs of outputs that two of them have seen, how often they say the same, beyond chance, and by
 * length; and of one judge alone, whether order or length sways it.
 * May not know: files, how a verdict came about.
 */
import type { JudgePairRecord, RaterRecord } from "../records/agreement.js";
import { clusteredShare } from "../stats/cluster.js";
import { type Estimate, toEstimateRecord } from "../stats/estimate.js";
import { cohensKappa } from "../stats/kappa.js";
import { wilson } from "../stats/wilson.js";

/** One pair of outputs as one judge saw it. */
export interface RatedPair {
  /** The same for the same instruction and the same two outputs, whichever of them is called the baseline. */
  readonly key: string;
  /** Which of the two outputs is the model's: equal in two files that agree on that. */
  readonly turned: boolean;
  readonly instruction: number;
  /** P(the model is better), the mean of all votes; NaN where there is none. */
  readonly p: number;
  /** Code points of the model's output less the baseline's. */
  readonly longer: number;
  /** Single calls whose order is known. */
  readonly calls: readonly RatedCall[];
}

export interface RatedCall {
  /** The model's output was shown first. */
  readonly switched: boolean;
  /** P(the model is better); NaN where there is no verdict. */
  readonly p: number;
}

export interface Rater {
  readonly name: string;
  readonly file: string;
  readonly rows: number;
  readonly orderFrom: RaterRecord["order_from"];
  readonly pairs: ReadonlyMap<string, RatedPair>;
}

const MODEL = 0;
const TIE = 1;
const BASELINE = 2;
type Verdict = typeof MODEL | typeof TIE | typeof BASELINE;

const verdictOf = (p: number): Verdict => (p > 0.5 ? MODEL : p < 0.5 ? BASELINE : TIE);
const hasVerdict = ({ p }: { readonly p: number }): boolean => !Number.isNaN(p);

export function describeRater({ name, file, rows, orderFrom, pairs }: Rater): RaterRecord {
  const all = [...pairs.values()];
  const judged = all.filter(hasVerdict);
  const count = (verdict: Verdict): number => judged.filter(({ p }) => verdictOf(p) === verdict).length;
  const sided = judged.filter(({ p, longer }) => p !== 0.5 && longer !== 0);
  return {
    name,
    file,
    pairs: all.length,
    rows,
    model_wins: count(MODEL),
    ties: count(TIE),
    baseline_wins: count(BASELINE),
    no_verdict: all.length - judged.length,
    longer_wins: share(sided.map((pair) => [pair.instruction, pair.p > 0.5 === pair.longer > 0])),
    first_wins: toEstimateRecord(firstWins(all)),
    flip_rate: toEstimateRecord(flipRate(all)),
    order_from: orderFrom,
  };
}

/** Calls of one instruction are one cluster: two orders of one pair are not independent. */
function firstWins(pairs: readonly RatedPair[]): Estimate {
  const clusters = new Map<number, number[]>();
  for (const { instruction, calls } of pairs) {
    for (const { switched, p } of calls) {
      if (Number.isNaN(p) || p === 0.5) continue;
      clusters.set(instruction, [...(clusters.get(instruction) ?? []), p > 0.5 === switched ? 1 : 0]);
    }
  }
  return clusteredShare([...clusters.values()]);
}

/** Over pairs with verdicts in both orders: the mean verdict of one order is not that of the other. */
function flipRate(pairs: readonly RatedPair[]): Estimate {
  const flips = pairs.flatMap(({ calls }) => {
    const mean = (switched: boolean): number | undefined => {
      const ps = calls.filter((call) => call.switched === switched && hasVerdict(call)).map(({ p }) => p);
      return ps.length === 0 ? undefined : ps.reduce((sum, p) => sum + p, 0) / ps.length;
    };
    const [kept, switched] = [mean(false), mean(true)];
    return kept === undefined || switched === undefined ? [] : [verdictOf(kept) !== verdictOf(switched)];
  });
  return wilson(flips.filter((flipped) => flipped).length, flips.length);
}

/** Two raters on the pairs that both have seen. Where `b` calls a's model the baseline, its verdict is turned round. */
export function comparePair(a: Rater, b: Rater): JudgePairRecord {
  const shared = [...a.pairs.values()].flatMap((left) => {
    const right = b.pairs.get(left.key);
    return right === undefined ? [] : [{ left, right }];
  });
  const rated = shared
    .filter(({ left, right }) => hasVerdict(left) && hasVerdict(right))
    .map(({ left, right }) => ({
      instruction: left.instruction,
      longer: left.longer,
      a: verdictOf(left.p),
      b: verdictOf(left.turned === right.turned ? right.p : 1 - right.p),
    }));
  return {
    a: a.name,
    b: b.name,
    shared: shared.length,
    only_a: a.pairs.size - shared.length,
    only_b: b.pairs.size - shared.length,
    undecided: shared.length - rated.length,
    ...figures(rated),
    confusion: confusionOf(rated),
    by_length: thirds(rated).map((rows) => ({
      from: Math.min(...rows.map(({ longer }) => longer)),
      to: Math.max(...rows.map(({ longer }) => longer)),
      ...figures(rows),
      model_share_a: modelShare(rows.map((row) => row.a)),
      model_share_b: modelShare(rows.map((row) => row.b)),
    })),
  };
}

interface BothRated {
  readonly instruction: number;
  readonly longer: number;
  readonly a: Verdict;
  readonly b: Verdict;
}

function figures(rows: readonly BothRated[]) {
  const same = (row: BothRated): readonly [number, boolean] => [row.instruction, row.a === row.b];
  return {
    n: rows.length,
    agreement: share(rows.map(same)),
    agreement_without_ties: share(rows.filter((row) => row.a !== TIE && row.b !== TIE).map(same)),
    kappa: toEstimateRecord(cohensKappa(confusionOf(rows))),
  };
}

function confusionOf(rows: readonly BothRated[]): number[][] {
  const sides = [MODEL, TIE, BASELINE] as const;
  return sides.map((first) => sides.map((second) => rows.filter(({ a, b }) => a === first && b === second).length));
}

/** Three parts of nearly equal size, from the shortest model outputs (relative to the baseline's) to the longest; equal lengths stay together. */
function thirds(rows: readonly BothRated[]): BothRated[][] {
  const sorted = rows.map(({ longer }) => longer).sort((x, y) => x - y);
  const [first, second] = [1 / 3, 2 / 3].map((part) => sorted[Math.floor(part * sorted.length)]);
  if (first === undefined || second === undefined) return [];
  const part = ({ longer }: BothRated): number => (longer < first ? 0 : longer < second ? 1 : 2);
  return [0, 1, 2].map((which) => rows.filter((row) => part(row) === which)).filter((group) => group.length > 0);
}

const modelShare = (verdicts: readonly Verdict[]): number =>
  verdicts.reduce<number>((sum, verdict) => sum + (verdict === MODEL ? 1 : verdict === TIE ? 0.5 : 0), 0) /
  verdicts.length;

/** Clustered by instruction. */
function share(observations: readonly (readonly [instruction: number, yes: boolean])[]) {
  const clusters = new Map<number, number[]>();
  for (const [instruction, yes] of observations) {
    const cluster = clusters.get(instruction);
    if (cluster === undefined) clusters.set(instruction, [yes ? 1 : 0]);
    else cluster.push(yes ? 1 : 0);
  }
  return toEstimateRecord(clusteredShare([...clusters.values()]));
}
