/**
 * How far answers keep the style of what was tuned on.
 * May not know: how answers come about.
 */
import { studySettings } from "../../../options/study-settings.js";
import type { Analysis } from "../../../records/study-file.js";
import { optionsIn } from "../../../util/options.js";
import type { Source } from "../../step.js";
import { sourceOf } from "../../steps.js";
import type { AnalysisDefinition } from "../analysis.js";
import { isTuned } from "../arms.js";
import { dataSource, hashedSource, type Inputs, isUrl } from "../sources.js";

export const similarity: AnalysisDefinition<Extract<Analysis, { kind: "similarity" }>> = {
  step: "similarity",
  data: ({ reference, task }) => [
    ...(reference === undefined ? [] : [{ key: "reference", name: reference }]),
    ...(task === undefined ? [] : [{ key: "task", name: task }]),
  ],
  takes: ({ arms }, name) => arms[name]?.kind === "single-task",
  refuses: () => undefined,
  encoder: ({ encoder }) => encoder,
  withEncoder: (analysis, encoder) => ({ ...analysis, encoder }),
  plan({ name, encoder, ...named }, { at, answers }, { inputs }) {
    if (encoder === undefined) return { lacking: "no encoder was named" };
    const task = named.task ?? (isTuned(at.arm) ? at.arm.data : undefined);
    if (answers === undefined || task === undefined) return { lacking: "it has no answers, or no task" };
    const needs = [answers.id];
    if (answers.plan === undefined) return { needs, work: undefined };
    return {
      needs,
      work: {
        kind: "similarity",
        encoder: encoderSource(inputs, name, encoder),
        settings: optionsIn(studySettings.similarity, named),
        outputs: sourceOf(answers.plan),
        task: dataSource(inputs, task),
        reference: named.reference === undefined ? undefined : dataSource(inputs, named.reference),
      },
    };
  },
};

/** A server is known by its address alone. */
const encoderSource = (inputs: Inputs, analysis: string, encoder: string): Source =>
  isUrl(encoder) ? { at: { outside: encoder }, is: encoder } : hashedSource(inputs, "encoder", analysis);
