/**
 * What a person writes after `--data`: `lima:PATH` for a named data set, `PATH` for rows of one's own.
 * May not know: how files are read.
 */
import { UserError } from "../util/errors.js";
import { splitNamedPath } from "../util/named-path.js";
import { excerpt } from "../util/terminal.js";
import { type Format, formatOfPath, formats } from "./formats/formats.js";
import { dataSetNamed, dataSets, plainDataSet } from "./registry.js";
import type { DataSet } from "./sets/data-set.js";

export interface DataSpec {
  /** As written. */
  readonly text: string;
  readonly dataSet: DataSet;
  readonly path: string;
  readonly format: Format;
}

/** Whether it is `NAME:PATH`, known name or not. */
export const isNamed = (text: string): boolean => splitNamedPath(text).name !== undefined;

/** The path of `NAME:PATH` or `PATH`, whether or not it can be read. */
export const pathIn = (text: string): string => splitNamedPath(text).path;

/**
 * @param unnamed  what the rows of a path without a name are
 * @throws UserError  an unknown name, no path, or an ending that the data set is not published in
 */
export function parseDataSpec(text: string, unnamed: DataSet = plainDataSet): DataSpec {
  const { dataSet, path } = splitSpec(text, unnamed);
  const format = formatOfPath(path, dataSet.formats);
  if (format === undefined) {
    const endings = [...new Set(dataSet.formats.flatMap((name) => formats[name].endings))];
    const what = dataSet === unnamed ? "rows" : `${dataSet.name} data`;
    throw new UserError(`"${path}" has no file ending that says how to read ${what}`, {
      remedy: `rename it to end in one of ${endings.join(", ")}`,
    });
  }
  return { text, dataSet, path, format };
}

function splitSpec(text: string, unnamed: DataSet): { dataSet: DataSet; path: string } {
  const { name, path } = splitNamedPath(text);
  if (name === undefined) {
    if (text.trim() === "")
      throw new UserError("no data was named", { remedy: "write PATH, or NAME:PATH as in lima:PATH" });
    return { dataSet: unnamed, path: text };
  }
  const dataSet = dataSetNamed(name.toLowerCase());
  if (dataSet === undefined) {
    throw new UserError(`unknown data set "${excerpt(name)}"`, {
      remedy: `known: ${dataSets.map((set) => set.name).join(", ")}; for a file of your own write ./${text}`,
    });
  }
  if (path === "") throw new UserError(`${name}: names no file`, { remedy: `write ${name}:PATH` });
  return { dataSet, path };
}
