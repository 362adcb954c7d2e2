/**
 * A report is passed on: folders of the machine that made it are nobody's business. What is left of an absolute path is its last part;
 * relative paths, and those of the study's own folder, stay.
 * May not know: sections.
 */
import { posix, resolve, sep, win32 } from "node:path";
import type { StudyRecord, StudyResults } from "../records/study.js";

/** A whole path, or `NAME:PATH`, or `NAME=PATH`. */
export function shownPath(path: string): string {
  const [, name = "", place = path] = /^([\w.-]{2,}[:=](?:[\w-]{2,}:)?)(?!\/\/)(.*)$/s.exec(path) ?? [];
  if (!posix.isAbsolute(place) && !win32.isAbsolute(place)) return path;
  return `${name}${win32.basename(place) || place}`; // takes both kinds of slash
}

/** Words on both sides of a path end it, and `:` before `//`, which is an address, does not begin one. */
const ABSOLUTE = /(^|[\s"'`(=:,;<>[])(?:\/|[A-Za-z]:[\\/])(?:[^\s"'`()/\\:;,<>]+[\\/])+([^\s"'`()/\\:;,<>]*)/g;

/** Paths within a sentence. */
export function withoutFolders(text: string, roots: readonly string[] = []): string {
  const known = roots.reduce((left, root) => left.replaceAll(`${root}${sep}`, ""), text);
  return known.replace(ABSOLUTE, (_, before: string, name: string) => `${before}${name}`);
}

/** The record as a reader elsewhere may see it. */
export function shownRecord(record: StudyRecord): StudyRecord {
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
    source: { ...source, path: shownPath(source.path) },
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

/** Keys without a value are not there. */
const without = <T extends object>(given: T): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;

/** Reasons and warnings are sentences of this program, with the paths that it met. */
export function shownResults(results: StudyResults, folder: string, { inputs }: StudyRecord): StudyResults {
  const roots = [
    resolve(folder),
    ...inputs.map(({ path }) => posix.dirname(path)).filter((path) => posix.isAbsolute(path)),
  ];
  const longestFirst = [...new Set(roots)].filter((root) => root !== "/").sort((a, b) => b.length - a.length);
  const shown = (text: string): string => withoutFolders(text, longestFirst);
  return {
    ...results,
    steps: results.steps.map(({ reason, remedy, ...step }) => ({
      ...step,
      reason: reason === null ? null : shown(reason),
      ...(remedy === undefined ? {} : { remedy: shown(remedy) }),
    })),
    left_out: results.left_out.map(({ what, reason }) => ({ what: shown(what), reason: shown(reason) })),
    comparisons: results.comparisons.map((one) => ({
      ...one,
      pairs: one.pairs.map((pair) => ({ ...pair, summary: shownSummary(pair.summary, shown) })),
    })),
  };
}

function shownSummary(
  summary: Readonly<Record<string, unknown>>,
  shown: (text: string) => string,
): Record<string, unknown> {
  const { warnings } = summary;
  return Array.isArray(warnings) ? { ...summary, warnings: warnings.map((one) => shown(String(one))) } : { ...summary };
}
