/**
 * Which options of which command a study writes, and where. All that a command can be told can be written; what else it is told follows from
 * the study itself, and `elsewhere` says from what.
 * May not know: studies, schemas.
 */
import { type Entries, flagOf, keyName, omit, pick, written } from "../util/options.js";
import type { Spelling } from "../util/words.js";
import { generateOptions } from "./generate.js";
import { judgeOptions, similarityOptions, winrateOptions } from "./measure.js";
import { rankOptions, scoreOptions } from "./score.js";
import { studyRunOptions } from "./study.js";
import { asFlag, entryNamed } from "./tables.js";
import { tuneOptions } from "./tune.js";

/** A key of the study, a flag of `study run`, or nothing where there is no choice. */
const everyStep = { model: "models", out: "--out", threads: "--threads", force: "", json: "", events: "" } as const;
const prompting = { template: "template", userTag: "template", assistantTag: "template", bos: "template" } as const;

export const elsewhere = {
  tune: {
    ...everyStep,
    ...prompting,
    data: "arms",
    objective: "arms",
    seed: "seeds",
    epochs: "epochs",
    saveEveryEpoch: "epochs_from",
    resume: "",
  },
  generate: {
    ...everyStep,
    ...prompting,
    prompts: "generation",
    limit: "generation",
    rules: "arms",
    disableRules: "arms",
    generator: "",
    trace: "",
  },
  score: { ...everyStep, ...prompting, input: "selection", limit: "selection" },
  rank: { ...everyStep, ...prompting, data: "analyses" },
  similarity: {
    ...everyStep,
    outputs: "",
    task: "analyses",
    reference: "analyses",
    encoder: "analyses",
    cache: "",
  },
  judge: { ...everyStep, outputs: "", baseline: "comparisons", judge: "judge", dryRun: "" },
  winrate: {
    ...everyStep,
    annotations: "",
    lc: "length_control",
    lcData: "length_control",
    compare: "comparisons",
  },
} as const;

const rest = <Table extends Record<string, never> | object, Where extends object>(table: Table, where: Where) =>
  omit(table as never, ...(Object.keys(where) as never[])) as Omit<Table, keyof Where>;

/** What keys of results are made of stands first, in the order of version 0.1. */
export const studySettings = {
  tune: {
    ...pick(tuneOptions, "preset", "batch", "learningRate", "schedule", "warmup", "reduction", "clip", "maxLength"),
    ...pick(tuneOptions, "maxResponseTokens", "holdOut", "skipEmpty", "shuffle", "microTokens", "checkpointEvery"),
    ...pick(tuneOptions, "limit"),
    ...rest(tuneOptions, elsewhere.tune),
  },
  generate: {
    ...pick(generateOptions, "maxNewTokens", "batch", "temperature", "seed", "preset"),
    ...rest(generateOptions, elsewhere.generate),
  },
  score: rest(scoreOptions, elsewhere.score),
  rank: { ...pick(rankOptions, "against", "limit", "seed", "maxLength"), ...rest(rankOptions, elsewhere.rank) },
  similarity: {
    ...pick(similarityOptions, "pooling", "prefix", "limit", "statistic"),
    ...rest(similarityOptions, elsewhere.similarity),
  },
  judge: rest(judgeOptions, elsewhere.judge),
  winrate: rest(winrateOptions, elsewhere.winrate),
} as const;

/** Where in a study the settings of a command stand. */
export const settingsKeys: Readonly<Record<keyof typeof studySettings, string>> = {
  tune: "tune",
  generate: "generation",
  score: "selection",
  rank: "analyses",
  similarity: "analyses",
  judge: "judging",
  winrate: "winrate",
};

const settable: ReadonlyMap<string, Entries[string]> = new Map(
  Object.values<Entries>(studySettings).flatMap((table) => Object.entries(table)),
);

const places: ReadonlyMap<string, string> = new Map(Object.values(elsewhere).flatMap((table) => Object.entries(table)));
const studyFlags = new Set(
  Object.entries<Entries[string]>(studyRunOptions).map(([name, entry]) => flagOf(name, entry)),
);

/**
 * As a study writes it: `micro_tokens: 512`. What is no setting of a step is a flag where `study run` has it, else the key that it follows
 * from; an option that a study has in no form is named as one of the command alone.
 */
export const asSetting: Spelling = (mention) => {
  const { option, value } = mention;
  const entry = settable.get(option);
  if (entry === undefined) {
    if (studyFlags.has(flagOf(option, entryNamed(option) ?? {}))) return asFlag(mention);
    const place = places.get(option) ?? "";
    return place === "" ? `${asFlag(mention)} (of the single command)` : `${place}:`;
  }
  const plain = value ?? (entry.type.form?.form === "flag" ? entry.default !== true : undefined);
  return `${keyName(option, entry)}:${plain === undefined ? "" : ` ${written(entry, plain)}`}`;
};
