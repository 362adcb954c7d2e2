/**
 * Tuning, from files to files: data set and model directory in; a model directory, `metrics.jsonl` and `run.json` out. The command,
 * the library and studies call this one function.
 */
import { embeddedEngine } from "../embedded/embedded.js";
import type { Engine } from "../engine/engine.js";
import type { StepMetrics, TuneOptions } from "../engine/tuning.js";
import { recordedModel } from "../model-files/hash.js";
import type { Certificate } from "../records/certificate.js";
import type { RecordedModel } from "../records/model.js";
import { type HeldOutLine, TUNE_RUN_VERSION, type TunePlan, type TuneRunRecord } from "../records/tune.js";
import { templateText } from "../text/template.js";
import { UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { packageVersion } from "../util/system.js";
import { openTuneFolder, type TuneFolder } from "./tune/folder.js";
import {
  engineOptions,
  recordedOptions,
  type SettledRequest,
  settleRequest,
  type TuneRequest,
  WITHOUT_EFFECT_ON_VALUES,
} from "./tune/options.js";
import { differingOptions, isSameRun, trainingResult, trainOnRecord } from "./tune/recorded.js";
import { type Material, readRows, rowsSeen } from "./tune/rows.js";

export type { TuneRequest } from "./tune/options.js";

export interface TuneWatch {
  /** What was found in the model that a person should know. */
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** The rows are certified, the run fits, and training begins or resumes. */
  readonly onStart?: (plan: {
    readonly resumedAt: number;
    readonly total: number;
    /** Of the rows trained on. */
    readonly certificate: Certificate;
    /** Of the rows held out, where there are some. */
    readonly heldOutCertificate: Certificate | undefined;
    readonly data: TunePlan["data"];
    /** Rows that the steps see: fewer than all where the run stops within its first epoch. */
    readonly seen: number;
  }) => void;
  readonly onStep?: (metrics: StepMetrics, progress: { readonly total: number }) => void;
  readonly onHeldOut?: (line: HeldOutLine) => void;
  /** Asked to resume a finished run: nothing is done, its record is the answer. */
  readonly onFinishedBefore?: (record: TuneRunRecord) => void;
}

/**
 * Tunes all parameters of a model.
 *
 * @throws UserError    the result already exists, a row's mask is wrong, the run does not fit, the loss diverged
 * @throws Interrupted  stopped; a checkpoint of the last whole step lies in `out`, the same call resumes from it
 * @example
 * const { held_out } = await tune({ model: "base", data: "rows.jsonl", objective: "response", out: "tuned", holdOut: 32 });
 */
export async function tune(request: TuneRequest, watch: TuneWatch = {}): Promise<TuneRunRecord> {
  const engine = request.engine ?? embeddedEngine;
  if (!engine.capabilities.tune) throw new UserError(`the engine ${engine.name} does not tune`);
  const settled = settleRequest(request);
  const options = engineOptions(settled);
  const folder = await openTuneFolder(settled);
  try {
    await engine.refuseTooLarge?.(settled.model, { for: "tuning" });
    const material = await readRows(settled);
    const plan = planOf(settled, options, material, await recordedModel(settled.model, engine), engine);
    const resume = resumes(settled, folder, plan);
    if (resume && folder.finished !== undefined) {
      watch.onFinishedBefore?.(folder.finished);
      return folder.finished;
    }
    return await carryOut(engine, settled, options, material, plan, folder, resume, watch);
  } finally {
    await folder.close();
  }
}

async function carryOut(
  engine: Engine,
  request: SettledRequest,
  options: TuneOptions,
  material: Material,
  plan: TunePlan,
  folder: TuneFolder,
  resume: boolean,
  watch: TuneWatch,
): Promise<TuneRunRecord> {
  const { certificate, heldOutCertificate, heldOut, rows } = material;
  const run = {
    out: request.out,
    threads: request.threads,
    resume,
    fingerprint: plan.fingerprint,
    heldOut,
    ...(request.checkpointEvery === undefined ? {} : { checkpointEvery: request.checkpointEvery }),
    ...(request.dtype === undefined ? {} : { dtype: request.dtype }),
    onNote: watch.onNote,
    ...(watch.signal === undefined ? {} : { signal: watch.signal }),
  };
  return trainOnRecord(
    engine,
    { model: request.model, rows, options, run, plan, folder },
    {
      ...watch,
      onStart(begun) {
        const seen = rowsSeen(rows.length, begun.total, options.batch);
        watch.onStart?.({ ...begun, certificate, heldOutCertificate, data: plan.data, seen });
      },
    },
    ({ steps, weightsHash }, ledgers) =>
      folder.finish({ ...plan, ...trainingResult(ledgers), steps, weights_sha256: weightsHash }),
  );
}

function planOf(
  request: SettledRequest,
  options: TuneOptions,
  { certificate, heldOutCertificate, data }: Material,
  model: RecordedModel,
  engine: Engine,
): TunePlan {
  const { maxSteps: _steps, saveEveryEpoch: _save, recompute: _recompute, ...determining } = options;
  const determines = [packageVersion(), engine.name, request.threads, model.hash, data.rows_sha256, determining];
  return {
    version: TUNE_RUN_VERSION,
    command: "tune",
    engine: engine.name,
    device: "cpu",
    model,
    data,
    options: recordedOptions(request),
    template: templateText(request.template),
    certificate,
    ...(heldOutCertificate === undefined ? {} : { held_out_certificate: heldOutCertificate }),
    fingerprint: sha256(JSON.stringify(determines)),
    versions: { tacit: packageVersion(), node: process.version },
  };
}

/** @throws UserError  the run in the folder is another one, and may not be replaced */
function resumes(request: SettledRequest, { finished, unfinished }: TuneFolder, now: TunePlan): boolean {
  const before = finished ?? unfinished;
  if (before === undefined) return false;
  const free = finished !== undefined || request.force === true ? [] : WITHOUT_EFFECT_ON_VALUES;
  const what = finished === undefined ? "an unfinished run" : "a finished run";
  return isSameRun(request, what, differencesOf(before, now, free));
}

/** @param free  options that may differ */
function differencesOf(before: TunePlan, now: TunePlan, free: readonly string[]): string[] {
  const differences = differingOptions(before.options, now.options, free);
  if (before.model.hash !== now.model.hash) differences.push("the model is another one");
  if (before.template !== now.template) differences.push("the template is another one");
  if (before.data.rows_sha256 !== now.data.rows_sha256) differences.push("the rows are others");
  if (before.versions.tacit !== now.versions.tacit) {
    differences.push(`tacit was ${before.versions.tacit ?? "?"} and is ${now.versions.tacit ?? "?"}`);
  }
  if (differences.length === 0 && before.fingerprint !== now.fingerprint) differences.push("the engine is another one");
  return differences;
}
