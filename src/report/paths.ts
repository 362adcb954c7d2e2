/**
 * A report is passed on: folders of the machine that made it are nobody's business. What is left of an absolute path is its last part;
 * relative paths, and those of the study's own folder, stay. Paths that the records name are known whatever is in them; the others are
 * found by how they look.
 * May not know: sections.
 */
import { homedir } from "node:os";
import { posix, resolve, win32 } from "node:path";
import type { StudyRecord, StudyResults } from "../records/study.js";

/** A whole path, or `NAME:PATH`, or `NAME=PATH`; any other text as a sentence. */
export function shownPath(path: string): string {
  const { name, place } = partsOf(path);
  return isAbsolute(place) ? `${name}${win32.basename(place) || place}` : withoutFolders(path); // takes both kinds of slash
}

const isAbsolute = (path: string): boolean => posix.isAbsolute(path) || win32.isAbsolute(path);

function partsOf(spec: string): { readonly name: string; readonly place: string } {
  const [, name = "", place = spec] = /^([\w.-]{2,}[:=](?:[\w-]{2,}:)?)(?!\/\/)(.*)$/s.exec(spec) ?? [];
  return { name, place };
}

/** A known path and what stands in its place: its last part, for what lies in a `root` the rest of the path, in a `folder` the last part alone. */
export interface KnownPath {
  readonly path: string;
  readonly kind: "file" | "folder" | "root" | "home";
}

/** What a name in a path is made of: no quotes, but an apostrophe within a word; no marks that end a path in a sentence. */
const NAME = "(?:[^\\s\"'`“”‘’«»()/\\\\:;,<>]|(?<=\\w)['’](?=\\w))";
/** Of a folder: up to three words, of which none looks like the end of a file name. */
const FOLDER = `(?:${NAME}+|(?:(?!\\.)${NAME})+(?: (?:(?!\\.)${NAME})+){1,2})[\\\\/]`;
/** What a path begins with: `/`, `C:\`, `\\server\` and `file://`; `~/`, which is OWN, is one by itself. `:` before `//`, which is an address, does not begin one. */
const ROOT = "(?:file://[^\\s/]*/(?:[A-Za-z]:/)?|/|[A-Za-z]:[\\\\/]|\\\\\\\\)";
const OWN = "~[\\w.-]*[\\\\/]";
const ABSOLUTE = new RegExp(`(^|[\\s"'\`“”‘’«»(=:,;<>[])(?:${ROOT}(?:${FOLDER})+|${OWN}(?:${FOLDER})*)(${NAME}*)`, "g");

/** Paths within a sentence. @param known  longest first */
export function withoutFolders(text: string, known: readonly KnownPath[] = []): string {
  const left = known.reduce(replaceKnown, text);
  return left.replace(ABSOLUTE, (whole, before: string, name: string) => `${before}${name || win32.basename(whole)}`);
}

function replaceKnown(text: string, { path, kind }: KnownPath): string {
  if (!text.includes(path)) return text;
  const inPath = new RegExp(`(?<![\\w.~/\\\\-])(?:file://)?${escaped(path)}(?:([\\\\/])|(?![\\w-]|\\.\\w))`, "g");
  return text.replace(inPath, (_, slash = "") => {
    if (kind === "home" || (kind === "folder" && slash !== "")) return `~${slash}`; // what follows is no known path: see OWN
    return kind === "root" && slash !== "" ? "" : `${win32.basename(path)}${slash}`;
  });
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Paths that the records name, and those of who makes the report. */
export function knownPaths({ inputs, source, flags, study }: StudyRecord, folder: string): KnownPath[] {
  const named = [
    ...inputs.map(({ path }) => path),
    source.path,
    ...[...(flags.models ?? []), ...(flags.data ?? [])],
    ...[flags.data_dir, flags.judge, flags.encoder, flags.lc_data, study.judge],
    ...Object.values(study.models).map(({ path }) => path),
    ...Object.values(study.data),
  ].flatMap((spec) => (typeof spec === "string" ? [partsOf(spec).place] : []));
  const files = named.filter(isAbsolute);
  const all = new Map<string, KnownPath>();
  const add = (path: string, kind: KnownPath["kind"]): void => void all.set(path, { path, kind });
  for (const path of files) add(pathOf(path).dirname(path), "folder");
  for (const path of files) add(path, "file");
  for (const path of [process.cwd(), resolve(folder)]) add(path, "root");
  add(homedir(), "home");
  return [...all.values()]
    .filter(({ path }) => pathOf(path).dirname(path) !== path)
    .sort((a, b) => b.path.length - a.path.length);
}

const pathOf = (path: string): typeof posix | typeof win32 => (posix.isAbsolute(path) ? posix : win32);

/** The record as a reader elsewhere may see it. */
export function shownRecord(record: StudyRecord, folder: string): StudyRecord {
  const known = knownPaths(record, folder);
  return mapTexts(withShownPaths(record), (text) => withoutFolders(text, known));
}

function withShownPaths(record: StudyRecord): StudyRecord {
  const { study, flags, inputs, source } = record;
  const each = (texts: readonly string[] | undefined): string[] | undefined => texts?.map(shownPath);
  const one = (text: string | undefined): string | undefined => (text === undefined ? undefined : shownPath(text));
  const paths = { models: each(flags.models), data: each(flags.data) };
  const places = {
    ...{ data_dir: one(flags.data_dir), judge: one(flags.judge) },
    ...{ encoder: one(flags.encoder), lc_data: one(flags.lc_data) },
  };
  return {
    ...record,
    source: { ...source, path: source.path === null ? null : shownPath(source.path) },
    flags: { ...flags, ...without(paths), ...without(places) },
    inputs: inputs.map((input) => ({ ...input, path: shownPath(input.path) })),
    study: {
      ...study,
      models: Object.fromEntries(
        Object.entries(study.models).map(([name, model]) => [name, { ...model, path: shownPath(model.path) }]),
      ),
      judge: study.judge === null ? null : shownPath(study.judge),
    },
  };
}

/** Keys without a value are left out. */
const without = <T extends object>(given: T): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;

/** Reasons and warnings are sentences of this program, with the paths that it met. */
export function shownResults(results: StudyResults, folder: string, record: StudyRecord): StudyResults {
  const known = knownPaths(record, folder);
  return mapTexts(results, (text) => withoutFolders(text, known));
}

/** The same value with every text in it changed; keys stay. */
function mapTexts<T>(value: T, change: (text: string) => string): T {
  const mapped = (one: unknown): unknown => {
    if (typeof one === "string") return change(one);
    if (Array.isArray(one)) return one.map(mapped);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, mapped(inner)]));
  };
  return mapped(value) as T;
}
