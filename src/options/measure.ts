/**
 * The options of the commands that measure texts which are there: `similarity`, `judge`, `winrate`, `agreement`.
 * May not know: how anything is measured.
 */
import {
  anyText,
  decimal,
  either,
  flag,
  listOf,
  needed,
  oneOf,
  record,
  shaped,
  text,
  whole,
} from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { lcChoices } from "./lc-models.js";
import { apiKeyEnv, common, computing, dataLimit, limitOf, serverLimits } from "./shared.js";

export const similarityOptions = defineOptions({
  outputs: {
    type: either(text, listOf(record("an output"), "a list of { instruction, output }")),
    help: "answers in AlpacaEval's format, as tacit generate writes them",
    needed: true,
    argument: true,
  },
  task: { type: text, takes: "spec", help: "what the model was tuned on: PATH or NAME:PATH", needed: true },
  reference: {
    type: text,
    takes: "spec",
    help: "responses in general",
    unless: "y is the similarity to the task alone",
  },
  encoder: { type: text, takes: "dir|url", help: "encoder folder, or URL#MODEL of a server", needed: true },
  out: { type: text, takes: "dir", help: "folder for the results", needed: true },
  pooling: {
    type: oneOf("mean", "cls"),
    takes: "how",
    help: "from tokens to one vector",
    unless: "as the folder says",
  },
  prefix: { type: anyText, takes: "text", help: "in front of every text", default: "", unless: "none" },
  statistic: { type: oneOf("mean", "max"), help: "of the cosines to many texts", default: "mean" },
  show: { type: whole({ min: 0, max: 100 }), takes: "n", help: "examples of each extreme", default: 5 },
  cache: {
    type: text,
    takes: "file",
    help: "ledger of embeddings",
    unless: "embeddings.jsonl in {out}",
    decides: false,
  },
  apiKeyEnv,
  ...serverLimits("4"),
  limit: dataLimit,
  ...computing,
});

/** Over the judge file's; the defaults named here are its own. */
export const judgeOptions = defineOptions({
  outputs: { type: text, help: "the model's outputs", needed: true, argument: true },
  baseline: { type: text, takes: "file", help: "the outputs that they are compared with", needed: true },
  judge: {
    type: either(text, record("a judge")),
    takes: "judge",
    help: "judge file, or a shipped judge: checker, longer, first",
    needed: true,
  },
  out: { type: text, takes: "dir", help: "folder for annotations, ledger and run record", needed: true },
  order: {
    type: oneOf("both", "alpaca_eval"),
    help: "both: each pair twice; alpaca_eval: once, hash-random by instruction as AlpacaEval's",
    unless: "the judge's, both",
  },
  empty: {
    type: oneOf("skip", "ask"),
    help: "pairs with an empty output: skip, or ask as AlpacaEval does",
    unless: "the judge's, skip",
  },
  promptFile: {
    type: text,
    takes: "file",
    help: "a prompt in AlpacaEval's format",
    unless: "the judge's, Tacit's own",
  },
  limit: limitOf("pairs"),
  ...serverLimits("8", "the judge's, "),
  dryRun: {
    type: flag,
    help: "say what would be asked and what it may cost, and ask nothing",
    default: false,
    only: "command",
  },
  prices: {
    type: text,
    takes: "file",
    help: "YAML: MODEL: {input: 2.5, output: 10}, dollars per million tokens",
    decides: false,
  },
  maxCost: {
    type: decimal({ min: 0 }),
    takes: "dollars",
    help: "stop before this run has spent more",
    unless: "no limit",
    decides: false,
  },
  force: common.force,
  json: common.json,
  events: common.events,
});

/** What a preference of 1 means. No default is shown: a file may speak against it. */
export const preferenceScales = ["1..2", "0..1"] as const;
export type PreferenceScale = (typeof preferenceScales)[number];
const scale = {
  type: oneOf(...preferenceScales),
  takes: "range",
  help: "what preferences mean: 1..2, 1 the baseline (output_1) wins and 2 the model; 0..1, 0 the baseline and 1 the model",
  unless: "1..2, and refused where none is above 1",
} as const;

const annotations = {
  type: listOf(
    either(
      text,
      either(
        shaped({ name: text, file: needed(text) }, "a file with its name"),
        shaped({ name: text, annotations: needed(listOf(record("an annotation"))) }, "annotations"),
      ),
    ),
    "a list, each a file, { name?, file }, or { name?, annotations: [...] }",
  ),
  needed: true,
  argument: true,
} as const;

export const winrateOptions = defineOptions({
  annotations: { ...annotations, help: "annotation files, each as FILE or NAME=FILE" },
  lc: {
    type: oneOf(...lcChoices),
    takes: "model",
    help: "length control",
    unless: "v1 with {lcData}, else length",
  },
  lcData: { type: text, takes: "dir", help: "folder with the instructions' difficulties and the gamed baselines" },
  lcC: {
    type: decimal({ above: 0 }),
    takes: "value",
    help: "penalty strength C of v1, noreg and minimal",
    unless: "cross-validation over ten",
  },
  folds: { type: text, takes: "file", help: "folds of the cross-validation", unless: "dealt out by instruction" },
  compat: { type: oneOf("alpaca_eval"), takes: "tool", help: "make every choice as the official tool does" },
  scale,
  compare: {
    type: oneOf("best", "all", "none"),
    takes: "which",
    help: "models to compare in pairs: the best with each other, all, or none",
    default: "best",
  },
  resamples: {
    type: whole({ min: 200, max: 100_000 }),
    takes: "n",
    help: "bootstrap samples of a comparison",
    default: 2000,
  },
  seed: common.seed,
  json: common.json,
  events: common.events,
});

export const agreementOptions = defineOptions({
  annotations: {
    ...annotations,
    help: "annotation files, each as FILE or NAME=FILE; one is enough for what sways it",
  },
  order: {
    type: oneOf("alpaca_eval"),
    takes: "tool",
    help: "the order of the answers in files that do not say it",
  },
  scale,
  json: common.json,
});
