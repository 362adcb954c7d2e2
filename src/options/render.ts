/**
 * The options of `render`, most of which are those of every command that makes rows.
 * May not know: how rows are made.
 */
import { flag, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { common, count, dataLimit, objective } from "./shared.js";
import { templateOptions } from "./template.js";

export const rowOptions = defineOptions({
  data: { type: text, takes: "spec", help: "rows: PATH, or NAME:PATH for a data set of the paper", needed: true },
  objective: { type: objective, help: "response: every instruction is replaced by the empty text" },
  limit: dataLimit,
  maxLength: {
    type: whole({ min: 2 }),
    takes: "n",
    help: "longest row in ids; the rest is cut off on the right",
    default: 2048,
  },
  skipEmpty: {
    type: flag,
    help: "leave out rows of which nothing carries loss after the cut",
    default: false,
    unless: "an error",
  },
});

export const renderOptions = defineOptions({
  model: common.model,
  data: rowOptions.data,
  objective: { ...rowOptions.objective, default: "instruction" },
  out: { type: text, takes: "file", help: "where the rows go, as JSON lines" },
  show: { type: count, takes: "n", help: "print the first n rows, coloured by loss", only: "command" },
  ...templateOptions,
  maxLength: { ...rowOptions.maxLength, type: count },
  skipEmpty: rowOptions.skipEmpty,
  limit: rowOptions.limit,
  force: common.force,
  json: common.json,
});
