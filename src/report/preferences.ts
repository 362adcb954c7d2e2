/**
 * Verdicts of a comparison as numbers, prompt by prompt.
 * May not know: what they are put to.
 */
import { probabilityOf } from "../stats/win-rate.js";
import { readVerdicts, type StudyFolder } from "./read.js";

/** Percent by instruction: how far the arm's answer is preferred to the baseline's; NaN where there is no verdict. */
export async function preferences(study: StudyFolder, annotations: string): Promise<ReadonlyMap<string, number>> {
  const verdicts = await readVerdicts(study, annotations);
  return new Map(
    verdicts.map(({ instruction, preference }) => {
      const probability = preference === null ? undefined : probabilityOf(preference);
      return [instruction, probability === undefined ? Number.NaN : 100 * probability];
    }),
  );
}
