/**
 * What commands that take data say about it: which names there are, and how many examples are taken. Read off the table of data sets.
 * May not know: how data is read.
 */
import { dataSets } from "../data/registry.js";
import { formatCount } from "../util/progress.js";

/** For the end of a help text. */
export const specHelp = `
SPEC is PATH for rows of your own ({id?, instruction, response} or {id?, messages}), or NAME:PATH for a data set of the
paper in its public format, as in lima:lima_data.jsonl. Names: ${dataSets.map(({ name }) => name).join(", ")}.`;

/** The limit as a loader takes it. */
export const limitOf = ({ limit }: { readonly limit?: number | "all" }): { readonly limit?: number | "all" } =>
  limit === undefined ? {} : { limit };

/** `1,000 of gsm8k, recipes and chess` */
export function defaultLimits(): string {
  const byLimit = new Map<number, string[]>();
  for (const { name, limit } of dataSets) {
    if (limit !== undefined) byLimit.set(limit, [...(byLimit.get(limit) ?? []), name]);
  }
  return [...byLimit].map(([limit, names]) => `${formatCount(limit)} of ${spoken(names)}`).join(", ");
}

const spoken = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
