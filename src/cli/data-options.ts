/**
 * What commands that take data say about it: which names there are, and how many examples are taken. Read off the table of data sets.
 * May not know: how data is read.
 */
import { InvalidArgumentError, Option } from "commander";
import { dataSets } from "../data/registry.js";
import { formatCount } from "../util/progress.js";
import { integer } from "./options.js";

/** For the end of a help text. */
export const specHelp = `
SPEC is PATH for rows of your own ({id?, instruction, response} or {id?, messages}), or NAME:PATH for a data set of the
paper in its public format, as in lima:lima_data.jsonl. Names: ${dataSets.map(({ name }) => name).join(", ")}.`;

/** Absent: what the data set itself says. */
export interface DataLimit {
  readonly limit?: number | "all";
}

export const dataLimitOption = (): Option =>
  new Option(
    "--limit <n>",
    `at most n examples from the front, or all (default: the paper's: ${defaultLimits()}, else all)`,
  ).argParser((text) => {
    if (text === "all") return text;
    if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Give a whole number of 1 or more, or all.");
    return integer({ min: 1 })(text);
  });

/** The limit as a loader takes it. */
export const limitOf = ({ limit }: DataLimit): DataLimit => (limit === undefined ? {} : { limit });

/** `1,000 of gsm8k, recipes and chess` */
function defaultLimits(): string {
  const byLimit = new Map<number, string[]>();
  for (const { name, limit } of dataSets) {
    if (limit !== undefined) byLimit.set(limit, [...(byLimit.get(limit) ?? []), name]);
  }
  return [...byLimit].map(([limit, names]) => `${formatCount(limit)} of ${spoken(names)}`).join(", ");
}

const spoken = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
