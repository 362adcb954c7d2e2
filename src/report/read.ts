/**
 * A study's folder as a report needs it. What is large (answers, annotations, metrics) is read when a section asks for it, one file at a
 * time. Paths in the records are untrusted: none leads out of the folder.
 * May not know: sections, markup.
 */
import { existsSync } from "node:fs";
import { isAbsolute, join, normalize, sep } from "node:path";
import { z } from "zod";
import { annotationSchema } from "../records/annotations.js";
import { type Output, outputSchema } from "../records/outputs.js";
import {
  type Cell,
  type StudyRecord,
  type StudyResults,
  stepRecordSchema,
  studyFiles,
  studyRecordSchema,
  studyResultsSchema,
} from "../records/study.js";
import { checkResults } from "../records/study-results.js";
import { type MetricsLine, metricsLineSchema, tuneRunSchema } from "../records/tune.js";
import { UserError } from "../util/errors.js";
import { readRecord, readRecordIfThere, readRecordLines } from "../util/record-file.js";
import { shownRecord, shownResults } from "./paths.js";

export interface StudyFolder {
  readonly folder: string;
  readonly record: StudyRecord;
  readonly results: StudyResults;
}

const AGAIN = "run `tacit study run` again with this version; finished steps are kept";

/** @throws UserError  no folder of a study, one of another version, or results that are not what their steps left */
export async function openStudy(folder: string): Promise<StudyFolder> {
  const parsed = async <T>(name: string, schema: z.ZodType<T>): Promise<T> => {
    if (!existsSync(join(folder, name)))
      throw new UserError(`${folder} holds no ${name}`, { remedy: "name the folder of `tacit study run --out`" });
    return await readRecord(join(folder, name), schema, AGAIN);
  };
  const record = await parsed(studyFiles.study, studyRecordSchema);
  const results = await parsed(studyFiles.results, studyResultsSchema);
  await checkSteps(folder, results);
  return { folder, record: shownRecord(record, folder), results: shownResults(results, folder, record) };
}

/** Whatever the page shows or leaves out: a result that has changed makes all of them doubtful. */
async function checkSteps(folder: string, { steps }: StudyResults): Promise<void> {
  for (const place of new Set(steps.flatMap((step) => (step.state === "done" ? (step.folder ?? []) : [])))) {
    const path = join(inside({ folder }, place), studyFiles.step);
    const record = await readRecordIfThere(path, stepRecordSchema, AGAIN);
    if (record !== undefined) await checkResults(folder, place, record);
  }
}

/** A path of the records, inside the folder. */
function inside({ folder }: Pick<StudyFolder, "folder">, path: string): string {
  const clean = normalize(path);
  if (isAbsolute(clean) || clean === ".." || clean.startsWith(`..${sep}`))
    throw new UserError(`${folder}: a record names ${path}, which lies outside`, {
      remedy: "make the results again with `tacit study run`",
    });
  return join(folder, clean);
}

const readOf = <T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T> =>
  readRecord(inside(study, path), schema, AGAIN);

export const readOutputs = (study: StudyFolder, path: string): Promise<Output[]> =>
  readOf(study, path, z.array(outputSchema));

/** A tuning run, with the options of it that are told. */
const toldRunSchema = tuneRunSchema.extend({
  options: z.object({ preset: z.string(), reduction: z.string(), schedule: z.string() }),
});
export const readTuneRun = (study: StudyFolder, path: string): Promise<z.infer<typeof toldRunSchema>> =>
  readOf(study, path, toldRunSchema);

/** What a judge said of the second output of a pair: 1 lost, 2 won, null no verdict; and the scores that it gave, if it gives any. */
const verdictSchema = annotationSchema.pick({
  instruction: true,
  preference: true,
  outcome: true,
  score_1: true,
  score_2: true,
});
export type Verdict = z.infer<typeof verdictSchema>;

export const readVerdicts = (study: StudyFolder, path: string): Promise<Verdict[]> =>
  readOf(study, path, z.array(verdictSchema));

export const readMetrics = (study: StudyFolder, path: string): Promise<MetricsLine[]> =>
  readLinesOf(study, path, metricsLineSchema);

export const readLinesOf = <T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T[]> =>
  readRecordLines(inside(study, path), schema, AGAIN);

export const readJsonOf = <T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T> =>
  readOf(study, path, schema);

/** The test answers of a cell that stands for its arm. */
export const testAnswers = (cell: Cell): Cell["answers"][number] | undefined =>
  cell.chosen ? cell.answers.find(({ split }) => split === "test") : undefined;
