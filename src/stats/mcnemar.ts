/**
 * McNemar's test: do two models win on different shares of the same prompts?
 * May not know: files, judges.
 */
import { invariant } from "../util/errors.js";
import { incompleteBeta } from "./distributions.js";

export interface McNemar {
  /** Prompts on which only a wins, and only b. */
  readonly onlyA: number;
  readonly onlyB: number;
  readonly n: number;
  /** Two-sided and exact; undefined where no prompt tells them apart. */
  readonly pValue: number | undefined;
  readonly method: string;
}

/** @see McNemar (1947), with the binomial distribution in place of its approximation */
export function mcnemar(wonA: readonly boolean[], wonB: readonly boolean[]): McNemar {
  invariant(wonA.length === wonB.length, `${wonA.length} outcomes beside ${wonB.length}`);
  const onlyA = wonA.filter((won, i) => won && wonB[i] === false).length;
  const onlyB = wonB.filter((won, i) => won && wonA[i] === false).length;
  const discordant = onlyA + onlyB;
  const pValue = discordant === 0 ? undefined : Math.min(1, 2 * binomialCdf(Math.min(onlyA, onlyB), discordant));
  return { onlyA, onlyB, n: wonA.length, pValue, method: "McNemar's test, exact, two-sided" };
}

/** P(at most k heads in n fair tosses) = I_½(n − k, k + 1). */
export function binomialCdf(k: number, n: number): number {
  return k >= n ? 1 : incompleteBeta(0.5, n - k, k + 1);
}
