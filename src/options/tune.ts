/**
 * The options of `tune`, in the order of its help and of its records.
 * May not know: how anything is trained.
 */
import { decimal, flag, oneOf, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { rowOptions } from "./render.js";
import { common, count, dtype, preset } from "./shared.js";
import { templateOptions } from "./template.js";

/** Presets are facts of the paper's appendix A, and of its authors' scripts. */
export const tuneOptions = defineOptions({
  model: common.model,
  data: rowOptions.data,
  out: { type: text, takes: "dir", help: "the model directory to make", needed: true },
  objective: { ...rowOptions.objective, needed: true },
  preset: { type: preset, help: "defaults of the options below", default: "paper" },
  epochs: { type: count, takes: "n", help: "passes over the rows", presets: { paper: 5, reference: 5 } },
  batch: { type: count, takes: "n", help: "rows a step", presets: { paper: 64, reference: 64 } },
  learningRate: {
    flag: "lr",
    type: decimal({ min: 0 }),
    takes: "rate",
    help: "highest learning rate",
    presets: { paper: 1e-5, reference: 1e-5 },
    unless: "1e-5",
  },
  schedule: {
    type: oneOf("cosine", "linear", "constant"),
    help: "how the rate falls",
    presets: { paper: "cosine", reference: "linear" },
  },
  warmup: {
    type: decimal({ min: 0, max: 1 }),
    takes: "share",
    help: "share of all steps in which the rate rises",
    presets: { paper: 0.1, reference: 0.03 },
  },
  reduction: {
    type: oneOf("paper", "reference", "token"),
    help: "paper: mean over rows of summed token losses; reference: mean over rows of means; token: mean over tokens",
    presets: { paper: "paper", reference: "reference" },
    unless: "the preset's",
  },
  clip: { type: decimal({ above: 0 }), takes: "norm", help: "largest norm of the gradient", unless: "none" },
  seed: common.seed,
  shuffle: { type: flag, help: "rows in the order of the file", default: true },
  maxSteps: { type: count, takes: "n", help: "stop early; the schedule stays that of the whole" },
  saveEveryEpoch: { type: flag, help: "also keep OUT/epoch-N", default: false, unless: "the last alone" },
  checkpointEvery: {
    type: count,
    takes: "steps",
    help: "keep a checkpoint after this many steps",
    unless: "after every epoch, at least every ten minutes, and on Ctrl-C",
    decides: false,
  },
  limit: rowOptions.limit,
  maxLength: rowOptions.maxLength,
  maxResponseTokens: {
    type: count,
    takes: "n",
    help: "leave out, and count, rows with longer responses",
    unless: "none",
  },
  holdOut: {
    type: whole({ min: 0 }),
    takes: "n",
    help: "rows that are not trained on, whose loss is measured after every epoch",
    default: 0,
  },
  skipEmpty: rowOptions.skipEmpty,
  ...templateOptions,
  microTokens: {
    type: count,
    takes: "n",
    help: "positions computed at once; less takes less memory",
    default: 2048,
  },
  recompute: {
    type: flag,
    help: "keep only each layer's input for the backward pass: less memory, more time",
    default: false,
    unless: "keep all",
    decides: false,
  },
  threads: common.threads,
  dtype: { type: dtype, help: "of the written weights", unless: "as read" },
  resume: {
    type: flag,
    help: "where the run in {out} is finished already, say so and keep it",
    default: false,
    unless: "refuse",
    decides: false,
  },
  force: common.force,
  json: common.json,
  events: common.events,
});
