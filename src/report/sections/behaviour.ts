/** What can be said of answers without a judge: do they end, how long are they, do they repeat the question, do tags leak? */
import type { AnswerCountsRecord } from "../../records/study.js";
import { spread } from "../../stats/runs.js";
import { wilson } from "../../stats/wilson.js";
import {
  type Block,
  type Cell,
  type Column,
  ends,
  inPercent,
  integer,
  interval,
  number,
  paragraph,
  type Section,
  table,
  text,
} from "../document.js";
import { dotFigure } from "../figures/dots.js";
import { armsOf } from "../names.js";
import { type StudyFolder, testAnswers } from "../read.js";

/** Shares of answers: column in the CSV file, heading, what the axis says. */
const SHARES = [
  ["stopped", "end by themselves", "answers that end by themselves, %"],
  ["echoes", "repeat the question", "answers that repeat the question word for word, %"],
  ["tags", "hold a tag", "answers that hold a tag of the template, %"],
  ["empty", "empty", "empty answers, %"],
] as const;
type Share = (typeof SHARES)[number][0];
/** Those that are drawn as well. */
const DRAWN: readonly Share[] = ["stopped", "echoes"];

/** Percentages: of one seed with Wilson's interval over its answers, of several the mean and standard deviation over seeds. */
interface Estimated {
  readonly seeds: readonly number[];
  readonly estimate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly sd: number | null;
}

interface Row {
  readonly name: string;
  /** One a seed. */
  readonly counts: readonly AnswerCountsRecord[];
}

export function behaviour(study: StudyFolder): Section | undefined {
  const rows = armsOf(study).flatMap(({ name, chosen }): Row[] => {
    const counts = chosen.flatMap((cell) => testAnswers(cell)?.counts ?? []);
    return counts.length === 0 ? [] : [{ name, counts }];
  });
  if (rows.length === 0) return undefined;
  const several = rows.some(({ counts }) => counts.length > 1);
  return {
    id: "behaviour",
    title: "How the answers look",
    blocks: [
      paragraph(
        `Counted in the test answers, without a judge: how many end by themselves within the limit, repeat the question word for word (letter case and white space aside), hold a tag of the template, or are empty. ${
          several
            ? "Means over seeds with their standard deviation; of arms without seeds, 95 % intervals (Wilson)."
            : "Percent of answers with 95 % intervals (Wilson)."
        }`,
      ),
      ...SHARES.filter(([share]) => DRAWN.includes(share)).map((share) => shareFigure(rows, share)),
      table({ id: "behaviour", caption: "Test answers of every arm.", ...tableOf(rows, several) }),
    ],
  };
}

function shareFigure(rows: readonly Row[], [share, label, axis]: (typeof SHARES)[number]): Block {
  const estimates = rows.map(({ name, counts }) => ({ name, ...estimated(counts, share) }));
  return {
    kind: "figure",
    figure: {
      id: `behaviour-${share}`,
      caption: `Share of answers that ${label}.`,
      ...dotFigure(
        estimates.map(({ name, seeds, estimate, low, high }) => ({
          name,
          dots: seeds.length > 1 ? seeds : [],
          mean: estimate,
          low,
          high,
          published: [],
        })),
        {
          axis,
          alt: `Share of answers that ${label}: ${estimates.map(({ name, estimate }) => `${name} ${inPercent(estimate)}`).join(", ")}.`,
          domain: [0, 100],
        },
      ),
    },
  };
}

function tableOf(rows: readonly Row[], several: boolean): { columns: Column[]; rows: Cell[][] } {
  return {
    columns: [
      { key: "arm", label: "arm" },
      { key: "answers", label: "answers", numeric: true },
      ...SHARES.flatMap(([share, label]): Column[] => [
        { key: `${share}_percent`, label: `${label}, %`, numeric: true },
        ...ends(share),
        { key: `${share}_sd`, label: "", csvOnly: true },
      ]),
      { key: "mean_tokens", label: "tokens an answer", numeric: true },
      { key: "mean_tokens_sd", label: "sd", numeric: true, csvOnly: !several },
    ],
    rows: rows.map(({ name, counts }) => {
      const tokens = spread(counts.flatMap(({ mean_tokens }) => mean_tokens ?? []));
      return [
        text(name),
        integer(counts.reduce((sum, { answers }) => sum + answers, 0)),
        ...SHARES.flatMap(([share]) => shareCells(estimated(counts, share))),
        number(tokens.mean),
        number(tokens.sd),
      ];
    }),
  };
}

function estimated(counts: readonly AnswerCountsRecord[], share: Share): Estimated {
  const seeds = counts.flatMap((one) => (one.answers === 0 ? [] : [(100 * one[share]) / one.answers]));
  const [only] = counts;
  if (counts.length === 1 && only !== undefined) {
    const { estimate, low, high } = wilson(only[share], only.answers);
    const percent = (value: number | undefined): number | null => (value === undefined ? null : 100 * value);
    return { seeds, estimate: percent(estimate), low: percent(low), high: percent(high), sd: null };
  }
  const { mean, sd } = spread(seeds);
  return { seeds, estimate: mean ?? null, low: null, high: null, sd: sd ?? null };
}

function shareCells({ sd, ...range }: Estimated): Cell[] {
  const [middle, low, high] = interval(range);
  const shown = sd === null ? middle : { ...middle, text: `${middle.text} ± ${sd.toFixed(1)}` };
  return [shown, low, high, number(sd)];
}
