/**
 * From a study's settings to the options of the steps: the study's names are those of the command line.
 * May not know: files.
 */
import { namedTemplate } from "../../steps/materials.js";
import type { TuneRequest, TuneWork } from "../../steps/tune/options.js";
import type { StepWork, TemplateSettings, TuneSettings } from "../step.js";

export const templateOptions = ({ name, user_tag, assistant_tag, bos }: TemplateSettings) => ({
  template: namedTemplate(name, user_tag, assistant_tag),
  bos,
});

/** Without where the model goes: what decides how much there is to do. */
export const tuneWork = (
  work: Extract<StepWork, { kind: "tune" }>,
  place: { readonly model: string; readonly threads: number },
): TuneWork => ({
  ...tuneOptions(work.settings),
  data: work.data,
  objective: work.objective,
  ...templateOptions(work.template),
  seed: work.seed,
  epochs: work.epochs,
  saveEveryEpoch: work.saveEveryEpoch,
  ...place,
});

/** @param place  where the model lies and where the result goes */
export const tuneRequest = (
  work: Extract<StepWork, { kind: "tune" }>,
  { out, ...place }: { readonly model: string; readonly out: string; readonly threads: number },
): TuneRequest => ({ ...tuneWork(work, place), out });

const TUNE_OPTIONS = {
  preset: "preset",
  batch: "batch",
  lr: "learningRate",
  schedule: "schedule",
  warmup: "warmup",
  reduction: "reduction",
  clip: "clip",
  max_length: "maxLength",
  max_response_tokens: "maxResponseTokens",
  hold_out: "holdOut",
  skip_empty: "skipEmpty",
  shuffle: "shuffle",
  micro_tokens: "microTokens",
  checkpoint_every: "checkpointEvery",
  limit: "limit",
} as const satisfies Record<keyof TuneSettings, keyof TuneRequest>;

function tuneOptions(settings: TuneSettings): Partial<TuneRequest> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [TUNE_OPTIONS[name as keyof TuneSettings], value]));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that have no value: an absent option and one that is undefined are not the same to the steps. */
export function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
