/**
 * Comparisons in total: both readings, every pair accounted for, intervals clustered by instruction, since the comparisons of
 * one instruction share its right response.
 * May not know: models, files.
 */
import type { RankPair, RankReading, RankTotals, UnscoredReason } from "../records/rank.js";
import { clusteredShare } from "../stats/cluster.js";
import { toEstimateRecord } from "../stats/estimate.js";
import { invariant } from "../util/errors.js";

/** Takes pairs one by one, in any order; holds a few numbers per instruction. */
export interface RankTally {
  add(pair: RankPair): void;
  totals(): RankTotals;
}

/** Outcomes of one instruction's comparisons that have a verdict or are self-draws. */
interface Cluster {
  readonly sum: number[];
  readonly mean: number[];
  /** How many of its draws hit itself. */
  selfDraws: number;
}

export function openTally(): RankTally {
  const clusters = new Map<number, Cluster>();
  const reasons: Partial<Record<UnscoredReason, number>> = {};
  const counts = { pairs: 0, unscored: 0, selfDraws: 0 };
  const readings = { sum: { greater: 0, less: 0, ties: 0 }, mean: { greater: 0, less: 0, ties: 0 } };

  const add = (pair: RankPair): void => {
    counts.pairs++;
    const cluster = clusters.get(pair.index) ?? { sum: [], mean: [], selfDraws: 0 };
    clusters.set(pair.index, cluster);
    switch (pair.outcome) {
      case "unscored":
        counts.unscored++;
        reasons[pair.reason] = (reasons[pair.reason] ?? 0) + 1;
        return;
      case "self-draw":
        counts.selfDraws++;
        cluster.selfDraws++;
        return;
      case "compared":
        for (const reading of ["sum", "mean"] as const) {
          const verdict = pair[reading];
          readings[reading][verdict === "tie" ? "ties" : verdict]++;
          cluster[reading].push(verdict === "greater" ? 1 : 0);
        }
        return;
      default:
        pair satisfies never;
    }
  };

  const reading = (name: "sum" | "mean"): RankReading => {
    const all = [...clusters.values()];
    const withSelf = all.map((cluster) => [...cluster[name], ...Array<number>(cluster.selfDraws).fill(0)]);
    const { greater, less, ties } = readings[name];
    invariant(
      greater + less + ties + counts.selfDraws + counts.unscored === counts.pairs,
      `${counts.pairs} pairs do not add up in reading ${name}`,
    );
    return {
      greater,
      less,
      ties,
      rate: toEstimateRecord(clusteredShare(withSelf)),
      rate_without_self_draws: toEstimateRecord(clusteredShare(all.map((cluster) => cluster[name]))),
    };
  };
  const totals = (): RankTotals => ({
    instructions: clusters.size,
    pairs: counts.pairs,
    self_draws: counts.selfDraws,
    unscored: counts.unscored,
    unscored_reasons: { ...reasons },
    sum: reading("sum"),
    mean: reading("mean"),
  });
  return { add, totals };
}
