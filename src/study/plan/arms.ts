/**
 * What the arms of a study are: tuned or not, with which seeds and numbers of epochs, of which models.
 * May not know: whether the study is sound.
 */
import type { Arm, Study } from "../../records/study-file.js";

export const isTuned = (arm: Arm): arm is Extract<Arm, { data: string }> =>
  arm.kind === "instruction" || arm.kind === "response" || arm.kind === "single-task";

/** Numbers of epochs that an arm chooses from, and its seeds; none for arms that are not tuned. */
export const epochsOf = (study: Study, arm: Arm): readonly number[] =>
  isTuned(arm) ? (arm.epochs ?? study.epochs) : [];
export const seedsOf = (study: Study, arm: Arm): readonly number[] => (isTuned(arm) ? (arm.seeds ?? study.seeds) : []);
export const modelsOf = (study: Study, arm: Arm): readonly string[] => arm.models ?? Object.keys(study.models);

export const armsOf = (given: string | readonly string[]): readonly string[] =>
  typeof given === "string" ? [given] : given;
