/**
 * What steps that compute share: the study's settings as the options of a function in `src/steps`, and how long it takes.
 * May not know: the graph, one kind of step.
 */
import { existsSync } from "node:fs";
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

export interface Cost {
  /** Floating-point operations for each parameter and token. */
  readonly operations: number;
  /** Share of the matrix product's speed that this engine reached on a model of 268 million parameters (docs/decisions/studies.md). */
  readonly efficiency: number;
}

/** Of a step on one of the study's models, from the speed of others like it or of a matrix product. */
export async function timed(known: Known<unknown>, { tokens, work }: Size, cost: Cost): Promise<Forecast> {
  const { path } = present(known.model, "the model of a step that computes");
  const parameters = await known.parametersOf(path);
  const speed = measuredSpeed(known);
  return {
    ...NOTHING,
    seconds: speed === undefined ? (tokens * cost.operations * parameters) / rate(known, cost) : work / speed,
    basis: speed === undefined ? "machine" : "measured",
    memoryBytes: 10 * parameters,
  };
}

/** Operations a second. */
export const rate = ({ gigaflops }: Known<unknown>, { efficiency }: Cost): number => gigaflops * 1e9 * efficiency;

/** Work a second of finished steps of the same model that nobody interrupted. */
export function measuredSpeed({ finished, model }: Known<unknown>): number | undefined {
  const like = finished.filter(
    ({ cell, timings }) => cell?.model === model?.name && !timings.resumed && timings.work > 0,
  );
  if (like.length === 0) return undefined;
  const sum = (key: "work" | "seconds"): number => like.reduce((total, { timings }) => total + timings[key], 0);
  return sum("work") / Math.max(sum("seconds"), 1e-3);
}
