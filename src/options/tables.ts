/**
 * Every table by its command, and how the options of all are spelled.
 * May not know: what a command does.
 */
import { type Entry, flagOf, written } from "../util/options.js";
import type { Spelling } from "../util/words.js";
import { dataOptions, glasshouseOptions, importOptions, onlyJson, verifyOptions } from "./files.js";
import { chatOptions, explainOptions, generateOptions } from "./generate.js";
import { agreementOptions, judgeOptions, similarityOptions, winrateOptions } from "./measure.js";
import { renderOptions } from "./render.js";
import { rankOptions, scoreOptions } from "./score.js";
import {
  demoOptions,
  reportOptions,
  studyCleanOptions,
  studyPlanOptions,
  studyRunOptions,
  studyStatusOptions,
} from "./study.js";
import { tuneOptions } from "./tune.js";

export const tables = {
  demo: demoOptions,
  doctor: onlyJson,
  "data list": onlyJson,
  "data check": dataOptions.check,
  "data show": dataOptions.show,
  "data export": dataOptions.export,
  "data rephrase": dataOptions.rephrase,
  "models import": importOptions,
  "models info": onlyJson,
  "models verify": verifyOptions,
  "glasshouse pages": glasshouseOptions.pages,
  "glasshouse data": glasshouseOptions.data,
  "glasshouse check": glasshouseOptions.check,
  "glasshouse facts": glasshouseOptions.facts,
  "glasshouse pretrain": glasshouseOptions.pretrain,
  render: renderOptions,
  tune: tuneOptions,
  generate: generateOptions,
  chat: chatOptions,
  score: scoreOptions,
  rank: rankOptions,
  similarity: similarityOptions,
  judge: judgeOptions,
  winrate: winrateOptions,
  agreement: agreementOptions,
  report: reportOptions,
  "rules list": onlyJson,
  "rules show": onlyJson,
  "rules explain": explainOptions,
  "study plan": studyPlanOptions,
  "study run": studyRunOptions,
  "study status": studyStatusOptions,
  "study clean": studyCleanOptions,
  "study schema": onlyJson,
} as const;

const entries: ReadonlyMap<string, Entry> = new Map<string, Entry>(
  Object.values(tables).flatMap((table) => Object.entries<Entry>(table)),
);

/** The option of that name; those of one name are spelled alike. */
export const entryNamed = (name: string): Entry | undefined => entries.get(name);

/** `--micro-tokens`, `--micro-tokens 512`, `--no-eos`. */
export const asFlag: Spelling = ({ option, value }) => {
  const entry = entryNamed(option) ?? {};
  return value === undefined || typeof value === "boolean"
    ? flagOf(option, entry)
    : `${flagOf(option, entry)} ${written(entry, value)}`;
};
