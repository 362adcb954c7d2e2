/**
 * How well one set of yes/no verdicts agrees with another that is taken for right.
 * May not know: what is judged.
 */
import type { Estimate } from "./estimate.js";
import { cohensKappa } from "./kappa.js";
import { wilson } from "./wilson.js";

export interface Classification {
  readonly bothYes: number;
  /** Yes where the reference says no. */
  readonly falseYes: number;
  /** No where the reference says yes. */
  readonly falseNo: number;
  readonly bothNo: number;
  /** Share of equal verdicts. */
  readonly agreement: Estimate;
  /** Agreement beyond chance. */
  readonly kappa: Estimate;
  /** Of the verdicts yes, how many the reference shares. */
  readonly precision: Estimate;
  /** Of the reference's verdicts yes, how many were found. */
  readonly recall: Estimate;
}

export function classificationOf(
  pairs: Iterable<{ readonly found: boolean; readonly wanted: boolean }>,
): Classification {
  let [bothYes, falseYes, falseNo, bothNo] = [0, 0, 0, 0];
  for (const { found, wanted } of pairs) {
    if (found && wanted) bothYes++;
    else if (found) falseYes++;
    else if (wanted) falseNo++;
    else bothNo++;
  }
  return {
    bothYes,
    falseYes,
    falseNo,
    bothNo,
    agreement: wilson(bothYes + bothNo, bothYes + falseYes + falseNo + bothNo),
    kappa: cohensKappa([
      [bothYes, falseYes],
      [falseNo, bothNo],
    ]),
    precision: wilson(bothYes, bothYes + falseYes),
    recall: wilson(bothYes, bothYes + falseNo),
  };
}
