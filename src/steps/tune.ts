/**
 * Tuning, from files to files: data set and model directory in; a model directory, `metrics.jsonl` and `run.json` out. The command,
 * the library and studies call this one function.
 */
import { type Identity, keyOf } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import { ability, refuseTooLarge } from "../engine/refusals.js";
import type { Training } from "../engine/tuning.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { TUNE_RUN_VERSION, type TunePlan, type TuneRunRecord } from "../records/tune.js";
import { templateText } from "../text/template.js";
import { UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { packageVersion } from "../util/system.js";
import { option, words } from "../util/words.js";
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
  watched("tune", watch, (say) => tuneModel(request, say, watch.signal, false));

/**
 * As `tune` with `resume`, in a folder that nobody else makes: a run there that is another one (an older version of Tacit began it) has no
 * other owner and is begun from scratch, with a note.
 */
export const tuneInOwnFolder = (request: Omit<TuneRequest, "resume" | "force">, watch: Watch): Promise<TuneRunRecord> =>
  watched("tune", watch, (say) => tuneModel({ ...request, resume: true }, say, watch.signal, true));

async function tuneModel(
  request: TuneRequest,
  say: Emitter,
  signal: AbortSignal | undefined,
  own: boolean,
): Promise<TuneRunRecord> {
  const settled = settleRequest(request);
  const options = engineOptions(settled);
  const folder = await openTuneFolder({ ...settled, own });
  try {
    await using model = await engineOf(request).open(settled.model);
    for (const note of model.notes) say.note(note);
    ability(model, "tune");
    refuseTooLarge(model, model.plan({ for: "tuning" }));
    const material = await readRows(settled, model.text);
    const plan = planOf(settled, options, { material, model, computedBy: await model.identity(), folder });
    const resume = resumes(settled, folder, plan, own ? (text) => say.note(text) : undefined);
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
  options: Training,
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

interface Found {
  readonly material: Material;
  readonly model: OpenedModel;
  readonly computedBy: Identity;
  readonly folder: TuneFolder;
}

function planOf(request: SettledRequest, options: Training, { material, model, computedBy, folder }: Found): TunePlan {
  const { certificate, heldOutCertificate, data } = material;
  const { maxSteps: _steps, saveEveryEpoch: _save, recompute: _recompute, ...determining } = options;
  const made = [
    keyOf(computedBy, [data.rows_sha256, determining]),
    ...olderKeys(computedBy, data, determining),
  ] as const;
  const before = (folder.finished ?? folder.unfinished)?.fingerprint;
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
    fingerprint: made.find((key) => key === before) ?? made[0],
    versions: { tacit: packageVersion(), node: process.version },
  };
}

/** Version 0.1 named the same runs like this: they are resumed under their name, which their checkpoints hold as well. */
const olderKeys = (by: Identity, { rows_sha256 }: TunePlan["data"], determining: object): string[] =>
  by.precision === "f32" && by.device === "cpu"
    ? [sha256(JSON.stringify([packageVersion(), by.engine, by.threads, by.files, rows_sha256, determining]))]
    : [];

/**
 * @param scratch  told that the run in the folder is another one and makes room; without, only `force` makes it do so
 * @throws UserError  the run in the folder is another one, and may not be replaced
 */
function resumes(
  request: SettledRequest,
  { finished, unfinished }: TuneFolder,
  now: TunePlan,
  scratch: ((note: string) => void) | undefined,
): boolean {
  const before = finished ?? unfinished;
  if (before === undefined) return false;
  const free = finished !== undefined || request.force === true ? [] : WITHOUT_EFFECT_ON_VALUES;
  const what = finished === undefined ? "an unfinished run" : "a finished run";
  const differences = differencesOf(before, now, free);
  const isNamedOtherwise = differences.length === 0 && before.fingerprint !== now.fingerprint;
  if (scratch !== undefined) {
    const why = isNamedOtherwise ? OTHERWISE : differences.join(", ");
    if (why !== "") scratch(`${request.out} holds ${what} of another kind (${why}): training begins from scratch`);
    return why === "";
  }
  if (isNamedOtherwise && request.force !== true) {
    throw new UserError(`${request.out} holds ${what} of another kind: ${OTHERWISE}`, {
      remedy: words`pass ${option("force")} to train again`,
    });
  }
  return !isNamedOtherwise && isSameRun(request, what, differences);
}

const OTHERWISE = "another engine or an older version of Tacit began it";

/** @param free  options that may differ */
function differencesOf(before: TunePlan, now: TunePlan, free: readonly string[]): string[] {
  const differences = differingOptions(before.options, now.options, free);
  if (before.model.hash !== now.model.hash) differences.push("the model is another one");
  if (before.template !== now.template) differences.push("the template is another one");
  if (before.data.rows_sha256 !== now.data.rows_sha256) differences.push("the rows are others");
  if (before.versions.tacit !== now.versions.tacit) {
    differences.push(`tacit was ${before.versions.tacit ?? "?"} and is ${now.versions.tacit ?? "?"}`);
  }
  return differences;
}
