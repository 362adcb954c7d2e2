/**
 * What steps read from outside: the study's inputs with their hashes, and what of it identifies a result.
 * May not know: where they are looked for.
 */

import { studySettings } from "../../options/study-settings.js";
import type { StudyRecord } from "../../records/study.js";
import type { Study } from "../../records/study-file.js";
import { splitNamedPath } from "../../util/named-path.js";
import { optionsIn } from "../../util/options.js";
import type { Limit, Source } from "../step.js";

export type InputRole = StudyRecord["inputs"][number]["role"];

export interface Input {
  readonly role: InputRole;
  readonly name: string;
  /** Of the file or folder. */
  readonly path: string;
  /** As a step takes it: the path, or for data `NAME:PATH`. */
  readonly spec: string;
  readonly hash: string;
}

/** The inputs of a study, found by role and name. */
export interface Inputs {
  readonly all: readonly Input[];
  get(role: InputRole, name: string): Input;
}

/** One of the study's data, as far as a step reads it. */
export const dataSource = (inputs: Inputs, name: string, limit?: Limit): Source =>
  fileSource(inputs.get("data", name), limit);

export const fileSource = ({ hash, spec }: Input, limit?: Limit): Source => ({
  at: { outside: spec },
  is: { format: formatName(spec), sha256: hash, limit },
});
/** How data is read decides what it is: `lima:` and the ending, without the path. */
const formatName = (spec: string): string => `${splitNamedPath(spec).name ?? ""}:${/\.[^./]*$/.exec(spec)?.[0] ?? ""}`;

/** What is identified by its hash alone. */
export function hashedSource(inputs: Inputs, role: InputRole, name: string = role): Source {
  const { spec, hash } = inputs.get(role, name);
  return { at: { outside: spec }, is: hash };
}

/** Told how far large files are read: those of models take minutes. Bytes of what is being read. */
export type OnRead = (reading: { readonly what: string; readonly done: number; readonly total: number }) => void;

/** A file that a setting may name. */
export const namedSource = (inputs: Inputs, role: InputRole, name: string | undefined): Source | undefined =>
  name === undefined ? undefined : hashedSource(inputs, role);

/** How the study's judge is asked. */
export const judging = ({ judging: settings = {} }: Study, inputs: Inputs) => ({
  judge: hashedSource(inputs, "judge"),
  settings: optionsIn(studySettings.judge, settings),
  promptFile: namedSource(inputs, "prompt-file", settings.prompt_file),
  prices: namedSource(inputs, "prices", settings.prices),
});

export const isUrl = (text: string): boolean => /^https?:\/\//.test(text);
