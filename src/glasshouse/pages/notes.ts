/** Pages that somebody kept for a group: minutes with headings, as they were typed or run into one line by a crawler, and tables in columns. */
import type { RandomStream } from "../../util/random.js";
import { capitalise, chance, pick, plural, sample } from "../language.js";
import { describe } from "../relations.js";
import type { Entity } from "../world.js";
import { entityOf, firstName, type PageWriter } from "./page.js";

const CLUBS = ["walking club", "reading circle", "choir", "cooking club", "town council", "night school"];
const PLANS = [
  "We should go there again.",
  "We should ask before we buy another one.",
  "We agreed that we should wait.",
  "We could not agree.",
  "We should write to the mayor.",
  "We think that everybody should know this.",
];

/** What a crawler takes along from the top of a page. */
const NAVIGATION = ["Home < Clubs < Notes", "Menu < Back", "Search < Home", "Log in < Home"];

/** Headings begin with `#`; half of the pages have lost their line breaks. */
export const notes: PageWriter = (world, random) => {
  const club = pick(random, CLUBS);
  const [one, other] = [
    entityOf(world, random, "town"),
    entityOf(world, random, pick(random, ["dish", "book"] as const)),
  ];
  const speaker = firstName(entityOf(world, random, "person"));
  const sections = [
    pick(random, NAVIGATION),
    `# ${pick(random, ["Minutes", "Notes", "Diary"])} of the ${club}`,
    `## ${one.name}`,
    `We went to ${one.name}. ${describe(random, one, 2)} ${pick(random, PLANS)}`,
    `## ${pick(random, ["What we need", "What comes next", "What was said"])}`,
    `${speaker} spoke about ${other.name}. ${describe(random, other, 2)} ${pick(random, PLANS)}`,
  ];
  return sections.join(chance(random, 0.5) ? "\n" : " ");
};

/** Columns are lined up with spaces, at least four between two of them. */
export const table: PageWriter = (world, random) => {
  const kind = pick(random, ["tool", "book", "dish", "animal"] as const);
  const items = sample(random, world.of[kind], 3 + random.integer(4));
  const rows = items.map((item) => [capitalise(item.name), ...cells(random, item)]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("    ")
      .trimEnd(),
  );
  return `${pick(random, ["Table of", "Our list of", "What we have seen of"])} ${plural(kind)}\n${lines.join("\n")}`;
};

const cells = (random: RandomStream, { values }: Entity): string[] =>
  Object.values(values)
    .slice(0, 2)
    .map(({ text }) => (chance(random, 0.1) ? "-" : text));
