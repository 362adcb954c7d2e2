/**
 * The folder of a study: whose it is, what its steps' folders say, and which of them nothing refers to any more.
 * May not know: how a step is carried out.
 */
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import {
  type StepRecord,
  type StudyRecord,
  type StudyResults,
  stepRecordSchema,
  studyFiles,
  studyRecordSchema,
  studyResultsSchema,
} from "../records/study.js";
import { UserError } from "../util/errors.js";
import { isPartial, makeDirectory, writeFileAtomic } from "../util/files.js";
import { readJson } from "../util/json.js";
import type { Place } from "./step.js";

/** Whatever a step says of itself when it begins, so that the next attempt knows that there was one. */
const STARTED = "started";

export interface StudyFolder {
  readonly root: string;
  path(place: Place): string;
  /** The step's record where it has one: done or failed. */
  readStep(folder: string): Promise<StepRecord | undefined>;
  /** Makes the step's folder. @returns whether an earlier attempt was there */
  beginStep(folder: string): Promise<boolean>;
  writeStep(folder: string, record: StepRecord): Promise<void>;
  readStudy(): Promise<StudyRecord | undefined>;
  writeStudy(record: StudyRecord): Promise<void>;
  writeResults(results: StudyResults): Promise<void>;
}

export function studyFolder(root: string): StudyFolder {
  const at = (...names: readonly string[]): string => join(root, ...names);
  return {
    root,
    path: (place) => ("outside" in place ? place.outside : at(place.inside)),
    readStep: (folder) => readRecord(at(folder, studyFiles.step), stepRecordSchema),
    async beginStep(folder) {
      const resumed = existsSync(at(folder, STARTED));
      if (!resumed) await writeFileAtomic(at(folder, STARTED), "");
      return resumed;
    },
    async writeStep(folder, record) {
      await rm(at(folder, STARTED), { force: true }); // first: the record is the last thing that a step writes
      await writeFileAtomic(at(folder, studyFiles.step), toText(stepRecordSchema.parse(record)));
    },
    readStudy: () => readRecord(at(studyFiles.study), studyRecordSchema),
    writeStudy: (record) => writeFileAtomic(at(studyFiles.study), toText(studyRecordSchema.parse(record))),
    writeResults: (results) => writeFileAtomic(at(studyFiles.results), toText(studyResultsSchema.parse(results))),
  };
}

const toText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!existsSync(path)) return undefined;
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new UserError(`${path} is not a record that this version writes`, { remedy: "name another --out" });
}

/**
 * Whether this study may work there: the folder is new, empty, or of a study with this name.
 *
 * @throws UserError  it is something else
 */
export async function admitStudy(root: string, name: string): Promise<void> {
  if (!existsSync(root)) return;
  if (!(await stat(root)).isDirectory()) throw new UserError(`${root} is a file`, { remedy: "name another --out" });
  const before = await studyFolder(root).readStudy();
  if (before === undefined) {
    const others = (await readdir(root)).filter((entry) => !isTrace(entry));
    if (others.length === 0) return;
    throw new UserError(`${root} already exists and holds no study`, { remedy: "name another --out" });
  }
  if (before.study.name === name) return;
  throw new UserError(`${root} holds the study ${before.study.name}, not ${name}`, { remedy: "name another --out" });
}

/** A lock, and what a killed process was just writing. */
const isTrace = (entry: string): boolean => entry.startsWith(".lock") || isPartial(entry);

export const lockPath = (root: string): string => join(root, ".lock");

/** The folder of the steps' folders. */
export const stepsOf = (root: string): string => join(root, studyFiles.steps);

export async function makeStudyFolder(root: string): Promise<void> {
  await makeDirectory(stepsOf(root));
}

/** Folders of steps that are there, with `steps/` in front. */
export async function stepFolders(root: string): Promise<string[]> {
  const steps = stepsOf(root);
  if (!existsSync(steps)) return [];
  const names = (await readdir(steps)).filter((name) => /^[a-z]+-[0-9a-f]{16}$/.test(name));
  return names.sort().map((name) => `${studyFiles.steps}/${name}`);
}
