/**
 * What arms and models are called in a report, and in which order they stand: that of the study's file.
 * May not know: sections.
 */
import type { Cell, CellKey } from "../records/study.js";
import type { StudyFolder } from "./read.js";

/** "response", or "response (llama)" where the study has several models. */
export const armName = ({ record }: StudyFolder, { model, arm }: Pick<CellKey, "model" | "arm">): string =>
  Object.keys(record.study.models).length > 1 ? `${arm} (${model})` : arm;

/** Cells of one arm under one model, by seed. */
export interface ArmCells {
  readonly model: string;
  readonly arm: string;
  readonly name: string;
  /** Those with the chosen number of epochs. */
  readonly chosen: readonly Cell[];
}

export function armsOf(study: StudyFolder): ArmCells[] {
  const { models, arms } = study.record.study;
  return Object.keys(models).flatMap((model) =>
    Object.keys(arms).flatMap((arm) => {
      const cells = study.results.cells.filter((cell) => cell.model === model && cell.arm === arm);
      if (cells.length === 0) return [];
      const chosen = cells.filter((cell) => cell.chosen).sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0));
      return [{ model, arm, name: armName(study, { model, arm }), chosen }];
    }),
  );
}
