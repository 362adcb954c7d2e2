/**
 * The options of `generate`, and of the two other commands that make prompts or name rules: `chat` and `rules explain`.
 * May not know: rules, models.
 */
import { decimal, either, flag, listOf, record, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { common, computing, count, engineSpec, limitOf, preset } from "./shared.js";
import { templateOptions } from "./template.js";

const rules = { type: text, takes: "rules", help: "paper, reference, or the path of a rule file" } as const;
const disableRules = {
  flag: "disable-rule",
  type: listOf(text),
  takes: "name",
  help: "leave this rule out; may be given several times",
  default: [],
  unless: "none",
} as const;

/** Limits of the paper: rules without an EOS rule hardly ever stop. */
export const MAX_NEW_TOKENS = { default: 8192, rulesWithoutEos: 512 } as const;

const promptOptions = defineOptions({
  rules: { ...rules, unless: "no rules" },
  disableRules,
  preset: { type: preset, help: "reference: instructions are not trimmed", default: "paper" },
  ...templateOptions,
  raw: { type: flag, help: "give instructions to the model as they are, without a template", default: false },
});

const answerOptions = defineOptions({
  maxNewTokens: {
    type: count,
    takes: "n",
    help: "most tokens of an answer",
    unless: `${MAX_NEW_TOKENS.default}, and ${MAX_NEW_TOKENS.rulesWithoutEos} for rules without an EOS rule; never more than the model has positions`,
  },
  temperature: { type: decimal({ min: 0 }), takes: "t", help: "0 is greedy", default: 0 },
  seed: common.seed,
});

export const generateOptions = defineOptions({
  model: common.model,
  prompts: {
    type: either(text, listOf(record("a prompt"), "a list of { instruction }")),
    takes: "file",
    help: "instructions to answer, or NAME:PATH",
    needed: true,
  },
  out: { type: text, takes: "file", help: "where the outputs go, as JSON", needed: "command" },
  ...promptOptions,
  ...answerOptions,
  batch: {
    type: whole({ min: 1, max: 1024 }),
    takes: "n",
    help: "prompts side by side",
    unless: "what fits in memory, at most 64",
    decides: false,
  },
  precision: common.precision,
  trace: { type: text, takes: "file", help: "write why each token was taken, as JSON lines", decides: false },
  limit: limitOf("prompts"),
  generator: { type: text, takes: "name", help: "the outputs' generator", unless: "the model's folder, +rules" },
  ...computing,
});

export const chatOptions = defineOptions({
  model: common.model,
  ...promptOptions,
  ...answerOptions,
  maxNewTokens: { ...answerOptions.maxNewTokens, unless: "as generate" },
  multiTurn: { type: flag, help: "an instruction sees those before it and their answers", default: false },
  ...engineSpec,
  json: common.json,
});

export const explainOptions = defineOptions({
  model: common.model,
  rules: { ...rules, default: "paper" },
  disableRules,
  json: common.json,
});
