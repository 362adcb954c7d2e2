/**
 * What each call of the library takes: a kind for every option, with the ranges that the command line has. Checked before anything is done.
 * May not know: what is done with them.
 */

import type { ImportOptions } from "../model-files/import.js";
import type { VerifyOptions } from "../model-files/verify.js";
import type { Watch } from "../records/events.js";
import { limitsSchema } from "../records/judge-file.js";
import { lcChoices } from "../records/lc-models.js";
import { preferenceScales } from "../stats/preference-scale.js";
import {
  anyText,
  call,
  decimal,
  either,
  flag,
  having,
  type Kind,
  type KindsOf,
  listOf,
  needed,
  oneOf,
  record,
  shaped,
  text,
  whole,
} from "../util/options.js";
import type { AgreementOptions } from "./agreement.js";
import type { ChatOptions, OneQuestion } from "./chat.js";
import type { ExplainOptions } from "./explain-rules.js";
import type { GenerateOptions, GenerateWatch } from "./generate.js";
import type { JudgeOptions, JudgeWatch } from "./judge.js";
import {
  bos,
  checkers,
  count,
  dtype,
  engine,
  limit,
  path,
  precision,
  preset,
  seed,
  signal,
  template,
  threads,
} from "./option-kinds.js";
import type { RankOptions, RankWatch } from "./rank.js";
import type { RephraseOptions, RephraseWatch } from "./rephrase.js";
import type { ScoreOptions } from "./score.js";
import type { SimilarityOptions, SimilarityWatch } from "./similarity.js";
import type { TuneWatch } from "./tune.js";
import type { WinrateOptions, WinrateWatch } from "./winrate.js";

const objects = (wanted: string): Kind => listOf(record("an object"), wanted);
const annotations = listOf(
  either(text, shaped({ name: text, annotations: needed(listOf(record("an annotation"))) }, "annotations")),
  "a list, each a file, NAME=FILE, or { name?, annotations: [...] }",
);

const prompting = { model: needed(path), template, raw: flag, bos, preset, rules: text, disableRules: listOf(text) };

/** The second argument of every step. */
export const watch: KindsOf<Watch> = { signal, onEvent: call };

export const tuneWatch: KindsOf<TuneWatch> = {
  ...{ signal, onNote: call, onStart: call, onStep: call, onHeldOut: call, onFinishedBefore: call },
};

export const generateKinds: KindsOf<GenerateOptions> = {
  ...prompting,
  prompts: needed(either(text, objects("a list of { instruction }"))),
  limit: count,
  maxNewTokens: count,
  temperature: decimal({ min: 0 }),
  generator: text,
  out: path,
  trace: path,
  batch: whole({ min: 1, max: 1024 }),
  force: flag,
  ...{ seed, precision, threads, engine },
};
export const generateWatch: KindsOf<GenerateWatch> = { signal, onNote: call, onStart: call, onProgress: call };

export const openChatKinds: KindsOf<ChatOptions> = {
  ...prompting,
  maxNewTokens: count,
  temperature: decimal({ min: 0 }),
  multiTurn: flag,
  onNote: call,
  ...{ seed, precision, threads, engine },
};

const { multiTurn: _, ...oneQuestion } = openChatKinds;
export const chatKinds: KindsOf<OneQuestion> = { ...oneQuestion, question: needed(text), signal };

export const scoreKinds: KindsOf<ScoreOptions> = {
  model: needed(path),
  input: needed(either(path, objects("a list of rows"))),
  out: path,
  eos: flag,
  limit: count,
  force: flag,
  ...{ template, bos, precision, threads, engine },
};

export const rankKinds: KindsOf<RankOptions> = {
  model: needed(path),
  data: needed(path),
  out: path,
  against: whole({ min: 1, max: 10_000 }),
  limit: whole({ min: 2 }),
  maxLength: whole({ min: 2 }),
  force: flag,
  ...{ template, seed, bos, threads, precision, engine },
};
export const rankWatch: KindsOf<RankWatch> = { signal, onNote: call, onStart: call, onProgress: call };

const limits: Kind = {
  wanted: "limits as a judge file has them",
  holds: (value) => limitsSchema.partial().safeParse(value).success,
};

export const judgeKinds: KindsOf<JudgeOptions> = {
  outputs: needed(path),
  baseline: needed(path),
  judge: needed(either(text, record("a judge"))),
  out: needed(path),
  order: oneOf("both", "alpaca_eval"),
  empty: oneOf("skip", "ask"),
  promptFile: path,
  limits,
  prices: path,
  limit: count,
  maxCost: decimal({ min: 0 }),
  force: flag,
  checkers,
  clock: having({ now: call, sleep: call, chance: call }, "a clock"),
};
export const judgeWatch: KindsOf<JudgeWatch> = { signal, onStart: call, onProgress: call };

export const winrateKinds: KindsOf<WinrateOptions> = {
  annotations: needed(annotations),
  lc: oneOf(...lcChoices),
  lcData: path,
  lcC: decimal({ above: 0 }),
  scale: oneOf(...preferenceScales),
  folds: path,
  compat: oneOf("alpaca_eval"),
  compare: oneOf("best", "all", "none"),
  seed,
  resamples: whole({ min: 200, max: 100_000 }),
};
export const winrateWatch: KindsOf<WinrateWatch> = { onFile: call };

export const agreementKinds: KindsOf<AgreementOptions> = {
  annotations: needed(annotations),
  order: oneOf("alpaca_eval"),
  scale: oneOf(...preferenceScales),
};

export const similarityKinds: KindsOf<SimilarityOptions> = {
  outputs: needed(either(path, objects("a list of { instruction, output }"))),
  task: needed(path),
  reference: path,
  encoder: needed(path),
  pooling: oneOf("mean", "cls"),
  prefix: anyText,
  statistic: oneOf("mean", "max"),
  show: whole({ min: 0, max: 100 }),
  out: needed(path),
  cache: path,
  apiKeyEnv: text,
  limits,
  force: flag,
  ...{ limit, threads, engine },
};
export const similarityWatch: KindsOf<SimilarityWatch> = { signal, onNote: call, onProgress: call };

const overlap = { kind: needed(oneOf("overlap")), threshold: decimal({ min: 0, max: 1 }) };
const llm = {
  ...{ kind: needed(oneOf("llm")), baseUrl: needed(text), model: needed(text), apiKeyEnv: text },
  limits,
};
export const rephraseKinds: KindsOf<RephraseOptions> = {
  data: needed(path),
  out: needed(path),
  method: needed({
    ...either(shaped(overlap), shaped(llm)),
    wanted: '{ kind: "overlap", threshold? } or { kind: "llm", baseUrl, model, apiKeyEnv?, limits? }',
  }),
  verdicts: path,
  limit,
  force: flag,
};
export const rephraseWatch: KindsOf<RephraseWatch> = { signal, onProgress: call };

export const importKinds: KindsOf<ImportOptions> = {
  file: needed(path),
  out: needed(path),
  tokenizer: path,
  dtype,
  force: flag,
  signal,
  onTensor: call,
};

export const verifyKinds: KindsOf<VerifyOptions> = { onTensor: call, signal };
export const explainKinds: KindsOf<ExplainOptions> = {
  model: needed(path),
  rules: text,
  disableRules: listOf(text),
};
