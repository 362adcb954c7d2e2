/**
 * The options of `score` and `rank`.
 * May not know: models.
 */
import { either, flag, listOf, record, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { common, computing, limitOf } from "./shared.js";
import { templateOptions } from "./template.js";

export const scoreOptions = defineOptions({
  model: common.model,
  input: {
    type: either(text, listOf(record("a row"), "a list of rows")),
    takes: "file",
    help: "rows to score, as JSON lines",
    needed: true,
  },
  out: { type: text, takes: "file", help: "where the results go, as JSON lines", needed: "command" },
  eos: { type: flag, help: "do not score the EOS behind a response given as text", default: true },
  ...templateOptions,
  precision: common.precision,
  limit: limitOf("rows"),
  ...computing,
});

export const rankOptions = defineOptions({
  model: common.model,
  data: { type: text, takes: "spec", help: "PATH or NAME:PATH, as in alpaca:alpaca_data.json", needed: true },
  out: { type: text, takes: "dir", help: "folder for the results, or a .jsonl file", unless: "only print" },
  against: { type: whole({ min: 1, max: 10_000 }), takes: "n", help: "rivals for each instruction", default: 5 },
  limit: {
    type: whole({ min: 2 }),
    takes: "n",
    help: "examples taken from the front; rivals are drawn from the same ones",
    default: 1000,
  },
  seed: common.seed,
  maxLength: {
    type: whole({ min: 2 }),
    takes: "n",
    help: "longer pairs are counted and not scored; never beyond the model's positions",
    default: 2048,
  },
  ...templateOptions,
  precision: common.precision,
  ...computing,
});
