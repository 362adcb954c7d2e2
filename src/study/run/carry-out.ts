/**
 * Carries out one step: one call of the function in `src/steps` that the single command calls, into the step's folder. What an
 * interrupted attempt left is gone on with; results that are whole already are not made again.
 * May not know: the graph, other steps.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../engine/engine.js";
import type { Checkers } from "../../judge/checker.js";
import { generateRunSchema } from "../../records/outputs.js";
import { rankSummarySchema } from "../../records/rank.js";
import { scoreRunSchema } from "../../records/scores.js";
import { generate, generatePaths } from "../../steps/generate.js";
import { scorePairs } from "../../steps/materials.js";
import { rank, rankPaths } from "../../steps/rank.js";
import { score, scorePaths } from "../../steps/score.js";
import { tune } from "../../steps/tune.js";
import { formatCount } from "../../util/progress.js";
import { readRecord } from "../../util/record-file.js";
import { chooseEpochs } from "../results/choose.js";
import { compareArms } from "../results/compare.js";
import { type Done, type Place, resultNames, type StepWork, UNREADABLE } from "../step.js";
import { judgePair } from "./judging.js";
import { defined, templateOptions, tuneRequest } from "./requests.js";
import { measureSimilarity } from "./resembling.js";

export interface CarryContext {
  /** The study's folder. */
  readonly root: string;
  readonly threads: number;
  /** Default: the embedded engine. */
  readonly engine?: Engine;
  /** For judges that are programs, by name. */
  readonly checkers?: Checkers;
}

export interface CarryWatch {
  readonly signal?: AbortSignal;
  /** How far it is, in a few words. */
  readonly onProgress?: (text: () => string) => void;
}

type Work<K> = Extract<StepWork, { kind: K }>;

interface Carrying {
  readonly folder: string;
  readonly at: (place: Place) => string;
  readonly context: CarryContext;
  readonly common: { readonly threads: number; readonly engine?: Engine };
  readonly stopping: { readonly signal?: AbortSignal };
  readonly say: (text: () => string) => void;
}

/**
 * @param folder  the step's, in the study's folder
 * @throws UserError    it cannot be done; another run may try again
 * @throws Interrupted  stopped; what was finished is kept in the folder
 */
export function carryOut(work: StepWork, folder: string, context: CarryContext, watch: CarryWatch = {}): Promise<Done> {
  const { root, threads, engine } = context;
  const carrying: Carrying = {
    folder: join(root, folder),
    at: (place) => ("outside" in place ? place.outside : join(root, place.inside)),
    context,
    common: { threads, ...(engine === undefined ? {} : { engine }) },
    stopping: watch.signal === undefined ? {} : { signal: watch.signal },
    say: (text) => watch.onProgress?.(text),
  };
  switch (work.kind) {
    case "tune":
      return tuneStep(work, carrying);
    case "generate":
      return generateStep(work, carrying);
    case "score":
      return scoreStep(work, carrying);
    case "rank":
      return rankStep(work, carrying);
    case "judge":
      return judgePair(work, {
        out: join(carrying.folder, resultNames.judge),
        at: carrying.at,
        checkers: context.checkers ?? {},
        say: carrying.say,
        ...carrying.stopping,
      });
    case "choose":
      return chooseEpochs(work, { out: join(carrying.folder, resultNames.choice), at: carrying.at });
    case "compare":
      return compareArms(work, { out: join(carrying.folder, resultNames.comparison), at: carrying.at });
    case "similarity":
      return measureSimilarity(work, {
        out: join(carrying.folder, resultNames.similarity),
        at: carrying.at,
        threads,
        say: carrying.say,
        ...carrying.stopping,
      });
    default:
      return work satisfies never;
  }
}

async function tuneStep(work: Work<"tune">, { folder, at, common, stopping, say }: Carrying): Promise<Done> {
  const place = { model: at(work.model), out: join(folder, resultNames.model), threads: common.threads };
  const record = await tune(
    { ...tuneRequest(work, place), ...common, resume: true },
    {
      ...stopping,
      onStep: ({ step, loss }, { total }) => say(() => `step ${step + 1} of ${total}, loss ${loss.toPrecision(4)}`),
    },
  );
  return { work: Math.round(record.tokens_per_second * record.seconds), unit: "tokens" };
}

async function generateStep(work: Work<"generate">, { folder, at, common, stopping, say }: Carrying): Promise<Done> {
  const out = join(folder, resultNames.outputs);
  const paths = generatePaths(out);
  const { settings, rules, limit } = work;
  if (!isWhole(paths.outputs, paths.run)) {
    await generate(
      {
        model: at(work.model),
        prompts: work.prompts,
        out,
        force: true, // the folder is this step's alone
        generator: work.generator,
        ...templateOptions(work.template),
        ...(typeof limit === "number" ? { limit } : {}),
        ...(rules === undefined ? {} : { rules: rules.spec, disableRules: rules.disable }),
        ...defined({
          maxNewTokens: settings.max_new_tokens,
          batch: settings.batch,
          temperature: settings.temperature,
          seed: settings.seed,
          preset: settings.preset,
        }),
        ...common,
      },
      {
        ...stopping,
        onProgress: ({ done, prompts }) => say(() => `${formatCount(done)} of ${formatCount(prompts)} prompts`),
      },
    );
  }
  await rm(paths.partial, { force: true }); // of an attempt that was stopped when only this was left to do
  const { outcome } = await readRecord(paths.run, generateRunSchema, UNREADABLE);
  return { work: outcome.tokens, unit: "tokens" };
}

async function scoreStep(work: Work<"score">, { folder, at, common, stopping, say }: Carrying): Promise<Done> {
  const out = join(folder, resultNames.scores);
  const paths = scorePaths(out);
  if (!isWhole(paths.scores, paths.run)) {
    await score(
      {
        model: at(work.model),
        input: await scorePairs(work.data, work.limit),
        out,
        force: true,
        ...templateOptions(work.template),
        ...common,
      },
      {
        ...stopping,
        onEvent: (event) => event.event === "progress" && say(() => `${formatCount(event.done)} rows`),
      },
    );
  }
  await rm(paths.partial, { force: true });
  const { outcome } = await readRecord(paths.run, scoreRunSchema, UNREADABLE);
  return { work: outcome.tokens, unit: "tokens" };
}

async function rankStep(work: Work<"rank">, { folder, at, common, stopping, say }: Carrying): Promise<Done> {
  const out = join(folder, resultNames.rank);
  const { summary, pairs, partial } = rankPaths(out);
  if (!isWhole(pairs, summary)) {
    await rank(
      {
        model: at(work.model),
        data: work.data,
        out,
        force: true,
        ...templateOptions(work.template),
        ...defined(work.settings),
        ...common,
      },
      { ...stopping, onProgress: (done, all) => say(() => `${formatCount(done)} of ${formatCount(all)} instructions`) },
    );
  }
  await rm(partial, { force: true });
  const record = await readRecord(summary, rankSummarySchema, UNREADABLE);
  return { work: record.pairs, unit: "pairs" };
}

/** Whether an earlier attempt wrote all its results and was stopped before it could say so. */
const isWhole = (...paths: readonly string[]): boolean => paths.every((path) => existsSync(path));
