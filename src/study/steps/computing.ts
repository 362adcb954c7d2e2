/**
 * What steps that compute share: the study's settings as the options of a function in `src/steps`, and how long it takes.
 * May not know: the graph, one kind of step.
 */
import { existsSync } from "node:fs";
import type { Plan } from "../../engine/opened.js";
import { templateFrom } from "../../options/template.js";
import { present } from "../../util/errors.js";
import { type Forecast, type Known, NOTHING, type TemplateSettings } from "../step.js";

export const templateOptions = ({ name, user_tag, assistant_tag, bos }: TemplateSettings) => ({
  template: templateFrom({ template: name, userTag: user_tag, assistantTag: assistant_tag }),
  bos,
});

/** Only what says something: a key with nothing in it would give results another name than they had before it was there. */
export const whereGiven = (parts: Readonly<Record<string, object | undefined>>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) =>
      part === undefined || Object.keys(part).length === 0 ? [] : [[name, part]],
    ),
  );

/** Whether an earlier attempt wrote all its results and was stopped before it could say so. */
export const isWhole = (...paths: readonly string[]): boolean => paths.every((path) => existsSync(path));

export interface Size {
  readonly tokens: number;
  /** In the unit that the step's record counts. */
  readonly work: number;
}

/** From the speed of other steps on the same model, or from what the engine expects. */
export async function timed(known: Known<unknown>, { tokens, work }: Size, plan: Plan): Promise<Forecast> {
  const speed = measuredSpeed(known);
  return {
    ...NOTHING,
    seconds: speed === undefined ? tokens / (await plan.tokensPerSecond()) : work / speed,
    basis: speed === undefined ? "machine" : "measured",
    memoryBytes: plan.bytes,
  };
}

/** The model directory of a step on one of the study's models. */
export const modelOf = ({ model }: Known<unknown>): string => present(model, "the model of a step that computes").path;

/** Work a second of finished steps of the same model that nobody interrupted. */
function measuredSpeed({ finished, model }: Known<unknown>): number | undefined {
  const like = finished.filter(
    ({ cell, timings }) => cell?.model === model?.name && !timings.resumed && timings.work > 0,
  );
  if (like.length === 0) return undefined;
  const sum = (key: "work" | "seconds"): number => like.reduce((total, { timings }) => total + timings[key], 0);
  return sum("work") / Math.max(sum("seconds"), 1e-3);
}
