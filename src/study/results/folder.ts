/**
 * The folder of a study: whose it is, what its steps' folders say, and which of them nothing refers to any more.
 * May not know: how a step is carried out.
 */
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import {
  type StepRecord,
  type StudyRecord,
  type StudyResults,
  stepKinds,
  stepRecordSchema,
  studyFiles,
  studyRecordSchema,
  studyResultsSchema,
} from "../../records/study.js";
import { doAgain } from "../../records/study-results.js";
import { generatePaths } from "../../steps/generate.js";
import { judgePaths } from "../../steps/judge.js";
import { rankPaths } from "../../steps/rank.js";
import { scorePaths } from "../../steps/score.js";
import { similarityPaths } from "../../steps/similarity.js";
import { isRunFile } from "../../steps/tune/folder.js";
import { UserError } from "../../util/errors.js";
import { isTrace, makeDirectory, writeFileAtomic } from "../../util/files.js";
import { type Fingerprint, fingerprintsOf } from "../../util/fingerprint.js";
import { readRecord, readRecordIfThere } from "../../util/record-file.js";
import { excerpt } from "../../util/terminal.js";
import { folderOf, keyOf, type Place, resultNames, type StepPlan } from "../step.js";

/** Whatever a step says of itself when it begins, so that the next attempt knows that there was one. */
const STARTED = "started";

export interface StudyFolder {
  readonly root: string;
  path(place: Place): string;
  /** The step's record where it has one: done or failed. */
  readStep(folder: string): Promise<StepRecord | undefined>;
  /** One of the records that a step left, by its path in the step's folder. */
  readResult<T>(step: Pick<StepPlan, "folder" | "work">, name: string, schema: z.ZodType<T>): Promise<T>;
  /** Makes the step's folder. @returns whether an earlier attempt was there */
  beginStep(folder: string): Promise<boolean>;
  /** Of the files that a step left. */
  fingerprints(folder: string): Promise<Fingerprint[]>;
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
    readStep: (folder) => readStepRecord(root, folder),
    readResult: ({ folder, work }, name, schema) =>
      readRecord(at(folder, name), schema, `put it back as it was, or ${doAgain(root, folder, work.kind, name)}`),
    async beginStep(folder) {
      const resumed = existsSync(at(folder, STARTED));
      if (!resumed) await writeFileAtomic(at(folder, STARTED), "");
      return resumed;
    },
    fingerprints: (folder) => fingerprintsOf(at(folder), (path) => path !== STARTED && path !== studyFiles.step),
    async writeStep(folder, record) {
      await rm(at(folder, STARTED), { force: true }); // first: the record is the last thing that a step writes
      await writeFileAtomic(at(folder, studyFiles.step), toText(stepRecordSchema.parse(record)));
    },
    readStudy: () => readRecordIfThere(at(studyFiles.study), studyRecordSchema, NOT_OURS),
    writeStudy: (record) => writeFileAtomic(at(studyFiles.study), toText(studyRecordSchema.parse(record))),
    writeResults: (results) => writeFileAtomic(at(studyFiles.results), toText(studyResultsSchema.parse(results))),
  };
}

const toText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const NOT_OURS = "another version may have written it: name another --out, or remove it to write it again";

/** The folder's name and the key both follow from the request: a record of which that is not so was changed. The first ones, without results, are not held to it. */
async function readStepRecord(root: string, folder: string): Promise<StepRecord | undefined> {
  const path = join(root, folder, studyFiles.step);
  const kind = stepKinds.find((one) => one === basename(folder).replace(/-[0-9a-f]+$/, "")) ?? "generate";
  const remedy = doAgain(root, folder, kind);
  const record = await readRecordIfThere(path, stepRecordSchema, remedy);
  if (record === undefined) return undefined;
  const { request, key, results } = record;
  const named = folderOf(record.kind, key) === folder;
  if (named && (results === undefined || keyOf(record.kind, request) === key)) return record;
  throw new UserError(`${path} has changed since its step ended: its key is not that of its request`, { remedy });
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
    if (others.length === 0 || (others.length === 1 && (await isNoStep(root)))) return;
    throw new UserError(`${root} already exists and holds no ${studyFiles.study}: it is no folder of a study`, {
      remedy: "name another --out",
    });
  }
  if (before.study.name === name) return;
  throw new UserError(`${root} holds the study ${excerpt(before.study.name)}, not ${name}`, {
    remedy: "name another --out",
  });
}

/** An empty folder of steps: of a study that was killed before it had begun. */
const isNoStep = async (root: string): Promise<boolean> =>
  existsSync(stepsOf(root)) && (await readdir(stepsOf(root))).length === 0;

export const lockPath = (root: string): string => join(root, ".lock");

/** The folder of the steps' folders. */
export const stepsOf = (root: string): string => join(root, studyFiles.steps);

/** Nothing but the folder: what is made in it before `study.json` says whose it is would look like somebody else's. */
export async function makeStudyFolder(root: string): Promise<void> {
  await makeDirectory(root);
}

/** A step's folder: what it is called says its kind. */
const STEP_FOLDER = /^([a-z]+)-[0-9a-f]{16}$/;

/** Files of a step's work, by its kind; `model/` is a run of tuning. */
const STEP_FILES: Readonly<Record<string, readonly string[]>> = {
  generate: Object.values(generatePaths(resultNames.outputs)),
  score: Object.values(scorePaths(resultNames.scores)),
  rank: Object.values(rankPaths(resultNames.rank)),
  judge: Object.values(judgePaths(resultNames.judge)),
  choose: [resultNames.choice],
  compare: [resultNames.comparison],
  similarity: Object.values(similarityPaths(resultNames.similarity)),
};

/** Whether a study writes a file of this path into the folder of a step called so. */
export function isStepFile(folder: string, path: string): boolean {
  const kind = STEP_FOLDER.exec(basename(folder))?.[1];
  if (kind === undefined) return false;
  if (path === "" || path === STARTED || path === studyFiles.step) return true;
  const model = `${resultNames.model}/`;
  if (kind === "tune") return path.startsWith(model) && (path === model || isRunFile(path.slice(model.length)));
  const files = STEP_FILES[kind] ?? [];
  return files.includes(path) || files.some((file) => dirname(file) !== "." && path === `${dirname(file)}/`);
}

/** Whether a study writes a file of this path into its own folder. */
export function isStudyFile(path: string): boolean {
  const [first = "", step, ...rest] = path.split("/");
  if (step === undefined) return first === studyFiles.study || first === studyFiles.results;
  return first === studyFiles.steps && (step === "" || isStepFile(step, rest.join("/")));
}

/** Folders of steps that are there, with `steps/` in front. */
export async function stepFolders(root: string): Promise<string[]> {
  const steps = stepsOf(root);
  if (!existsSync(steps)) return [];
  const names = (await readdir(steps)).filter((name) => STEP_FOLDER.test(name));
  return names.sort().map((name) => `${studyFiles.steps}/${name}`);
}
