/**
 * What did tuning, or the rules, change? Both an arm and the untuned model are compared with the same baseline, on the same prompts: the
 * difference of their win rates, prompt by prompt, is what the arm adds to the model as it was.
 */
import type { ComparisonResult } from "../../records/study.js";
import { ofPairs } from "../../stats/bounded.js";
import { toEstimateRecord } from "../../stats/estimate.js";
import { crossedMean, type Run } from "../../stats/runs.js";
import { type Block, ends, figure, number, pairedInterval, paragraph, type Section, table, text } from "../document.js";
import { dotFigure } from "../figures/dots.js";
import { armName } from "../names.js";
import { preferences } from "../preferences.js";
import type { StudyFolder } from "../read.js";

/** A difference of two win rates. */
const POINTS = [-100, 100] as const;

export async function gain(study: StudyFolder): Promise<Section | undefined> {
  const { arms } = study.record.study;
  const { comparisons } = study.results;
  const blocks: Block[] = [];
  for (const untuned of comparisons.filter(({ arm }) => arms[arm]?.kind === "untuned")) {
    const others = comparisons.filter(
      ({ model, arm, against }) =>
        model === untuned.model && against === untuned.against && arms[arm]?.kind !== "untuned",
    );
    if (others.length > 0) blocks.push(...(await above(study, untuned, others)));
  }
  return blocks.length === 0 ? undefined : { id: "gain", title: "What tuning changed", blocks };
}

async function above(
  study: StudyFolder,
  untuned: ComparisonResult,
  others: readonly ComparisonResult[],
): Promise<Block[]> {
  const before = new Map<number | null, ReadonlyMap<string, number>>();
  for (const { against_seed: seed, annotations } of untuned.pairs)
    before.set(seed, await preferences(study, annotations));
  const rows = [];
  for (const one of others) {
    const runs = await differences(study, one, before);
    const means = runs.flatMap((run) => crossedMean([run]).estimate ?? []);
    rows.push({ name: armName(study, one), means, ...ofPairs(toEstimateRecord(crossedMean(runs)), POINTS) });
  }
  const baseline = armName(study, { model: untuned.model, arm: untuned.against });
  const name = armName(study, untuned);
  const id = `gain-${untuned.model}-${untuned.against}`;
  const several = untuned.pairs.length > 1;
  const caption = `Raw win rate against ${baseline} above that of ${name}, in points.`;
  const most = Math.max(10, ...rows.flatMap(({ low, high, means }) => [low ?? 0, high ?? 0, ...means].map(Math.abs)));
  const reach = Math.min(100, 10 * Math.ceil(most / 10));
  return [
    paragraph(
      `How far each arm's raw win rate against ${baseline} lies above that of ${name}, in points: both are judged on the same prompts${several ? " and against the same seeds" : ""}, and the interval is of their difference over prompts${several ? " and seeds" : ""}. An interval that holds 0 tells nothing apart. Where all answers are bad the judge still prefers some: look at the answers, too.`,
    ),
    figure({
      id,
      caption,
      ...dotFigure(
        rows.map(({ name: arm, means, estimate, low, high }) => ({
          name: arm,
          dots: means,
          mean: estimate,
          low,
          high,
          published: [],
        })),
        {
          axis: `points above ${name}`,
          alt: `${caption} ${rows.map((row) => `${row.name} ${number(row.estimate).text}`).join(", ")}.`,
          domain: [-reach, reach],
          reference: 0,
        },
      ),
    }),
    table({
      id,
      caption: `${caption} With its 95 % interval over prompts${several ? " and seeds" : ""}.`,
      columns: [
        { key: "arm", label: "arm" },
        { key: "difference", label: "difference", numeric: true },
        ...ends(),
        { key: "prompts", label: "prompts", numeric: true },
      ],
      rows: rows.map((row) => [text(row.name), ...pairedInterval(row), number(row.n, 0)]),
    }),
  ];
}

/**
 * One run for each seed of the baseline that both met: there the baseline's answers are the same ones, and what they do to both win rates
 * cancels. Where the baseline has no seeds, the arm's seeds all meet the one comparison of the untuned model.
 */
async function differences(
  study: StudyFolder,
  one: ComparisonResult,
  before: ReadonlyMap<number | null, ReadonlyMap<string, number>>,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const { against_seed: seed, annotations } of one.pairs) {
    const theirs = before.get(seed);
    if (theirs === undefined) continue;
    const mine = await preferences(study, annotations);
    runs.push(Float64Array.from(theirs, ([instruction, value]) => (mine.get(instruction) ?? Number.NaN) - value));
  }
  return runs;
}
