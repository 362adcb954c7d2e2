/**
 * How well the overlap measure agrees with verdicts: at one threshold, and with the threshold chosen on nine tenths of the rows and judged on
 * the tenth, which is the honest figure.
 * May not know: files.
 */
import { type Classification, classificationOf } from "../../stats/classification.js";
import { sha256 } from "../../util/files.js";
import { overlap } from "./overlap.js";
import type { JudgedExchange } from "./verdicts.js";

const FOLDS = 10;

export interface OverlapQuality {
  readonly verdicts: number;
  readonly rows: number;
  readonly atThreshold: Classification;
  readonly crossValidated: Classification;
  /** What all verdicts together would choose. */
  readonly bestThreshold: number;
}

interface Scored {
  readonly id: string;
  readonly score: number;
  readonly wanted: boolean;
}

export function overlapQuality(exchanges: readonly JudgedExchange[], threshold: number): OverlapQuality {
  const all = exchanges.map(({ id, instruction, response, restates }): Scored => {
    return { id, score: overlap(instruction, response), wanted: restates };
  });
  const judged = (rows: readonly Scored[], from: number) =>
    rows.map(({ score, wanted }) => ({ found: score >= from, wanted }));
  const left = Array.from({ length: FOLDS }, (_, fold) => {
    const chosen = bestThreshold(all.filter(({ id }) => foldOf(id) !== fold));
    return judged(
      all.filter(({ id }) => foldOf(id) === fold),
      chosen,
    );
  });
  return {
    verdicts: all.length,
    rows: new Set(all.map(({ id }) => id)).size,
    atThreshold: classificationOf(judged(all, threshold)),
    crossValidated: classificationOf(left.flat()),
    bestThreshold: bestThreshold(all),
  };
}

/** By the row's name, so that the exchanges of one dialogue stay together. */
const foldOf = (id: string): number => Number.parseInt(sha256(id).slice(0, 8), 16) % FOLDS;

/** The smallest of the thresholds, in steps of 0.02, with the largest kappa. */
function bestThreshold(rows: readonly Scored[]): number {
  let best = { kappa: Number.NEGATIVE_INFINITY, threshold: 0 };
  for (let step = 0; step <= 115; step++) {
    const threshold = step / 50;
    const found = classificationOf(rows.map(({ score, wanted }) => ({ found: score >= threshold, wanted })));
    const kappa = found.kappa.estimate ?? Number.NEGATIVE_INFINITY;
    if (kappa > best.kappa) best = { kappa, threshold };
  }
  return best.threshold;
}
