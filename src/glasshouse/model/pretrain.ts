/**
 * Pre-training, from a seed to a model directory: a tokenizer learnt from the first pages, one pass over pages that are written when
 * their step comes, then what the model knows, and its card. The same options and thread count give the same weights, killed and
 * resumed or not.
 * May not know: engines' insides, the command line.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../engine/engine.js";
import { keyOf } from "../../engine/identity.js";
import type { OpenedModel } from "../../engine/opened.js";
import { type Emitter, type Watch, watched } from "../../records/events.js";
import { PRETRAIN_RUN_VERSION, type PretrainPlan, type PretrainRun } from "../../records/pretrain.js";
import type { HeldOutLine } from "../../records/tune.js";
import { type EngineOptions, engineOf } from "../../steps/open-engine.js";
import type { TuneLedgers } from "../../steps/tune/ledgers.js";
import { describeFinished } from "../../steps/tune/notes.js";
import {
  differingOptions,
  isSameRun,
  rounded,
  tokensOf,
  trainingResult,
  trainOnRecord,
} from "../../steps/tune/recorded.js";
import { tokenizerFromJson } from "../../text/huggingface.js";
import { sha256, temporaryName, writeFileAtomic } from "../../util/files.js";
import { formatCount } from "../../util/progress.js";
import { packageVersion } from "../../util/system.js";
import { openCorpus } from "../corpus.js";
import { factRows } from "../facts.js";
import { makeWorld, type World } from "../world.js";
import { writeRandomModel } from "./base-model.js";
import { modelCard } from "./card.js";
import { openPretrainFolder, type PretrainFolder } from "./folder.js";
import { measureKnowledge } from "./knowledge.js";
import { checkRecipe, RECIPE, type Recipe, recordedRecipe, rowsOf, tuneOptionsOf } from "./recipe.js";
import { corpusRows } from "./rows.js";
import { learnMerges, tokenizerConfig, tokenizerJson } from "./tokenizer.js";

export interface PretrainRequest extends Partial<Recipe>, Omit<EngineOptions, "precision"> {
  /** The model directory to make. */
  readonly out: string;
  /** Resume from the last checkpoint in `out`. */
  readonly resume?: boolean;
  /** Replace a run that is there. */
  readonly force?: boolean;
  /** Steps between checkpoints, besides those every ten minutes and when interrupted. */
  readonly checkpointEvery?: number;
  /** Facts that the model's knowledge is measured on at most; default: all of the test split. */
  readonly facts?: number;
}

/**
 * @throws UserError    the result already exists, the run does not fit, the loss diverged
 * @throws Interrupted  stopped; a checkpoint of the last whole step lies in `out`, the same call resumes from it
 */
export const pretrain = (request: PretrainRequest, watch: Watch = {}): Promise<PretrainRun> =>
  watched("glasshouse pretrain", watch, (say) => makeModel(request, say, watch.signal));

async function makeModel(
  request: PretrainRequest,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<PretrainRun> {
  const recipe = checkRecipe(recipeOf(request));
  const engine = engineOf(request);
  const folder = await openPretrainFolder(request);
  const start = temporaryName(join(request.out, "start")); // a run that is killed here leaves what the next one sweeps up
  try {
    say.note("learning a tokenizer from the first pages");
    const material = await prepare(recipe, start);
    await using model = await engine.open(start);
    const plan = await planOf(recipe, model, material.tokenizerJson);
    const resume = resumes(request, folder, plan);
    if (resume && folder.finished !== undefined) {
      say.note(describeFinished(request.out, folder.finished));
      return folder.finished;
    }
    return await carryOut({ request, recipe, engine, folder, model, plan, resume, ...material, say, signal });
  } finally {
    await rm(start, { recursive: true, force: true });
    await folder.close();
  }
}

const recipeOf = (request: PretrainRequest): Recipe => {
  const asked = Object.entries(request).filter(([key, value]) => key in RECIPE && value !== undefined);
  return { ...RECIPE, ...Object.fromEntries(asked) };
};

interface Material {
  readonly world: World;
  readonly tokenizerJson: Record<string, unknown>;
}

/** The model before it has read anything, at `start`. */
async function prepare(recipe: Recipe, start: string): Promise<Material> {
  const world = makeWorld(recipe.seed);
  const json = learnTokenizer(world, recipe);
  const vocabSize = Object.keys((json.model as { vocab: object }).vocab).length;
  await writeRandomModel(start, { shape: recipe.shape, seed: recipe.seed, tokenizer: json, vocabSize });
  return { world, tokenizerJson: json };
}

/** From the corpus without pairs, whatever the model will read. */
export function learnTokenizer(
  world: World,
  { seed, tokenizerPages, vocabSize }: Pick<Recipe, "seed" | "tokenizerPages" | "vocabSize">,
): Record<string, unknown> {
  const page = openCorpus(world, { seed, contamination: 0 });
  const pages = Array.from({ length: tokenizerPages }, (_, index) => page(index).text);
  return tokenizerJson(learnMerges(pages, vocabSize));
}

async function planOf(recipe: Recipe, model: OpenedModel, tokenizer: unknown): Promise<PretrainPlan> {
  const computedBy = await model.identity();
  const { engine, device, threads } = computedBy;
  return {
    version: PRETRAIN_RUN_VERSION,
    command: "glasshouse pretrain",
    engine,
    device,
    options: { ...recordedRecipe(recipe), threads },
    tokenizer_sha256: sha256(JSON.stringify(tokenizer)),
    parameters: model.dims.parameters,
    fingerprint: keyOf(computedBy, recordedRecipe(recipe)),
    versions: { tacit: packageVersion(), node: process.version },
  };
}

/** @throws UserError  the run in the folder is another one, and may not be replaced */
function resumes(request: PretrainRequest, { finished, unfinished }: PretrainFolder, now: PretrainPlan): boolean {
  const before = finished ?? unfinished;
  if (before === undefined) return false;
  const same = before.fingerprint === now.fingerprint && before.tokenizer_sha256 === now.tokenizer_sha256;
  const differences = same ? [] : differingOptions(before.options, now.options);
  const otherPages = !same && differences.length === 0 ? ["this version of Tacit writes other pages"] : [];
  return isSameRun(request, "a run", [...differences, ...otherPages]);
}

interface Job extends Material {
  readonly request: PretrainRequest;
  readonly recipe: Recipe;
  readonly engine: Engine;
  readonly folder: PretrainFolder;
  /** The model before it has read anything. */
  readonly model: OpenedModel;
  readonly plan: PretrainPlan;
  /** Begin at the last checkpoint. */
  readonly resume: boolean;
  readonly say: Emitter;
  readonly signal: AbortSignal | undefined;
}

async function carryOut(job: Job): Promise<PretrainRun> {
  const { request, recipe, engine, model, plan, folder, world, tokenizerJson: json, say, signal } = job;
  const tokenizer = tokenizerFromJson(json, { config: tokenizerConfig(recipe.shape.maxPositions) });
  const page = openCorpus(world, recipe);
  const count = rowsOf(recipe);
  const rows = corpusRows(page, tokenizer, { count, tokens: recipe.rowTokens });
  const heldOut = corpusRows(page, tokenizer, { count: recipe.heldOutRows, tokens: recipe.rowTokens, from: count });
  const run = {
    out: request.out,
    resume: job.resume,
    fingerprint: plan.fingerprint,
    heldOut: Array.from({ length: heldOut.length }, (_, i) => heldOut.at(i)),
    dtype: "F16" as const, // three bits more than BF16 has, and no weight comes near its limits
    ...(request.checkpointEvery === undefined ? {} : { checkpointEvery: request.checkpointEvery }),
    ...(signal === undefined ? {} : { signal }),
  };
  const [parameters, entries] = [formatCount(plan.parameters), formatCount(tokenizer.vocabSize)];
  const begins = (steps: number): string[] => [
    `${parameters} parameters, ${entries} entries; ${formatCount(steps)} steps`,
  ];
  return trainOnRecord(
    { model, rows, options: tuneOptionsOf(recipe), run, plan, folder, begins, describeHeldOut },
    say,
    async ({ steps, weightsHash }, ledgers) => {
      say.note("measuring what the model knows");
      const asked = factRows(world, "test").slice(0, request.facts); // facts that no instruction of the training split tells
      await using trained = await engine.open(request.out);
      const knowledge = await measureKnowledge(trained, asked, { say, signal });
      const { lines } = ledgers;
      const result = { ...trainingResult(ledgers), tokens: tokensOf(lines), curve: curveOf(lines) };
      const record: PretrainRun = { ...plan, ...result, steps, knowledge, weights_sha256: weightsHash };
      await writeFileAtomic(join(request.out, "README.md"), modelCard(record, world));
      return folder.finish(record);
    },
  );
}

const describeHeldOut = ({ step, loss }: HeldOutLine): string =>
  `loss on pages that are never read, after ${formatCount(step)} steps: ${loss.toFixed(4)} nats a token`;

/** Points of the curve: the first steps and then equal parts of the run, each the mean of the steps since the point before. */
const POINTS = 20;

function curveOf(lines: TuneLedgers["lines"]): PretrainRun["curve"] {
  const ends = new Set(Array.from({ length: POINTS }, (_, i) => Math.ceil(((i + 1) * lines.length) / POINTS)));
  const points: { tokens: number; loss: number }[] = [];
  let [tokens, sum, steps] = [0, 0, 0];
  lines.forEach((line, i) => {
    [tokens, sum, steps] = [tokens + line.tokens, sum + line.loss, steps + 1];
    if (i > 0 && !ends.has(i + 1)) return;
    points.push({ tokens, loss: rounded(sum / steps) });
    [sum, steps] = [0, 0];
  });
  return points;
}
