/**
 * Tuning, from files to files: data set and model directory in; a model directory, `metrics.jsonl` and `run.json` out. The command,
 * the library and studies call this one function.
 */
import { type Identity, keyOf } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import { ability, refuseTooLarge } from "../engine/refusals.js";
import type { TuneOptions } from "../engine/tuning.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { TUNE_RUN_VERSION, type TunePlan, type TuneRunRecord } from "../records/tune.js";
import { templateText } from "../text/template.js";
import { packageVersion } from "../util/system.js";
import { engineOf, recordedModel } from "./open-engine.js";
import { openTuneFolder, type TuneFolder } from "./tune/folder.js";
import { describeFinished, describeHeldOut, describeLossy, describeRows, describeSteps } from "./tune/notes.js";
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

/**
 * Tunes all parameters of a model.
 *
 * @throws UserError    the result already exists, a row's mask is wrong, the run does not fit, the loss diverged
 * @throws Interrupted  stopped; a checkpoint of the last whole step lies in `out`, the same call resumes from it
 * @example
 * const { held_out } = await tune({ model: "base", data: "rows.jsonl", objective: "response", out: "tuned", holdOut: 32 });
 */
export const tune = (request: TuneRequest, watch: Watch = {}): Promise<TuneRunRecord> =>
  watched("tune", watch, (say) => tuneModel(request, say, watch.signal));

async function tuneModel(request: TuneRequest, say: Emitter, signal: AbortSignal | undefined): Promise<TuneRunRecord> {
  const settled = settleRequest(request);
  const options = engineOptions(settled);
  const folder = await openTuneFolder(settled);
  try {
    await using model = await engineOf(request).open(settled.model);
    for (const note of model.notes) say.note(note);
    ability(model, "tune");
    refuseTooLarge(model, model.plan({ for: "tuning" }));
    const material = await readRows(settled, model.text);
    const plan = planOf(settled, options, material, model, await model.identity());
    const resume = resumes(settled, folder, plan);
    if (resume && folder.finished !== undefined) {
      say.note(describeFinished(settled.out, folder.finished));
      return folder.finished;
    }
    return await carryOut(model, settled, options, { material, plan, folder, resume, say, signal });
  } finally {
    await folder.close();
  }
}

interface Tuning {
  readonly material: Material;
  readonly plan: TunePlan;
  readonly folder: TuneFolder;
  readonly resume: boolean;
  readonly say: Emitter;
  readonly signal: AbortSignal | undefined;
}

function carryOut(
  model: OpenedModel,
  request: SettledRequest,
  options: TuneOptions,
  { material, plan, folder, resume, say, signal }: Tuning,
): Promise<TuneRunRecord> {
  const { certificate, heldOut, rows } = material;
  const run = {
    out: request.out,
    resume,
    fingerprint: plan.fingerprint,
    heldOut,
    ...(request.checkpointEvery === undefined ? {} : { checkpointEvery: request.checkpointEvery }),
    ...(request.dtype === undefined ? {} : { dtype: request.dtype }),
    ...(signal === undefined ? {} : { signal }),
  };
  say.note(describeRows(certificate, plan.data));
  if (certificate.rows_lossy > 0) say.warning(describeLossy(certificate));
  const begins = (steps: number): string[] => [
    describeSteps(steps, plan.data, rowsSeen(rows.length, steps, options.batch)),
  ];
  return trainOnRecord(
    { model, rows, options, run, plan, folder, begins, describeHeldOut },
    say,
    ({ steps, weightsHash }, ledgers) =>
      folder.finish({ ...plan, ...trainingResult(ledgers), steps, weights_sha256: weightsHash }),
  );
}

function planOf(
  request: SettledRequest,
  options: TuneOptions,
  { certificate, heldOutCertificate, data }: Material,
  model: OpenedModel,
  computedBy: Identity,
): TunePlan {
  const { maxSteps: _steps, saveEveryEpoch: _save, recompute: _recompute, ...determining } = options;
  return {
    version: TUNE_RUN_VERSION,
    command: "tune",
    engine: computedBy.engine,
    device: computedBy.device,
    model: recordedModel(model, computedBy),
    data,
    options: recordedOptions(request, computedBy),
    template: templateText(request.template),
    certificate,
    ...(heldOutCertificate === undefined ? {} : { held_out_certificate: heldOutCertificate }),
    fingerprint: keyOf(computedBy, [data.rows_sha256, determining]),
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
  if (differences.length === 0 && before.fingerprint !== now.fingerprint)
    differences.push("the engine is another one, or an older version of Tacit began it");
  return differences;
}
