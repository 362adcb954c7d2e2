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
  studyFiles,
  studyRecordSchema,
  studyResultsSchema,
} from "../records/study.js";
import { type MetricsLine, metricsLineSchema, type TuneRunRecord, tuneRunSchema } from "../records/tune.js";
import { UserError } from "../util/errors.js";
import { LARGEST_ROWS, readJsonAs } from "../util/json.js";
import { readJsonLines } from "../util/json-lines.js";
import { checked } from "../util/schema.js";

/** A record may hold as many rows as a study has answers. */
const ROWS = { most: LARGEST_ROWS };

const MAKE_AGAIN = "run `tacit study run` again, which makes it again where it is removed";

export interface StudyFolder {
  readonly folder: string;
  readonly record: StudyRecord;
  readonly results: StudyResults;
}

/** @throws UserError  no folder of a study, or one of another version */
export async function openStudy(folder: string): Promise<StudyFolder> {
  const parsed = async <T>(name: string, schema: z.ZodType<T>): Promise<T> => {
    if (!existsSync(join(folder, name)))
      throw new UserError(`${folder} holds no ${name}`, { remedy: "name the folder of `tacit study run --out`" });
    return readJsonAs(
      join(folder, name),
      schema,
      "run `tacit study run` again with this version; finished steps are kept",
      ROWS,
    );
  };
  return {
    folder,
    record: await parsed(studyFiles.study, studyRecordSchema),
    results: await parsed(studyFiles.results, studyResultsSchema),
  };
}

/** A path of the records, inside the folder. */
function inside({ folder }: StudyFolder, path: string): string {
  const clean = normalize(path);
  if (isAbsolute(clean) || clean === ".." || clean.startsWith(`..${sep}`))
    throw new UserError(`${folder}: a record names ${path}, which lies outside`, {
      remedy: "make the results again with `tacit study run`",
    });
  return join(folder, clean);
}

async function readRecord<T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T> {
  const file = inside(study, path);
  if (!existsSync(file))
    throw new UserError(`${file} is gone`, { remedy: "run `tacit study run` again, which makes what is missing" });
  return readJsonAs(file, schema, MAKE_AGAIN, ROWS);
}

export const readOutputs = (study: StudyFolder, path: string): Promise<Output[]> =>
  readRecord(study, path, z.array(outputSchema));

export const readTuneRun = (study: StudyFolder, path: string): Promise<TuneRunRecord> =>
  readRecord(study, path, tuneRunSchema);

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
  readRecord(study, path, z.array(verdictSchema));

export const readMetrics = (study: StudyFolder, path: string): Promise<MetricsLine[]> =>
  readLinesOf(study, path, metricsLineSchema);

export async function readLinesOf<T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const file = inside(study, path);
  const values: T[] = [];
  for await (const { line, value } of readJsonLines(file))
    values.push(checked(schema, value, `${file}:${line}`, MAKE_AGAIN));
  return values;
}

export const readJsonOf = <T>(study: StudyFolder, path: string, schema: z.ZodType<T>): Promise<T> =>
  readRecord(study, path, schema);

/** The test answers of a cell that stands for its arm. */
export const testAnswers = (cell: Cell): Cell["answers"][number] | undefined =>
  cell.chosen ? cell.answers.find(({ split }) => split === "test") : undefined;
