/**
 * The options of `study`, which come over what the study's file says, and of `demo` and `report`.
 * May not know: studies.
 */
import { flag, type Kind, listOf, text, whole } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";
import { common, seed } from "./shared.js";

const given = { default: [], unless: "the study's" } as const;
const listed = listOf(seed);
const seeds: Kind<readonly number[]> = {
  ...listed,
  wanted: "whole numbers of 0 or more, each once, as 1,2,3",
  holds: (value): value is readonly number[] => listed.holds(value) && new Set(value).size === value.length,
};

export const studyOptions = defineOptions({
  study: {
    type: text,
    help: "path of a study file, or the name of a shipped one",
    needed: true,
    argument: true,
  },
  scale: { type: text, takes: "name", help: "one of the study's scales", unless: "the one that it names" },
  out: { type: text, takes: "dir", help: "folder of the results", unless: "runs/NAME-SCALE" },
  models: {
    flag: "model",
    type: listOf(text),
    takes: "dir",
    help: "base model; NAME=DIR for a study of several",
    ...given,
  },
  dataDir: {
    type: text,
    takes: "dir",
    help: "folder of the data sets, which studies call $data",
    unless: "./data",
  },
  data: {
    type: listOf(text),
    takes: "name=spec",
    help: "other data under a name of the study; may be given several times",
    ...given,
  },
  judge: { type: text, takes: "file", help: "judge file, or none", unless: "the study's" },
  encoder: { type: text, takes: "dir", help: "encoder for similarities", unless: "the study's" },
  seeds: { type: seeds, takes: "list", help: "seeds, as 1,2,3", unless: "the study's" },
  lcData: {
    type: text,
    takes: "dir",
    help: "difficulties and gamed baselines for length control",
    unless: "the study's",
  },
  threads: {
    ...common.threads,
    help: "threads of a computing step",
    unless: "those that the folder was begun with, else the cores there are",
  },
});

const steps = { type: flag, default: false, decides: false } as const;

export const studyPlanOptions = defineOptions({
  ...studyOptions,
  steps: { ...steps, help: "one line a step", unless: "one line a kind of step and arm" },
  check: {
    type: flag,
    help: "exit with 2 where memory or disk of this machine cannot suffice",
    default: false,
    unless: "only say so",
  },
  json: common.json,
});
export const studyRunOptions = defineOptions({ ...studyOptions, json: common.json, events: common.events });
export const studyStatusOptions = defineOptions({
  ...studyOptions,
  steps: { ...steps, help: "one line a step, with its folder", unless: "one line a kind of step" },
  json: common.json,
});
export const studyCleanOptions = defineOptions({
  ...studyOptions,
  force: { type: flag, help: "remove them", default: false, unless: "only list them" },
  json: common.json,
});

export const demoOptions = defineOptions({
  quick: {
    type: flag,
    help: "fewer rows and prompts: about a minute, too little to tell much",
    default: false,
  },
  seeds: {
    type: whole({ min: 1, max: 100 }),
    takes: "n",
    help: "tune every arm with so many seeds, for means with a spread",
    default: 1,
  },
  model: {
    type: text,
    takes: "dir",
    help: "another base model of the same world",
    unless: "the one in the package",
  },
  out: {
    type: text,
    takes: "dir",
    help: "folder for models, answers, verdicts and the report",
    unless: "tacit-demo",
  },
  threads: { ...common.threads, help: "threads to compute with", unless: "the cores there are" },
  force: { type: flag, help: "start from scratch where an earlier demo is", default: false },
  json: common.json,
});

export const reportOptions = defineOptions({
  out: { type: text, takes: "dir", help: "folder for the report", unless: "DIR/report" },
  force: common.force,
  json: common.json,
});
