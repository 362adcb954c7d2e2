/**
 * The win rate, from annotation files to figures: reads each file once, computes every model's figures, and sets models side by side.
 * Offline. The command, the library and studies call this one function.
 */

import { resolve } from "node:path";
import { winrateOptions } from "../options/measure.js";
import type { Annotation } from "../records/annotations.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { type WinrateSummary, winrateSummarySchema } from "../records/winrate.js";
import { UserError } from "../util/errors.js";
import { type Defaulted, type OptionsOf, withDefaults } from "../util/options.js";
import { packageVersion, secondsSince } from "../util/system.js";
import { type CollectOptions, collectEvaluations, type Evaluation } from "./winrate/collect.js";
import { compareModels, type Model, summariseRuns } from "./winrate/compare.js";
import { evaluate } from "./winrate/evaluate.js";
import { readFolds, readLcData } from "./winrate/lc-data.js";
import { openPromptIds } from "./winrate/prompt-ids.js";

/** A file, or annotations in memory (as `judge` gives them), with the name of their model where it is to have another. */
export type AnnotationSource =
  | string
  | { readonly name?: string; readonly file: string }
  | { readonly name?: string; readonly annotations: readonly GivenAnnotation[] };

/** What a row must have; the rest may be absent. */
export type GivenAnnotation = Partial<Annotation> &
  Pick<Annotation, "instruction" | "output_1" | "output_2" | "preference">;

export interface WinrateOptions extends Omit<OptionsOf<typeof winrateOptions>, "annotations"> {
  /** Files, or the annotations themselves; those of one name are runs (seeds) of one model. */
  readonly annotations: readonly AnnotationSource[];
}

/** @throws UserError  a file that is no annotations, several judges in one table, or data that the fit needs and lacks */
export const winrate = (options: WinrateOptions, watch: Watch = {}): Promise<WinrateSummary> =>
  watched("winrate", watch, (say) => summarise(withDefaults(winrateOptions, options), say, watch.signal));

async function summarise(
  options: WinrateOptions & Defaulted<typeof winrateOptions>,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<WinrateSummary> {
  const started = performance.now();
  const data = options.lcData === undefined || options.lc === "none" ? undefined : await readLcData(options.lcData);
  const folds = options.folds === undefined ? undefined : await readFolds(options.folds);
  const { lc, lcC: c, compat } = options;
  const scale = options.scale ?? (compat === undefined ? undefined : "1..2"); // AlpacaEval's files have no other
  const { named, prompts } = await readAll(
    options.annotations,
    { instructions: data?.instructions, scale },
    say,
    signal,
  );
  refuseSeveralJudges(named);
  const models = grouped(named, (evaluation, name) =>
    evaluate(evaluation, name, { lc, data, c, folds, compat: compat !== undefined }),
  );
  const { seed, resamples, compare } = options;
  const compared = { prompts, seed, resamples };
  const summary: WinrateSummary = {
    version: 1,
    command: "winrate",
    compat: compat ?? null,
    models: models.flatMap(({ runs }) => runs.map(({ evaluated }) => evaluated.entry)),
    runs: models.filter(({ runs }) => runs.length > 1).map((model) => summariseRuns(model, prompts)),
    comparisons: pairsOf(models, compare).map(([a, b]) => compareModels(a, b, compared)),
    seconds: secondsSince(started),
    tacit: packageVersion(),
  };
  return winrateSummarySchema.parse(summary);
}

/** Every file, once. What instructions are called is forgotten with the last: a million names weigh more than all figures. */
async function readAll(
  annotations: readonly AnnotationSource[],
  collected: CollectOptions,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<{ readonly named: readonly Named[]; readonly prompts: number }> {
  const ids = openPromptIds(collected.instructions);
  const named: Named[] = [];
  say.begin({ total: annotations.length, unit: "files", reused: 0 });
  for (const [index, source] of sourcesOf(annotations).entries()) {
    signal?.throwIfAborted();
    const evaluations = await collectEvaluations(source.file, ids, collected, source.given);
    if (source.name !== undefined && evaluations.length > 1) {
      throw new UserError(
        `${source.file} holds ${evaluations.length} models and cannot have the one name ${source.name}`,
      );
    }
    say.progress({ done: index + 1 });
    named.push(...evaluations.map((evaluation) => ({ name: source.name, evaluation })));
  }
  return { named, prompts: ids.size };
}

interface Source {
  readonly name: string | undefined;
  /** Its path, or what annotations in memory are called. */
  readonly file: string;
  readonly given?: readonly unknown[];
}

/** @throws UserError  there are none, or a file is named twice */
export function sourcesOf(annotations: readonly AnnotationSource[]): Source[] {
  if (annotations.length === 0) throw new UserError("no annotations are named", { remedy: "name at least one file" });
  const sources = annotations.map((source, i): Source => {
    if (typeof source === "string") return { name: undefined, file: source };
    if ("file" in source) return { name: source.name, file: source.file };
    return givenSource(source, `annotations ${i + 1}`);
  });
  const files = sources.filter(({ given }) => given === undefined);
  const twice = files.find(({ file }, i) => files.findIndex((other) => resolve(other.file) === resolve(file)) !== i);
  if (twice !== undefined) throw new UserError(`${twice.file} is named twice`, { remedy: "name each file once" });
  return sources;
}

function givenSource({ name, annotations }: Extract<AnnotationSource, { annotations: unknown }>, file: string): Source {
  if (!Array.isArray(annotations))
    throw new UserError(`${file} are no list`, { remedy: "give { annotations: [...] }" });
  return { name, file, given: annotations };
}

interface Named {
  readonly name: string | undefined;
  readonly evaluation: Evaluation;
}

/** Figures of different judges mean different things: they do not share a table. */
function refuseSeveralJudges(named: readonly Named[]): void {
  const judges = [...new Set(named.map(({ evaluation }) => evaluation.annotator))];
  if (judges.length < 2) return;
  throw new UserError(
    `these annotations come from ${judges.length} judges (${judges.slice(0, 5).join(", ")}), whose win rates cannot be compared`,
    {
      remedy: "run tacit winrate once for each judge; tacit agreement says how far they agree",
    },
  );
}

/** By name, the best first. Without a name of its own a model has its generator's; against several baselines, theirs as well. */
function grouped(
  named: readonly Named[],
  evaluated: (evaluation: Evaluation, name: string) => Model["runs"][number]["evaluated"],
): Model[] {
  const baselines = new Map<string, Set<string>>();
  for (const { evaluation } of named) {
    baselines.set(evaluation.model, (baselines.get(evaluation.model) ?? new Set()).add(evaluation.baseline));
  }
  const nameOf = ({ name, evaluation: { model, baseline } }: Named): string =>
    name ?? ((baselines.get(model)?.size ?? 1) > 1 ? `${model} against ${baseline}` : model);
  const groups = new Map<string, Evaluation[]>();
  for (const one of named) groups.set(nameOf(one), [...(groups.get(nameOf(one)) ?? []), one.evaluation]);
  const models = [...groups].map(([name, evaluations]) => ({
    name,
    runs: evaluations.map((evaluation) => ({ evaluation, evaluated: evaluated(evaluation, name) })),
  }));
  const controlled = models.every(({ runs }) =>
    runs.every(({ evaluated: { entry } }) => entry.length_controlled_winrate !== null || entry.win_rate === null),
  );
  return models.sort((a, b) => standing(b, controlled) - standing(a, controlled));
}

/** What the table is sorted by: length-controlled where all have it, else raw; without either, last. */
function standing({ runs }: Model, controlled: boolean): number {
  const values = runs.map(
    ({ evaluated: { entry } }) => (controlled ? entry.length_controlled_winrate : entry.win_rate) ?? -1,
  );
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function pairsOf(models: readonly Model[], which: "best" | "all" | "none"): [Model, Model][] {
  const [best, ...others] = models;
  if (best === undefined || which === "none") return [];
  if (which === "best") return others.map((other) => [best, other]);
  return models.flatMap((a, i) => models.slice(i + 1).map((b): [Model, Model] => [a, b]));
}
