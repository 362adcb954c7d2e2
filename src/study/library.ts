/**
 * Studies for scripts: what `tacit study plan`, `run` and `status` do, one call each.
 * May not know: how anything is shown.
 */
import type { Checkers } from "../judge/checker.js";
import { winrateOptions } from "../options/measure.js";
import { seed } from "../options/shared.js";
import { studyOptions } from "../options/study.js";
import type { Choice, StudyResults } from "../records/study.js";
import { type ComparisonResult, comparisonResultSchema } from "../records/study.js";
import { watch } from "../steps/requests.js";
import { checkers } from "../steps/script-options.js";
import type { WinrateOptions } from "../steps/winrate.js";
import { UserError } from "../util/errors.js";
import {
  call,
  decimal,
  either,
  flag,
  type Kind,
  type KindsOf,
  listOf,
  needed,
  oneOf,
  record,
  shaped,
  text,
  whole,
} from "../util/option-kinds.js";
import { kindsOf } from "../util/options.js";
import type { StudyRequest } from "./plan/flags.js";
import { planStudy as planPrepared, type StudyPlan } from "./plan/plan.js";
import { prepareStudy } from "./plan/prepare.js";
import { recall } from "./plan/recall.js";
import { choose as chooseOf, type Measure, type Measured } from "./results/choose.js";
import { comparisonOf } from "./results/compare.js";
import { openState } from "./results/state.js";
import { runStudy as runPrepared, type StudyWatch } from "./run/run.js";
import { inlineRunner, threadedRunner } from "./run/runner.js";

export interface RunStudyRequest extends StudyRequest {
  /** Compute in the calling thread, which then answers nobody meanwhile, a judge's replies included; default: in workers of its own. */
  readonly inThisThread?: boolean;
  /** For a judge that is a program, by name: `checkers` of this package, or your own. */
  readonly checkers?: Checkers;
}

/**
 * The steps of a study with their states, and what the rest will take. Nothing is written.
 *
 * @throws UserError  the study is wrong, or something that it names is missing
 */
export const planStudy = async (request: StudyRequest): Promise<StudyPlan> => planPrepared(await prepareStudy(request));

/**
 * Carries out what is not done yet. A step that fails does not throw: `state` of the results is then `failed`, and its entry in `steps`
 * has the reason.
 *
 * @throws UserError    as `planStudy`, or another process is at work in the folder
 * @throws Interrupted  `watch.signal`; what was finished is kept, and the next call resumes from there
 */
export async function runStudy(request: RunStudyRequest, watch: StudyWatch = {}): Promise<StudyResults> {
  const { inThisThread = false, checkers = {}, ...rest } = request;
  const prepared = await prepareStudy(rest);
  const place = { root: prepared.folder.root, computing: prepared.engine, checkers };
  return runPrepared(prepared, inThisThread ? inlineRunner(place) : threadedRunner(place), watch);
}

/** Where a study stands: its results as they are now. What the request leaves out is as in the folder's last run. */
export const studyStatus = async (request: StudyRequest): Promise<StudyResults> =>
  (await openState(await prepareStudy(await recall(request)))).results();

export interface ChooseOptions {
  readonly measure: Measure;
  /** One for each number of epochs and seed, all over the same prompts; null where a prompt has no value. */
  readonly measured: readonly Measured[];
}

/**
 * The number of epochs with the best mean on a validation set, and those that cannot be told apart from it.
 *
 * @throws UserError  a number of epochs lacks a seed that others have, lists differ in length, or no prompt has a value for all
 */
export async function choose({ measure, measured }: ChooseOptions): Promise<Omit<Choice, "model" | "arm">> {
  const [first] = measured;
  if (first === undefined) throw new UserError("choose: nothing was measured", { remedy: "give at least one model" });
  const names = measured.map(({ epochs, seed }) => `${epochs} epochs, seed ${seed}`);
  const seeds = new Set(measured.map(({ seed }) => seed));
  const missing = measured.flatMap(({ epochs }) => [...seeds].map((seed) => `${epochs} epochs, seed ${seed}`));
  const lacking = missing.find((name) => !names.includes(name));
  if (lacking !== undefined)
    throw new UserError(`choose: ${lacking} was not measured`, { remedy: "give all seeds of each" });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`choose: ${twice} is given twice`, { remedy: "give each once" });
  const other = measured.findIndex(({ values }) => values.length !== first.values.length);
  if (other >= 0)
    throw new UserError(
      `choose: ${names[other]} has ${measured[other]?.values.length} values, the first ${first.values.length}`,
      {
        remedy: "measure all on the same prompts",
      },
    );
  return chooseOf(measure, measured);
}

export interface CompareOptions extends Pick<WinrateOptions, "lc" | "lcData" | "scale"> {
  readonly arm: string;
  readonly against: string;
  /** Annotations of the arm (output_2) against the other (output_1), a file for each seed. */
  readonly pairs: readonly {
    readonly annotations: string;
    readonly seed?: number;
    readonly againstSeed?: number;
    readonly epochs?: number;
    readonly againstEpochs?: number;
  }[];
}

/** One arm against another over seeds: mean, standard deviation, and an interval with prompts and seeds as levels. */
export async function compare({ arm, against, pairs, lc, lcData, scale }: CompareOptions): Promise<ComparisonResult> {
  if (pairs.length === 0)
    throw new UserError("compare: there are no pairs", { remedy: "give the annotations of one seed" });
  const result = await comparisonOf({
    ...{ model: "", arm, against, published: undefined, settings: scale === undefined ? {} : { scale } },
    lengthControl: { fit: lc, data: lcData },
    pairs: pairs.map(({ annotations, seed = null, againstSeed = null, epochs = null, againstEpochs = null }) => ({
      ...{ seed, againstSeed, epochs, againstEpochs, file: annotations, recorded: annotations },
    })),
  });
  return comparisonResultSchema.parse(result);
}

export const studyKinds: KindsOf<StudyRequest> = {
  ...kindsOf(studyOptions),
  study: needed(either(text, record("a study"))),
};
export const runStudyKinds: KindsOf<RunStudyRequest> = {
  ...studyKinds,
  inThisThread: flag,
  checkers,
};
export const studyWatch: KindsOf<StudyWatch> = { ...watch, onStep: call, onRead: call };

const value: Kind = { wanted: "numbers", holds: (one) => one === null || decimal().holds(one) };
const measured = { epochs: needed(whole({ min: 1 })), seed: needed(seed), values: needed(listOf(value)) };
export const chooseKinds: KindsOf<ChooseOptions> = {
  measure: needed(oneOf("loss", "win_rate")),
  measured: needed(listOf(shaped(measured), "a list of { epochs, seed, values }")),
};
const pair = { annotations: needed(text), seed, againstSeed: seed, epochs: seed, againstEpochs: seed };
export const compareKinds: KindsOf<CompareOptions> = {
  arm: needed(text),
  against: needed(text),
  pairs: needed(listOf(shaped(pair), "a list of { annotations, seed?, againstSeed?, epochs?, againstEpochs? }")),
  lc: winrateOptions.lc.type,
  lcData: text,
  scale: winrateOptions.scale.type,
};
