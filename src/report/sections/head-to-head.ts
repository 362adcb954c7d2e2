/**
 * Arm against arm: win rates with seeds, spread, interval, n and ledger, beside what the paper published.
 */
import type { ComparisonResult, Spread } from "../../records/study.js";
import type { WinrateEntry } from "../../records/winrate.js";
import {
  type Block,
  type Cell,
  ends,
  figure,
  inPercent,
  integer,
  interval,
  number,
  paragraph,
  type Section,
  type Table,
  table,
  text,
  warning,
} from "../document.js";
import { type DotRow, dotFigure } from "../figures/dots.js";
import { armName } from "../names.js";
import { capital, controlledOf, lengthControl, publishedOf, type Rates, rates } from "../rates.js";
import type { StudyFolder } from "../read.js";

export function headToHead(study: StudyFolder): Section | undefined {
  const { comparisons } = study.results;
  if (comparisons.length === 0) return undefined;
  const blocks: Block[] = [];
  for (const against of new Set(comparisons.map((one) => `${one.model}\n${one.against}`))) {
    const these = comparisons.filter((one) => `${one.model}\n${one.against}` === against);
    blocks.push(...against1(study, these));
  }
  return { id: "head-to-head", title: "Head to head", blocks };
}

/** All comparisons with one baseline. */
function against1(study: StudyFolder, comparisons: readonly ComparisonResult[]): Block[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  const baseline = armName(study, { model: first.model, arm: first.against });
  const suffix = `${first.model}-${first.against}`;
  const shown = rates(comparisons);
  const rows = comparisons.map((one): DotRow => {
    const { seeds, mean, interval: range } = shown.of(one);
    const dots = seeds.flatMap(({ value }) => value ?? []);
    return {
      name: armName(study, one),
      ...{ dots, mean, low: range.low, high: range.high, published: publishedOf(one) },
    };
  });
  const caption = `${capital(shown.noun)} against ${baseline}.`;
  return [
    paragraph(reading(study, baseline, comparisons, shown)),
    figure({
      id: `head-to-head-${suffix}`,
      caption: `${caption} Lines: ${methods(comparisons.map((one) => shown.of(one)))}.`,
      ...dotFigure(rows, {
        axis: `${shown.noun} against ${baseline}, %`,
        alt: `${caption} ${rows.map(({ name, mean }) => `${name} ${inPercent(mean)}`).join(", ")}.`,
        domain: [0, 100],
        reference: 50,
      }),
    }),
    table(winRates(study, comparisons, suffix, baseline)),
    ...warnings(study, comparisons),
  ];
}

const PUBLISHED = "length-controlled win rates judged by GPT-4, of the paper's own models, which are not these";

/** How to read the figure and what it shows. */
function reading(
  study: StudyFolder,
  baseline: string,
  comparisons: readonly ComparisonResult[],
  { controlled, noun }: Rates,
): string {
  const without = comparisons.filter((one) => controlledOf(one) === null).map((one) => armName(study, one));
  const control = lengthControl(comparisons);
  return [
    `How often a judge prefers an arm's answer to that of “${baseline}” of the same seed, in percent: the ${noun}. 50 is equal quality.`,
    `Every light mark is a seed, the bar their mean, the line the interval over ${over(comparisons, controlled)}${
      comparisons.some((one) => publishedOf(one).length > 0) ? `; open marks are the paper's: ${PUBLISHED}` : ""
    }.`,
    ...(control === undefined ? [] : [control]),
    ...(control === undefined || controlled
      ? []
      : [`It is undefined for ${without.join(", ")} (the reasons are below): the figure is of the raw one, for all.`]),
  ].join(" ");
}

/** What the intervals take into account: with one seed other prompts alone; a fit over several seeds has no value by prompt. */
function over(comparisons: readonly ComparisonResult[], controlled: boolean): string {
  if (comparisons.every(({ pairs }) => pairs.length <= 1))
    return "prompts (one seed: how much another one would change is not known)";
  return controlled ? "seeds alone" : "prompts and seeds";
}

/** How the intervals that are drawn were made; how many clusters each rests on is in its record. */
function methods(spreads: readonly Spread[]): string {
  const made = spreads.flatMap(({ interval: { low, method } }) => (low === null ? [] : [method.replace(CLUSTERS, "")]));
  return [...new Set(made)].join("; ") || "none, there is too little for an interval";
}
const CLUSTERS = / \(\d+ clusters\)$/;

function winRates(
  study: StudyFolder,
  comparisons: readonly ComparisonResult[],
  suffix: string,
  baseline: string,
): Table {
  const several = comparisons.some(({ pairs }) => pairs.length > 1);
  const controlled = comparisons.some((one) => controlledOf(one) !== null);
  const sources = [...new Set(comparisons.flatMap(({ published }) => Object.keys(published ?? {})))];
  const judged = comparisons.map((one) => ({ one, ledger: ledgerOf(one) }));
  const missing = judged.some(({ ledger }) => ledger.missing > 0);
  return {
    id: `head-to-head-${suffix}`,
    caption: `Win rate against ${baseline}, percent: ${
      several
        ? `mean over seeds, 95 % interval over prompts and seeds${controlled ? " (length-controlled: over seeds alone)" : ""}, standard deviation over seeds`
        : "with its 95 % interval over prompts"
    }${sources.length > 0 ? `; beside it the paper's: ${PUBLISHED}` : ""}. Judged, won, ties, lost${missing ? " and no verdict" : ""} count pairs of answers over all seeds${missing ? "" : "; every pair has a verdict"}.`,
    columns: [
      { key: "arm", label: "arm" },
      ...spreadColumns("win_rate", "win rate", { several }),
      ...spreadColumns("length_controlled_winrate", "length-controlled", { several, hidden: !controlled }),
      ...sources.flatMap((name) => [
        { key: `published_${name}`, label: `paper: ${name}`, numeric: true },
        { key: `published_${name}_sd`, label: "", numeric: true, csvOnly: true },
      ]),
      { key: "seeds", label: "seeds", numeric: true },
      { key: "n", label: "judged", numeric: true },
      { key: "won", label: "won", numeric: true },
      { key: "ties", label: "ties", numeric: true },
      { key: "lost", label: "lost", numeric: true },
      { key: "without_verdict", label: "no verdict", csvOnly: !missing },
      { key: "low_bound", label: "low bound", numeric: true, csvOnly: true },
      { key: "high_bound", label: "high bound", numeric: true, csvOnly: true },
    ],
    rows: judged.map(({ one, ledger }) => [
      text(armName(study, one)),
      ...spreadCells(one.win_rate),
      ...spreadCells(controlledOf(one)),
      ...sources.flatMap((name) => publishedCells(one.published?.[name])),
      integer(one.pairs.length),
      integer(ledger.judged),
      integer(ledger.won),
      integer(ledger.ties),
      integer(ledger.lost),
      { text: ledger.why || "0", value: ledger.missing },
      number(ledger.low, 2),
      number(ledger.high, 2),
    ]),
  };
}

/** An arm that was not published has no figure, which is not an undefined one. */
function publishedCells(figure: { readonly mean: number; readonly sd?: number | undefined } | undefined): Cell[] {
  if (figure === undefined) return [NONE, NONE];
  const { mean, sd } = figure;
  return [
    { text: `${mean}${sd === undefined ? "" : ` ± ${sd}`}`, value: mean },
    sd === undefined ? NONE : number(sd, 2),
  ];
}
const NONE: Cell = { text: "", value: null };

const spreadColumns = (
  key: string,
  label: string,
  { several, hidden = false }: { readonly several: boolean; readonly hidden?: boolean },
): Table["columns"] => [
  { key, label, numeric: true, csvOnly: hidden },
  ...ends(key),
  { key: `${key}_sd`, label: "sd", numeric: true, csvOnly: hidden || !several },
];

function spreadCells(spread: Spread | null): Cell[] {
  if (spread === null) return [number(null), number(null), number(null), number(null)];
  const [middle, low, high] = interval({ estimate: spread.mean, low: spread.interval.low, high: spread.interval.high });
  return [middle, low, high, number(spread.sd, 2)];
}

/** Outcomes of rows without a verdict, in the order in which they are told. */
const MISSING = ["unparsed", "refused", "truncated", "failed", "empty", "unexplained", "out_of_range"] as const;

/** Rows over all seeds. */
function ledgerOf({ pairs }: ComparisonResult) {
  const summaries = pairs.map(({ summary }) => summary);
  const total = (count: (entry: WinrateEntry) => number): number =>
    summaries.reduce((sum, entry) => sum + count(entry), 0);
  const bounds = summaries.flatMap((entry) => entry.bounds ?? []);
  const mean = (key: "low" | "high"): number | null =>
    bounds.length === 0 ? null : bounds.reduce((sum, bound) => sum + bound[key], 0) / bounds.length;
  const why = MISSING.map((outcome) => ({ outcome, count: total(({ ledger }) => ledger[outcome]) }));
  return {
    judged: total(({ n_total }) => n_total),
    won: total(({ n_wins }) => n_wins),
    ties: total(({ ledger }) => ledger.ties),
    lost: total(({ n_wins_base }) => n_wins_base),
    missing: why.reduce((sum, { count }) => sum + count, 0),
    why: why.flatMap(({ outcome, count }) => (count > 0 ? `${count} ${outcome}` : [])).join(", "),
    low: mean("low"),
    high: mean("high"),
  };
}

/** What `tacit winrate` warned of, once, with the arms that it concerns. */
function warnings(study: StudyFolder, comparisons: readonly ComparisonResult[]): Block[] {
  const said = new Map<string, Set<string>>();
  for (const one of comparisons) {
    if (one.length_controlled !== null && controlledOf(one) === null)
      said.set(COLLAPSED, new Set([...(said.get(COLLAPSED) ?? []), armName(study, one)]));
    for (const { summary } of one.pairs) {
      for (const warning of summary.warnings)
        said.set(warning, (said.get(warning) ?? new Set()).add(armName(study, one)));
    }
  }
  return [...said].map(([words, arms]) => warning(`${[...arms].join(", ")}: ${words}`));
}

const COLLAPSED =
  "the penalty of the length-controlled fit set the arm's own term to 0, so that it says a draw whatever the verdicts are: it is not shown";
