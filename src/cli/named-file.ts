/**
 * How files are named on the command line: `FILE`, or `NAME=FILE` for one that is to have a name.
 * May not know: what is in them.
 */
import { existsSync } from "node:fs";

export interface NamedFile {
  readonly name?: string;
  readonly file: string;
}

/** What exists as it stands is a file, whatever it is called. */
export function namedFile(text: string): NamedFile {
  const at = text.indexOf("=");
  return at < 1 || existsSync(text) ? { file: text } : { name: text.slice(0, at), file: text.slice(at + 1) };
}
