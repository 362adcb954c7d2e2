/**
 * Reads a study file: YAML, a scale laid over it, schema and names checked. Every complaint names file, line and column.
 * May not know: models, data; whether the files that it names are there.
 */

import { basename, join } from "node:path";
import { z } from "zod";
import { type Study, type StudyInput, studyFileSchema, studySchema } from "../../records/study-file.js";
import { UserError } from "../../util/errors.js";
import { sha256 } from "../../util/files.js";
import { isObject } from "../../util/json.js";
import { describe, firstIssue, type ValuePath } from "../../util/schema.js";
import { packageRoot } from "../../util/system.js";
import { option, words } from "../../util/words.js";
import { openYaml, readSmallText, type YamlText } from "../../util/yaml.js";
import { checkNames } from "./names.js";

export interface LoadedStudy {
  readonly study: Study;
  readonly scale: string | undefined;
  /** Scales that the file has. */
  readonly scales: readonly string[];
  /** Undefined for a study that is no file. */
  readonly path: string | undefined;
  /** Of the file, or of the study as JSON. */
  readonly sha256: string;
  /** The study's name, where it came with the package. */
  readonly shipped: string | undefined;
}

/**
 * @param spec   the name of a shipped study (`response-tuning`), a path, or the study itself, whose paths begin at the working directory
 * @param scale  which of the file's scales; default: the one that it names itself, else none
 * @throws UserError  no such file, not YAML, or not a study: `path:line:column: what is wrong`
 */
export async function loadStudy(spec: string | StudyInput, scale?: string): Promise<LoadedStudy> {
  if (typeof spec !== "string") return givenStudy(spec, scale);
  const shipped = isPath(spec) ? undefined : spec;
  const path = shipped === undefined ? spec : join(packageRoot(), "studies", `${shipped}.yaml`);
  const text = await readSmallText(path, "the study", HOW_TO_NAME);
  return { ...parseStudy(text, path, scale), path, sha256: sha256(text), shipped };
}

/** Complaints name the key. */
function givenStudy(given: StudyInput, scale: string | undefined): LoadedStudy {
  const text: YamlText = {
    value: given,
    has: (at) =>
      at.reduce<unknown>((value, key) => (isObject(value) ? value[String(key)] : undefined), given) !== undefined,
    errorAt: (_at, message) => new UserError(`the study: ${message}`, { remedy: SEE_SCHEMA }), // which names the key
  };
  return { ...scaledStudy(text, scale), path: undefined, sha256: sha256(JSON.stringify(given)), shipped: undefined };
}

const HOW_TO_NAME = "give the path of a study file, or the name of a shipped one (`tacit study --help` lists them)";
const SEE_SCHEMA = "`tacit study schema` prints all keys with their meaning";

/** A name without a slash or an ending means a shipped study. */
const isPath = (spec: string): boolean => spec !== basename(spec) || /\.ya?ml$/.test(spec);

/** @param path  only for messages */
export function parseStudy(
  text: string,
  path: string,
  scale?: string,
): Pick<LoadedStudy, "study" | "scale" | "scales"> {
  return scaledStudy(openYaml(text, path, SEE_SCHEMA), scale);
}

function scaledStudy(yaml: YamlText, scale: string | undefined): Pick<LoadedStudy, "study" | "scale" | "scales"> {
  if (!isObject(yaml.value)) throw yaml.errorAt([], "a study is a map of keys to values");
  const { scale: own, scales = {}, ...base } = yaml.value;
  const file = studyFileSchema.pick({ scale: true, scales: true }).safeParse({ scale: own, scales });
  if (!file.success) throw complaint(yaml, file.error, (at) => at);
  const overlays = file.data.scales ?? {};
  const chosen = scale ?? file.data.scale;
  if (chosen !== undefined && !Object.hasOwn(overlays, chosen)) throw noSuchScale(yaml, chosen, Object.keys(overlays));
  const studies = new Map<string | undefined, Study>();
  const wanted = chosen === undefined ? [undefined] : [];
  for (const name of [...wanted, ...Object.keys(overlays)]) studies.set(name, wholeStudy(yaml, base, overlays, name));
  return { study: studies.get(chosen) as Study, scale: chosen, scales: Object.keys(overlays) };
}

function noSuchScale(yaml: YamlText, scale: string, known: readonly string[]): UserError {
  const { message } = yaml.errorAt(["scales"], `there is no scale "${scale}"`);
  const remedy =
    known.length === 0
      ? words`this study has none: leave ${option("scale")} out`
      : `this study has ${known.join(", ")}: name one of them`;
  return new UserError(message, { remedy });
}

/** The study at one scale. All scales are checked, whichever is asked for. */
function wholeStudy(
  yaml: YamlText,
  base: Readonly<Record<string, unknown>>,
  overlays: Readonly<Record<string, unknown>>,
  scale: string | undefined,
): Study {
  const merged = scale === undefined ? base : merge(base, overlays[scale]);
  /** What the scale says itself stands there, the rest in the study. */
  const place = (at: ValuePath): ValuePath => {
    const inScale = ["scales", scale ?? "", ...at];
    return scale !== undefined && yaml.has(inScale) ? inScale : at;
  };
  const parsed = studySchema.safeParse(merged);
  if (!parsed.success) throw complaint(yaml, parsed.error, place);
  const problem = checkNames(parsed.data);
  if (problem !== undefined) throw yaml.errorAt(place(problem.path), describe(problem.path, problem.message));
  return parsed.data;
}

/**
 * Maps are merged, everything else is replaced; null removes. A map that names another `kind` or `measure` is another thing and
 * replaces the whole.
 */
export function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const other = ["kind", "measure"].some((key) => over[key] !== undefined && over[key] !== base[key]);
  if (other) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete result[key];
    else result[key] = Object.hasOwn(result, key) ? merge(result[key], value) : value;
  }
  return result;
}

type Place = (at: ValuePath) => ValuePath;

function complaint(yaml: YamlText, error: z.ZodError, place: Place): UserError {
  const { at, message } = firstIssue(error);
  return yaml.errorAt(place(at), message);
}

/** The JSON Schema of a study file, for editors: `# yaml-language-server: $schema=…`. */
export function studyJsonSchema(): object {
  return { title: "Tacit study", ...z.toJSONSchema(studyFileSchema, { io: "input" }) };
}
