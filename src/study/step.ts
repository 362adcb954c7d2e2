/**
 * What a step of a study is: one definition a kind, in `steps/`, from which all that a study does with such a step follows.
 * May not know: which kinds there are.
 */
import { dirname } from "node:path";
import type { z } from "zod";
import type { OpenedEncoder, OpenedModel } from "../engine/opened.js";
import type { Precision } from "../engine/requests.js";
import type { Checkers } from "../judge/checker.js";
import type { generateOptions } from "../options/generate.js";
import type { Watch } from "../records/events.js";
import type { Pooling } from "../records/similarity.js";
import type { Cell, CellKey, Choice, ComparisonResult, StepRecord, StudyResults } from "../records/study.js";
import type { Study } from "../records/study-file.js";
import type { AnswersForecast, JudgeForecast, TextForecast, TuningForecast } from "../steps/forecast.js";
import type { TuneWork as TuneOptions } from "../steps/tune/options.js";
import type { OptionsOf } from "../util/options.js";

export interface StepDefinition<Work> {
  /**
   * What it takes meanwhile. `computing`: a thread of its own, the machine's cores and memory; `judging`: replies of others, whose limits the
   * steps of one judge share, so that they come one after the other; `light`: nothing.
   */
  readonly lane: "computing" | "judging" | "light";
  /** One of the kind at a time. */
  readonly alone: boolean;
  readonly memory: StepMemory;
  /** How many models of the size of its own it leaves on the disk. */
  models(work: Work): number;
  /** Where its result lies in its folder: what other steps read of it. */
  readonly result: string;
  /** Whether it leaves a file of this path in its folder. Folders end in a slash. */
  leaves(path: string): boolean;
  /** What it reads of other steps, or of outside. */
  inputs(work: Work): readonly Source[];
  /** Everything that determines the result, as plain data: recorded, and hashed into the key. */
  request(work: Work): Readonly<Record<string, unknown>>;
  /**
   * One call of the function in `src/steps` that the single command calls, into the step's folder. What an interrupted attempt left is
   * resumed; results that are whole already are not made again.
   *
   * @throws UserError    it cannot be done; another run may try again
   * @throws Interrupted  stopped; what was finished is kept in the folder
   */
  run(work: Work, carrying: Carrying): Promise<Done>;
  forecast(work: Work, known: Known<Work>): Promise<Forecast>;
  /** What a finished step says in the study's results. */
  summarise(result: StepResult, work: Work): Promise<Summary>;
  /** What its result decides about the steps of the study; undefined for kinds that decide nothing. */
  readonly decides: ((result: StepResult) => Promise<Choice>) | undefined;
}

/** A file or folder: one from outside, or one that another step leaves, by its path in the study's folder. */
export type Place = { readonly outside: string } | { readonly inside: string };

/** What a step reads: where it lies, or for data its spec, and what identifies it in the request. */
export interface Source {
  readonly at: Place;
  readonly is: unknown;
}

export interface StepMemory {
  /** For each parameter of the model, that nothing makes smaller; 0 where the study's models are not loaded. */
  readonly leastPerParameter: number;
  /** For each byte of the model's files, rounded up. */
  readonly perFileByte: number;
}
/** Gradients and two moments beside the weights, in 32 bits, and activations. */
export const TUNING_MEMORY: StepMemory = { leastPerParameter: 16, perFileByte: 16 };
/** Weights of 16 bits are computed on in 32, and lie there twice while they are read. */
export const READING_MEMORY: StepMemory = { leastPerParameter: 4, perFileByte: 5 };
export const NO_MEMORY: StepMemory = { leastPerParameter: 0, perFileByte: 0 };

export type TemplateSettings = Study["template"];
export type Limit = number | "all";

/** How the engine is to compute, as every function that computes takes it. */
export type Computing = Pick<TuneOptions, "threads">;

/** What a step is carried out with. */
export interface Carrying {
  /** The step's own. */
  readonly folder: string;
  readonly at: (place: Place) => string;
  /** For functions that compute. */
  readonly common: Computing;
  readonly checkers: Checkers;
  /** For the function that is called: its events are the step's. */
  readonly watch: Watch;
}

/** How much was done, for the forecasts of the next like it. */
export interface Done {
  readonly work: number;
  readonly unit: string;
}

/** The records that a finished step left, by their paths in its folder. */
export interface StepResult {
  /** From the study's folder, of a path in the step's own. */
  path(name: string): string;
  read<T>(name: string, schema: z.ZodType<T>): Promise<T>;
}

/** A part of the study's results; what says whose it is comes from the graph. */
export interface Summary {
  readonly tuning?: Pick<NonNullable<Cell["tuning"]>, "run" | "metrics">;
  readonly answers?: Pick<Cell["answers"][number], "outputs" | "run" | "counts">;
  readonly choice?: Choice;
  readonly comparison?: ComparisonResult;
  readonly ranking?: Pick<StudyResults["rankings"][number], "summary" | "pairs" | "totals">;
  readonly similarity?: Pick<StudyResults["similarities"][number], "folder" | "summary" | "totals">;
}

export interface Forecast {
  /** Undefined where nothing is known of the speed: a judge that answers over a network. */
  readonly seconds: number | undefined;
  /** `measured`: from steps like it in this folder; `machine`: from what the engine expects of this machine. */
  readonly basis: "measured" | "machine" | "none";
  /** Answers may stop earlier than their limit. */
  readonly atMost: boolean;
  readonly memoryBytes: number;
  readonly calls: number;
  /** At most: answers that do not exist yet are as long as their limit allows. */
  readonly dollars: number | undefined;
  /** With answers and replies of a common length where none exist yet. */
  readonly likelyDollars: number | undefined;
  /** For those who read the answers. */
  readonly answers?: ForecastAnswers;
}
export const NOTHING: Forecast = {
  ...{ seconds: 0, basis: "none", atMost: false, memoryBytes: 0, calls: 0 },
  ...{ dollars: undefined, likelyDollars: undefined },
};

export interface ForecastAnswers {
  readonly rows: number;
  readonly promptTokens: number;
  /** Of an answer: the mean of those that exist, and the most that there can be, on average over the prompts. */
  readonly meanTokens: number | undefined;
  readonly mostTokens: number;
}

/** What a forecast may ask. The same question is answered once: many steps differ by their seed alone. */
export interface Known<Work> {
  /** What the step belongs to, and the study's model that is. */
  readonly cell: CellKey | undefined;
  readonly model: { readonly name: string; readonly path: string } | undefined;
  /** Steps of the same kind that are done. */
  readonly finished: readonly FinishedStep<Work>[];
  /** Of the step that leaves this file, where it answers. */
  answersAt(place: Place): Promise<ForecastAnswers | undefined>;
  /** As the study's engine opens it. It is closed when all is forecast. */
  open(model: string, precision?: Precision): Promise<OpenedModel>;
  /** Undefined for a server. */
  openEncoder(encoder: Place, pooling?: Pooling): Promise<OpenedEncoder | undefined>;
  pairs(data: Place, limit: Limit | undefined): Promise<TextForecast>;
  /** Tokens of each. */
  prompts(data: Place, limit: Limit | undefined): Promise<readonly number[]>;
  answers(asked: AnswersAsked): Promise<AnswersForecast>;
  tuning(options: TuneOptions): Promise<TuningForecast>;
  judge(judge: Place): Promise<JudgeForecast>;
}

export interface AnswersAsked {
  readonly model: string;
  readonly prompts: Place;
  readonly limit: Limit | undefined;
  readonly settings: Pick<OptionsOf<typeof generateOptions>, "precision" | "batch" | "maxNewTokens">;
  readonly rules: { readonly file: Place; readonly disable: readonly string[] } | undefined;
}

export interface FinishedStep<Work> {
  readonly work: Work;
  readonly cell: CellKey | undefined;
  readonly timings: StepRecord["timings"];
}

/** Of a record that an interrupted attempt left whole, and that is whole no more. */
export const UNREADABLE = "remove the step's folder: `tacit study run` then does it again";

/** @param paths  files by what they are
 * @returns whether a path is one of them, or the folder that they lie in. */
export const leavesFiles = (paths: object): ((path: string) => boolean) => {
  const files: string[] = Object.values(paths);
  const folders = files.map((file) => dirname(file)).filter((folder) => folder !== ".");
  return (path) => files.includes(path) || folders.some((folder) => path === `${folder}/`);
};
