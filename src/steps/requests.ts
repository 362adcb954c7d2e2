/**
 * What each call of the library takes: the options of its table, and what only scripts can give. Checked before anything is done.
 * May not know: what is done with them.
 */

import type { EngineSpec } from "../engine/engine.js";
import type { ImportOptions } from "../model-files/import.js";
import { importOptions } from "../options/files.js";
import { chatOptions, explainOptions, generateOptions } from "../options/generate.js";
import { agreementOptions, judgeOptions, similarityOptions, winrateOptions } from "../options/measure.js";
import { rankOptions, scoreOptions } from "../options/score.js";
import { dataLimit } from "../options/shared.js";
import type { Watch } from "../records/events.js";
import { type Limits, limitsSchema } from "../records/judge-file.js";
import {
  call,
  decimal,
  either,
  flag,
  having,
  type Kind,
  type KindsOf,
  needed,
  oneOf,
  shaped,
  text,
} from "../util/option-kinds.js";
import { kindsOf } from "../util/options.js";
import type { AgreementOptions } from "./agreement.js";
import type { ChatOptions, OneQuestion } from "./chat.js";
import type { ExplainOptions } from "./explain-rules.js";
import type { GenerateOptions } from "./generate.js";
import type { JudgeOptions } from "./judge.js";
import type { RankOptions } from "./rank.js";
import type { RephraseOptions } from "./rephrase.js";
import type { ScoreOptions } from "./score.js";
import { checkers, engine, signal } from "./script-options.js";
import type { SimilarityOptions } from "./similarity.js";
import type { WinrateOptions } from "./winrate.js";

/** The second argument of every step. */
export const watch: KindsOf<Watch> = { signal, onEvent: call, spelling: call };

const { threads, precision } = kindsOf(scoreOptions);
export const engineKinds: KindsOf<EngineSpec> = { name: oneOf("embedded"), precision, threads };

export const generateKinds: KindsOf<GenerateOptions> = { ...kindsOf(generateOptions), engine };

export const openChatKinds: KindsOf<ChatOptions> = { ...kindsOf(chatOptions), engine };

const { multiTurn: _, ...oneQuestion } = openChatKinds;
export const chatKinds: KindsOf<OneQuestion> = { ...oneQuestion, question: needed(text), ...watch };

export const scoreKinds: KindsOf<ScoreOptions> = { ...kindsOf(scoreOptions), engine };

export const rankKinds: KindsOf<RankOptions> = { ...kindsOf(rankOptions), engine };

export const judgeKinds: KindsOf<JudgeOptions> = {
  ...kindsOf(judgeOptions),
  checkers,
  clock: having({ now: call, sleep: call, chance: call }, "a clock"),
};

export const winrateKinds: KindsOf<WinrateOptions> = kindsOf(winrateOptions);

export const agreementKinds: KindsOf<AgreementOptions> = kindsOf(agreementOptions);

export const similarityKinds: KindsOf<SimilarityOptions> = { ...kindsOf(similarityOptions), engine };

const limits: Kind<Partial<Limits>> = {
  wanted: "limits as a judge file has them",
  holds: (value): value is Partial<Limits> => limitsSchema.partial().safeParse(value).success,
};

const overlap = { kind: needed(oneOf("overlap")), threshold: decimal({ min: 0, max: 1 }) };
const llm = {
  ...{ kind: needed(oneOf("llm")), baseUrl: needed(text), model: needed(text), apiKeyEnv: text },
  limits,
};
export const rephraseKinds: KindsOf<RephraseOptions> = {
  data: needed(text),
  out: needed(text),
  method: needed({
    ...either(shaped(overlap), shaped(llm)),
    wanted: '{ kind: "overlap", threshold? } or { kind: "llm", baseUrl, model, apiKeyEnv?, limits? }',
  }),
  verdicts: text,
  limit: dataLimit.type,
  force: flag,
};

export const importKinds: KindsOf<ImportOptions> = {
  ...kindsOf(importOptions),
  file: needed(text),
};

export const explainKinds: KindsOf<ExplainOptions> = kindsOf(explainOptions);
