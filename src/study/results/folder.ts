/**
 * The folder of a study: whose it is, what its steps' folders say, and which of them nothing refers to any more.
 * May not know: how a step is carried out.
 */

import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { EVENTS_FILE } from "../../records/events.js";
import {
  type StepRecord,
  type StudyRecord,
  type StudyResults,
  stepRecordSchema,
  studyFiles,
  studyRecordSchema,
  studyResultsSchema,
} from "../../records/study.js";
import { doAgain } from "../../records/study-results.js";
import { present, UserError } from "../../util/errors.js";
import { isTrace, makeDirectory, writeFileAtomic } from "../../util/files.js";
import { type Fingerprint, fingerprintsOf } from "../../util/fingerprint.js";
import { readRecord, readRecordIfThere } from "../../util/record-file.js";
import { excerpt } from "../../util/terminal.js";
import { option, words } from "../../util/words.js";
import type { Place, StepResult } from "../step.js";
import { definitionOf, folderOf, keyOf, kindOfFolder, type StepPlan } from "../steps.js";

/** Whatever a step says of itself when it begins, so that the next attempt knows that there was one. */
const STARTED = "started";

export interface StudyFolder {
  readonly root: string;
  path(place: Place): string;
  /** The step's record where it has one: done or failed. */
  readStep(folder: string): Promise<StepRecord | undefined>;
  resultOf(step: Pick<StepPlan, "folder" | "work">): StepResult;
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
    resultOf: ({ folder, work: { kind } }) => ({
      path: (name) => [folder, ...name.split(sep)].join("/"),
      read: (name, schema) =>
        readRecord(at(folder, name), schema, `put it back as it was, or ${doAgain(root, folder, kind, name)}`),
    }),
    async beginStep(folder) {
      const resumed = existsSync(at(folder, STARTED));
      if (!resumed) await writeFileAtomic(at(folder, STARTED), "");
      return resumed;
    },
    fingerprints: (folder) => fingerprintsOf(at(folder), isResult),
    async writeStep(folder, record) {
      await rm(at(folder, STARTED), { force: true }); // first: the record is the last thing that a step writes
      await writeFileAtomic(at(folder, studyFiles.step), toText(stepRecordSchema.parse(record)));
    },
    readStudy: () => readRecordIfThere(at(studyFiles.study), studyRecordSchema, NOT_OURS),
    writeStudy: (record) => writeFileAtomic(at(studyFiles.study), toText(studyRecordSchema.parse(record))),
    writeResults: (results) => writeFileAtomic(at(studyFiles.results), toText(studyResultsSchema.parse(results))),
  };
}

/** The marks of a step's beginning and end are none; what it said while it was at work tells times. */
const isResult = (path: string): boolean =>
  path !== STARTED && path !== studyFiles.step && basename(path) !== EVENTS_FILE;

const toText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const NOT_OURS = words`another version may have written it: name another ${option("out")}, or remove it to write it again`;

/** The folder's name and the key both follow from the request: a record of which that is not so was changed. The first ones, without results, are not held to it. */
async function readStepRecord(root: string, folder: string): Promise<StepRecord | undefined> {
  const path = join(root, folder, studyFiles.step);
  const remedy = doAgain(root, folder, present(kindOfFolder(folder), folder));
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
  if (!(await stat(root)).isDirectory())
    throw new UserError(`${root} is a file`, { remedy: words`name another ${option("out")}` });
  const before = await studyFolder(root).readStudy();
  if (before === undefined) {
    const others = (await readdir(root)).filter((entry) => !isTrace(entry));
    if (others.length === 0 || (others.length === 1 && (await isNoStep(root)))) return;
    throw new UserError(`${root} already exists and holds no ${studyFiles.study}: it is no folder of a study`, {
      remedy: words`name another ${option("out")}`,
    });
  }
  if (before.study.name === name) return;
  throw new UserError(`${root} holds the study ${excerpt(before.study.name)}, not ${name}`, {
    remedy: words`name another ${option("out")}`,
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

/** Whether a study writes a file of this path into the folder of a step called so. */
export function isStepFile(folder: string, path: string): boolean {
  const kind = kindOfFolder(folder);
  if (kind === undefined) return false;
  return (
    path === "" ||
    path === STARTED ||
    path === studyFiles.step ||
    basename(path) === EVENTS_FILE ||
    definitionOf(kind).leaves(path)
  );
}

/** Whether a study writes a file of this path into its own folder. */
export function isStudyFile(path: string): boolean {
  const [first = "", step, ...rest] = path.split("/");
  if (step === undefined) return [studyFiles.study, studyFiles.results, EVENTS_FILE].includes(first);
  return first === studyFiles.steps && (step === "" || isStepFile(step, rest.join("/")));
}

/** Folders of steps that are there, with `steps/` in front. */
export async function stepFolders(root: string): Promise<string[]> {
  const steps = stepsOf(root);
  if (!existsSync(steps)) return [];
  const names = (await readdir(steps)).filter((name) => kindOfFolder(name) !== undefined);
  return names.sort().map((name) => `${studyFiles.steps}/${name}`);
}
