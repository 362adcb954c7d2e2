/**
 * The options of the commands that look at files and make them: `data`, `models`, `glasshouse`.
 * May not know: formats.
 */
import { decimal, oneOf, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { apiKeyEnv, common, count, dataLimit, dtype, objective, serverLimits } from "./shared.js";
import { tuneOptions } from "./tune.js";

const { json, force, events } = common;
const jsonLines = { type: text, takes: "file", help: "file to write, ending in .jsonl", needed: true } as const;
const everyObjective = {
  type: objective,
  help: "response: every user message becomes the empty text, as in response tuning",
  default: "instruction",
} as const;

export const onlyJson = defineOptions({ json });
export const verifyOptions = defineOptions({ json, events });

export const dataOptions = {
  check: defineOptions({ limit: dataLimit, json }),
  show: defineOptions({
    rows: { type: count, takes: "n", help: "how many examples", default: 3 },
    objective: everyObjective,
    json,
  }),
  export: defineOptions({
    out: jsonLines,
    objective: everyObjective,
    layout: {
      type: oneOf("auto", "messages"),
      help: "messages: the layout of messages for every row",
      default: "auto",
    },
    limit: dataLimit,
    force,
    json,
  }),
  rephrase: defineOptions({
    out: jsonLines,
    by: { type: oneOf("overlap", "llm"), takes: "how", help: "what finds and removes", default: "overlap" },
    threshold: {
      type: decimal({ min: 0 }),
      takes: "x",
      help: "overlap from which on an opening restates",
      unless: "1.04",
    },
    verdicts: { type: text, takes: "file", help: "published verdicts to compare with, as in lima_rephrased.jsonl" },
    baseUrl: { type: text, takes: "url", help: "of an OpenAI-compatible server, mostly ending in /v1" },
    llm: { type: text, takes: "name", help: "the model's name on that server" },
    apiKeyEnv,
    ...serverLimits("4"),
    limit: dataLimit,
    force,
    json,
    events,
  }),
} as const;

export const importOptions = defineOptions({
  out: { type: text, takes: "dir", help: "the model directory to make", needed: true },
  dtype: { type: dtype, takes: "type", help: "how weights are stored", default: "F32" },
  tokenizer: {
    type: text,
    takes: "file",
    help: "llama2.c only: the vocabulary",
    unless: "tok<size>.bin or tokenizer.bin beside it",
  },
  force,
  json,
  events,
});

const world = {
  ...common.seed,
  help: "seed of the world; 1 is the one that `glasshouse` has read about",
  default: 1,
} as const;
const contamination = {
  type: decimal({ min: 0, max: 1 }),
  takes: "share",
  help: "share of pages that are a pair of instruction and response under a template",
  default: 0,
} as const;

export const glasshouseOptions = {
  pages: defineOptions({
    limit: { type: whole({ min: 1, max: 1_000_000 }), takes: "n", help: "how many pages", default: 10 },
    kind: { type: text, takes: "name", help: "only pages of this kind: article, forum, poem, …" },
    contamination,
    seed: world,
    json,
  }),
  data: defineOptions({
    out: { type: text, takes: "dir", help: "the folder to make", needed: true },
    seed: world,
    rows: { type: whole({ min: 1, max: 4000 }), takes: "n", help: "rows of instructions.jsonl", default: 1000 },
    force,
    json,
  }),
  check: defineOptions({
    outputs: { type: text, takes: "file", help: "outputs as `tacit generate` writes them", needed: true },
    prompts: {
      type: text,
      takes: "file",
      help: "JSON lines with the `check` of each instruction, as in data/test.jsonl",
      needed: true,
    },
    out: {
      type: text,
      takes: "file",
      help: "JSON lines, one an answer: its parts, or why it has none",
      unless: "only print",
    },
    force,
    json,
  }),
  facts: defineOptions({
    model: { type: text, takes: "dir", help: "model directory", needed: true },
    seed: world,
    limit: { type: count, takes: "n", help: "only the first so many facts", unless: "all" },
    threads: common.threads,
    json,
    events,
  }),
  pretrain: defineOptions({
    out: { type: text, takes: "dir", help: "the model directory to make", needed: true },
    tokens: {
      type: whole({ min: 1, max: 10_000_000_000 }),
      takes: "n",
      help: "tokens to read",
      unless: "as many as the model that ships",
    },
    seed: world,
    contamination,
    learningRate: {
      flag: "lr",
      type: decimal({ above: 0 }),
      takes: "rate",
      help: "highest learning rate",
      unless: "that of the model that ships",
    },
    threads: common.threads,
    resume: tuneOptions.resume,
    force,
    json,
    events,
  }),
} as const;
