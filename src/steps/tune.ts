/**
 * Tuning, from files to files: data set and model directory in; a model directory, `metrics.jsonl` and `run.json` out. The command,
 * the library and studies call this one function.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { collectExamples } from "../data/load.js";
import { parseDataSpec } from "../data/spec.js";
import { embeddedEngine } from "../engines/embedded.js";
import type { Engine, StepMetrics, TuneOptions } from "../engines/engine.js";
import type { Certificate } from "../records/certificate.js";
import { IGNORE, type Row } from "../records/row.js";
import {
  type HeldOutLine,
  heldOutLineSchema,
  type MetricsLine,
  metricsLineSchema,
  type TuneRunRecord,
  tuneRunSchema,
} from "../records/tune.js";
import { loadTextModel } from "../text/load.js";
import type { BosChoice, Objective } from "../text/render.js";
import { type Template, templateFrom, templateText } from "../text/template.js";
import { UserError } from "../util/errors.js";
import { readJson, sha256, sha256File, writeFileAtomic } from "../util/files.js";
import { openLedger } from "../util/ledger.js";
import { randomStream } from "../util/random.js";
import { availableCores, packageVersion } from "../util/system.js";
import { hashModel } from "./model-hash.js";
import { collectRows, DEFAULT_MAX_LENGTH } from "./render.js";

export interface TuneRequest {
  /** Model directory. */
  readonly model: string;
  /** `PATH` or `NAME:PATH`. */
  readonly data: string;
  /** `response` replaces every instruction by the empty text. */
  readonly objective: Objective;
  /** The model directory to make. */
  readonly out: string;
  /** Default `tulu`. */
  readonly template?: Template;
  /** Names a set of defaults; what is given beside it wins. Default `paper`. */
  readonly preset?: Preset;
  readonly epochs?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly schedule?: TuneOptions["schedule"];
  readonly warmup?: number;
  readonly reduction?: TuneOptions["reduction"];
  readonly clip?: number;
  readonly seed?: number;
  /** Default true: rows in a new random order each epoch. */
  readonly shuffle?: boolean;
  readonly maxSteps?: number;
  readonly saveEveryEpoch?: boolean;
  readonly bos?: BosChoice;
  readonly maxLength?: number;
  readonly skipEmpty?: boolean;
  /** Leaves out, and counts, rows with a response of more tokens than this, EOS not counted. */
  readonly maxResponseTokens?: number;
  /** Rows held back, drawn by the seed: their loss is measured, they are not trained on. */
  readonly holdOut?: number;
  readonly limit?: number | "all";
  readonly microTokens?: number;
  /** Default: the cores there are. */
  readonly threads?: number;
  readonly dtype?: "F32" | "F16" | "BF16";
  readonly resume?: boolean;
  readonly force?: boolean;
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

export type Preset = "paper" | "reference";

/** Facts of the paper's appendix A, and of its authors' scripts. */
export const presets = {
  paper: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "cosine", warmup: 0.1, reduction: "paper" },
  reference: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "linear", warmup: 0.03, reduction: "reference" },
} as const satisfies Record<Preset, Partial<TuneOptions>>;

export const DEFAULT_MICRO_TOKENS = 2048;

export interface TuneWatch {
  readonly signal?: AbortSignal;
  readonly onStart?: (plan: {
    readonly resumedAt: number;
    readonly total: number;
    readonly certificate: Certificate;
  }) => void;
  readonly onStep?: (metrics: StepMetrics, progress: { readonly total: number }) => void;
  readonly onHeldOut?: (line: HeldOutLine) => void;
}

const files = (out: string) => ({
  record: join(out, "run.json"),
  metrics: join(out, "metrics.jsonl"),
  heldOut: join(out, "held_out.jsonl"),
});

/**
 * @throws UserError    the result is there already, a row's mask is wrong, the run does not fit in memory, the loss diverged
 * @throws Interrupted  stopped; a checkpoint of the last whole step lies in `out`, `resume` goes on from it
 */
export async function tune(request: TuneRequest, watch: TuneWatch = {}): Promise<TuneRunRecord> {
  const engine = request.engine ?? embeddedEngine;
  return tuneWith(
    engine,
    { ...request, threads: request.threads ?? availableCores(), template: request.template ?? templateFrom() },
    watch,
  );
}

/** A request of which nothing is left open. */
type SettledRequest = TuneRequest & { readonly threads: number; readonly template: Template };

async function tuneWith(engine: Engine, request: SettledRequest, watch: TuneWatch): Promise<TuneRunRecord> {
  if (!engine.capabilities.tune) throw new UserError(`the engine ${engine.name} does not tune`);
  const paths = files(request.out);
  const finished = await prepareOut(request);
  if (finished !== undefined) return finished;
  const options = resolveOptions(request);
  const material = await readRows(request);
  const modelHash = await hashModel(request.model);
  const fingerprint = sha256(
    JSON.stringify([
      packageVersion(),
      engine.name,
      request.threads,
      modelHash,
      { ...options, maxSteps: null, saveEveryEpoch: null },
      material.rows,
      material.heldOut,
    ]),
  );
  const metrics = await openMetrics(paths);
  try {
    const summary = await engine.tune(request.model, material.rows, options, {
      out: request.out,
      threads: request.threads,
      resume: request.resume === true,
      fingerprint,
      heldOut: material.heldOut,
      ...(request.dtype === undefined ? {} : { dtype: request.dtype }),
      ...(watch.signal === undefined ? {} : { signal: watch.signal }),
      onStart: async (plan) => {
        await metrics.rewind(plan.resumedAt);
        watch.onStart?.({ ...plan, certificate: material.certificate });
      },
      onStep: async (step, progress) => {
        await metrics.step(toMetricsLine(step));
        watch.onStep?.(step, progress);
      },
      onHeldOut: async (line) => {
        await metrics.heldOut(line);
        watch.onHeldOut?.(line);
      },
    });
    const lines = metrics.lines();
    const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
    const record: TuneRunRecord = {
      version: 1,
      command: "tune",
      engine: engine.name,
      device: "cpu",
      model: { path: request.model, hash: modelHash },
      data: material.data,
      options: recordedOptions(request, options),
      template: templateText(request.template),
      certificate: material.certificate,
      fingerprint,
      steps: summary.steps,
      final_loss: lines.at(-1)?.loss ?? summary.finalLoss,
      held_out: metrics.heldOutLines(),
      weights_sha256: summary.weightsHash,
      seconds: round(seconds),
      tokens_per_second: round(lines.reduce((sum, line) => sum + line.tokens, 0) / Math.max(seconds, 1e-9)),
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
      versions: { tacit: packageVersion(), node: process.version },
      finished: new Date().toISOString(),
    };
    await writeFileAtomic(paths.record, `${JSON.stringify(tuneRunSchema.parse(record), null, 2)}\n`);
    return record;
  } finally {
    await metrics.close();
  }
}

const round = (value: number): number => Number(value.toPrecision(6));

/** Refuses to mix runs. A finished run that is to be resumed has nothing left to do: its record is the answer. */
async function prepareOut(request: TuneRequest): Promise<TuneRunRecord | undefined> {
  const { record, metrics } = files(request.out);
  if (request.resume === true) return existsSync(record) ? tuneRunSchema.parse(await readJson(record)) : undefined;
  if (existsSync(request.out) && request.force !== true) {
    const unfinished = existsSync(metrics) && !existsSync(record);
    throw new UserError(`${request.out} ${unfinished ? "holds an unfinished run" : "exists already"}`, {
      remedy: unfinished
        ? "pass --resume to go on, or --force to begin anew"
        : "pass --force to replace it, or name another --out",
    });
  }
  await mkdir(request.out, { recursive: true });
  for (const path of Object.values(files(request.out))) await rm(path, { force: true });
  return undefined;
}

export function resolveOptions(request: TuneRequest): TuneOptions {
  const preset = presets[request.preset ?? "paper"];
  return {
    epochs: request.epochs ?? preset.epochs,
    batch: request.batch ?? preset.batch,
    learningRate: request.learningRate ?? preset.learningRate,
    schedule: request.schedule ?? preset.schedule,
    warmup: request.warmup ?? preset.warmup,
    reduction: request.reduction ?? preset.reduction,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...(request.clip === undefined ? {} : { clip: request.clip }),
    seed: request.seed ?? 0,
    shuffle: request.shuffle ?? true,
    ...(request.maxSteps === undefined ? {} : { maxSteps: request.maxSteps }),
    microTokens: request.microTokens ?? DEFAULT_MICRO_TOKENS,
    saveEveryEpoch: request.saveEveryEpoch ?? false,
  };
}

const recordedOptions = (request: SettledRequest, options: TuneOptions): Record<string, unknown> => ({
  objective: request.objective,
  preset: request.preset ?? "paper",
  epochs: options.epochs,
  batch: options.batch,
  lr: options.learningRate,
  schedule: options.schedule,
  warmup: options.warmup,
  reduction: options.reduction,
  adam: options.adam,
  clip: options.clip ?? null,
  seed: options.seed,
  shuffle: options.shuffle,
  max_steps: options.maxSteps ?? null,
  max_length: request.maxLength ?? DEFAULT_MAX_LENGTH,
  max_response_tokens: request.maxResponseTokens ?? null,
  bos: request.bos ?? "auto",
  micro_tokens: options.microTokens,
  threads: request.threads,
  dtype: request.dtype ?? "as read",
});

interface Material {
  readonly rows: readonly Row[];
  readonly heldOut: readonly Row[];
  readonly certificate: Certificate;
  readonly data: TuneRunRecord["data"];
}

async function readRows(request: SettledRequest): Promise<Material> {
  const spec = parseDataSpec(request.data);
  const { examples } = await collectExamples(spec, request.limit === undefined ? {} : { limit: request.limit });
  const text = await loadTextModel(request.model);
  const { rows: all, certificate } = await collectRows(examples, {
    model: text,
    template: request.template,
    objective: request.objective,
    ...(request.bos === undefined ? {} : { bos: request.bos }),
    ...(request.maxLength === undefined ? {} : { maxLength: request.maxLength }),
    ...(request.skipEmpty === undefined ? {} : { skipEmpty: request.skipEmpty }),
  });
  const limit = request.maxResponseTokens;
  const short = limit === undefined ? all : all.filter((row) => longestResponse(row, text.eosId) <= limit);
  const holdOut = request.holdOut ?? 0;
  const order = randomStream(request.seed ?? 0, "rows held out").shuffle(short.map((_, i) => i));
  const held = new Set(order.slice(0, holdOut));
  const rows = short.filter((_, i) => !held.has(i));
  if (rows.length === 0) {
    throw new UserError(`${request.data} leaves no row to train on`, {
      remedy: "name more data, or hold back fewer rows",
    });
  }
  return {
    rows,
    heldOut: short.filter((_, i) => held.has(i)),
    certificate,
    data: {
      spec: request.data,
      sha256: await sha256File(spec.path),
      rows: rows.length,
      too_long: all.length - short.length,
      held_out: held.size,
    },
  };
}

/** Tokens of the longest response of a row, its stop token not counted. */
function longestResponse(row: Row, eosId: number): number {
  let [longest, current] = [0, 0];
  for (const label of row.labels) {
    current = label === IGNORE || label === eosId ? 0 : current + 1;
    longest = Math.max(longest, current);
  }
  return longest;
}

const toMetricsLine = (step: StepMetrics): MetricsLine => ({
  step: step.step + 1,
  epoch: step.epoch + 1,
  loss: step.loss,
  lr: step.learningRate,
  grad_norm: step.gradNorm,
  examples: step.examples,
  tokens: step.tokens,
  supervised_tokens: step.supervisedTokens,
  seconds: round(step.seconds),
});

/** The two ledgers of a run. Lines after the step that a checkpoint holds are taken back: those steps are done again. */
async function openMetrics(paths: ReturnType<typeof files>) {
  let steps = await openLedger(paths.metrics, (value) => metricsLineSchema.parse(value));
  let held = await openLedger(paths.heldOut, (value) => heldOutLineSchema.parse(value));
  let [stepLines, heldLines] = [[...steps.lines], [...held.lines]];
  const close = async (): Promise<void> => {
    await steps.close();
    await held.close();
  };
  return {
    async rewind(step: number): Promise<void> {
      stepLines = stepLines.filter((line) => line.step <= step);
      heldLines = heldLines.filter((line) => line.step <= step && step > 0);
      await close();
      await writeFileAtomic(paths.metrics, stepLines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      await writeFileAtomic(paths.heldOut, heldLines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      steps = await openLedger(paths.metrics, (value) => metricsLineSchema.parse(value));
      held = await openLedger(paths.heldOut, (value) => heldOutLineSchema.parse(value));
    },
    async step(line: MetricsLine): Promise<void> {
      stepLines.push(line);
      await steps.append(line);
    },
    async heldOut(line: HeldOutLine): Promise<void> {
      heldLines.push(line);
      await held.append(line);
    },
    lines: (): readonly MetricsLine[] => stepLines,
    heldOutLines: (): HeldOutLine[] => heldLines,
    close,
  };
}
