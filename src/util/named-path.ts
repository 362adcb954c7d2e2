/**
 * How data is named: `NAME:PATH` for a named data set, as in `lima:lima_data.jsonl`, else `PATH`.
 * May not know: which names there are.
 */
export interface NamedPath {
  readonly name: string | undefined;
  readonly path: string;
}

const NAMED = /^([A-Za-z][A-Za-z0-9_-]+):(.*)$/s; // one letter alone is a Windows drive

/** The parts, known name or not; the path may be empty. */
export function splitNamedPath(text: string): NamedPath {
  const [, name, path = text] = NAMED.exec(text) ?? [];
  return { name, path };
}

/** The same with another path. */
export const withPathOf = (text: string, change: (path: string) => string): string => {
  const { name, path } = splitNamedPath(text);
  return name === undefined ? change(path) : `${name}:${change(path)}`;
};
