/**
 * A study as a person writes it (YAML, version 1): models, data, arms, seeds, epochs, selection, generation, judge, comparisons,
 * analyses. Plain data; what a name refers to is checked where the file is read.
 * May not know: how a study is carried out.
 */
import { z } from "zod";
import { lcChoices } from "../options/lc-models.js";
import { studySettings } from "../options/study-settings.js";
import { templateFrom, templates } from "../options/template.js";
import { settingsShape, strictSettings } from "./settings.js";

const whole = z.number().int();
const count = whole.positive();
const strict = strictSettings(Object.values(studySettings));
/** Names become parts of step ids, as in `tune/base/response/seed-1/epochs-5`. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, `.`, `_` and `-`, a letter or digit first");

/** Without a repetition: the same arm or seed twice would count twice. */
const distinct = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .min(1)
    .refine((items) => new Set(items).size === items.length, "the same entry twice");

const limit = z
  .union([count, z.literal("all")])
  .describe("At most this many rows from the front; default: the data set's own");

export const templateSchema = strict({
  name: z.enum(Object.keys(templates)).default(templateFrom().name),
  user_tag: z.string().min(1).optional().describe("Before an instruction; default <|user|>"),
  assistant_tag: z.string().min(1).optional().describe("Before a response; default <|assistant|>"),
  bos: z.enum(["auto", "always", "never"]).default("auto"),
});

/** The options of `tacit tune`, by the same names. */
export const tuneSettingsSchema = strict(settingsShape(studySettings.tune));

/** The options of `tacit generate`, by the same names. */
export const generationSchema = strict(settingsShape(studySettings.generate));

/** What a published table says of an arm against the one it is compared with, in percent; by the name of the published model. */
export const publishedSchema = z.record(z.string().min(1), strict({ mean: z.number(), sd: z.number().optional() }));

const everyArm = {
  about: z.string().optional().describe("The arm in a few words, for the report"),
  template: templateSchema.optional(),
  generation: generationSchema.optional().describe("What differs from the study's"),
  models: distinct(name).optional().describe("Default: every model of the study"),
  published: publishedSchema.optional(),
};
const tunedArm = {
  ...everyArm,
  data: name.describe("One of the study's data"),
  tune: tuneSettingsSchema.optional().describe("What differs from the study's"),
  seeds: distinct(whole.min(0)).optional(),
  epochs: distinct(count).optional(),
};

/** How the answers of an arm come about. */
export const armSchema = z.discriminatedUnion("kind", [
  strict({ kind: z.literal("instruction"), ...tunedArm }).describe("Tuned on instructions and responses"),
  strict({ kind: z.literal("response"), ...tunedArm }).describe("Tuned on responses alone"),
  strict({ kind: z.literal("single-task"), ...tunedArm }).describe("Tuned on one narrow task"),
  z
    .strictObject({
      kind: z.literal("rules"),
      ...everyArm,
      rules: z.string().min(1).default("paper").describe("paper, reference, or a rule file"),
      disable: distinct(z.string().min(1)).optional().describe("Rules to leave out"),
    })
    .describe("The base model under hand-written rules"),
  strict({ kind: z.literal("untuned"), ...everyArm }).describe("The base model as it is"),
]);
export type Arm = z.infer<typeof armSchema>;

const chosenBy = {
  seeds: distinct(whole.min(0))
    .optional()
    .describe(
      "Seeds that the choice rests on; only they are tuned for every number of epochs. Default: all of the arm's",
    ),
};

/** How one number of epochs is chosen for an arm, the same for all its seeds. */
export const selectionSchema = z.discriminatedUnion("measure", [
  strict({
    measure: z.literal("win_rate"),
    prompts: name.describe("Validation instructions, one of the study's data"),
    limit: limit.optional(),
    baseline: name.describe("Outputs to compare with, in AlpacaEval's format; one of the study's data"),
    generation: generationSchema.optional(),
    ...chosenBy,
  }),
  strict({
    measure: z.literal("loss"),
    ...chosenBy,
    data: name.describe("Instructions with responses, whose loss per token under the template is measured"),
    limit: limit.optional(),
    ...settingsShape(studySettings.score),
  }),
]);

/** The options of `tacit judge` and `tacit winrate`, by the same names; files are relative to the study's. */
export const judgingSchema = strict(settingsShape(studySettings.judge));
export const winrateSettingsSchema = strict(settingsShape(studySettings.winrate));

export const lengthControlSchema = strict({
  fit: z.enum(lcChoices).optional(),
  data: z.string().min(1).optional().describe("Folder with the gamed baseline and the difficulty of instructions"),
});

const oneOrMore = z.union([name, distinct(name)]);

export const comparisonSchema = strict({
  arm: oneOrMore,
  against: name.describe("The baseline; seed s is compared with its seed s"),
});

export const analysisSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("ranking"),
      name: name.default("ranking"),
      data: name,
      arms: distinct(name).optional().describe("Default: every arm that has a model of its own, and one untuned arm"),
      ...settingsShape(studySettings.rank),
    })
    .describe("How often the right response is more likely than another one"),
  z
    .strictObject({
      kind: z.literal("similarity"),
      name: name.default("similarity"),
      encoder: z.string().min(1).optional().describe("Encoder folder, or URL#MODEL of an embeddings server"),
      ...settingsShape(studySettings.similarity),
      task: name.optional().describe("The single-task data; default: what the arm was tuned on"),
      reference: name
        .optional()
        .describe(
          "Data whose responses are subtracted: the paper's LIMA; without, nearness to the task's responses alone",
        ),
      arms: distinct(name).optional().describe("Default: every single-task arm"),
    })
    .describe("How far answers keep the style of what was tuned on"),
]);
export type Analysis = z.infer<typeof analysisSchema>;

export const modelSchema = strict({
  path: z.string().min(1).describe("Model directory, or `glasshouse`, the small model in the package"),
  tune: tuneSettingsSchema.optional().describe("What differs from the study's, as a learning rate of its own"),
});

export const STUDY_VERSION = 1;

/** A study with everything resolved: its scale laid over it, flags applied. */
export const studySchema = strict({
  version: z.literal(STUDY_VERSION),
  name,
  about: z.string().min(1).describe("What is compared, in one sentence"),
  models: z.record(name, modelSchema).describe("Base models by name"),
  data: z
    .record(name, z.string().min(1))
    .describe("Files by name: PATH or NAME:PATH; $data is the folder with the data sets"),
  template: templateSchema.prefault({}),
  arms: z.record(name, armSchema),
  seeds: distinct(whole.min(0)).default([1]),
  epochs: distinct(count).default([5]).describe("Numbers of epochs to choose from"),
  epochs_from: z
    .enum(["runs", "checkpoints"])
    .default("runs")
    .describe(
      "runs: each number of epochs is a run of its own, its schedule ending there; checkpoints: one run, kept after each",
    ),
  tune: tuneSettingsSchema.prefault({}),
  selection: selectionSchema.optional(),
  generation: generationSchema
    .extend({ prompts: name.describe("Test instructions, one of the study's data"), limit: limit.optional() })
    .optional(),
  judge: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("Judge file; without one, comparisons are left out and said to be"),
  judging: judgingSchema.optional().describe("How the judge is asked, over its file"),
  length_control: lengthControlSchema.prefault({}),
  winrate: winrateSettingsSchema.optional().describe("How win rates are computed"),
  comparisons: z.array(comparisonSchema).default([]),
  analyses: z.array(analysisSchema).default([]),
});
export type Study = z.infer<typeof studySchema>;
export type StudyInput = z.input<typeof studySchema>;

/** Of a scale: anything of the study but its version, name and scales. Maps are merged, everything else is replaced; null removes. */
const overlaySchema = z.looseObject({}).describe("What differs from the study at this scale");

/** The file: a study that may still need a scale laid over it to be whole. */
export const studyFileSchema = studySchema.extend({
  scale: name.optional().describe("The scale where none is asked for"),
  scales: z.record(name, overlaySchema).optional(),
});
