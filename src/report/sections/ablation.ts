/** What each hand-written rule contributes: all of them, and all but one, on the same prompts. */
import type { ComparisonResult } from "../../records/study.js";
import { ofPairs } from "../../stats/bounded.js";
import { toEstimateRecord } from "../../stats/estimate.js";
import { pairedDifference, type Run } from "../../stats/runs.js";
import {
  type Block,
  type Cell,
  ends,
  figure,
  inPercent,
  interval,
  pairedInterval,
  type Section,
  table,
  text,
} from "../document.js";
import { dotFigure } from "../figures/dots.js";
import { armName } from "../names.js";
import { preferences } from "../preferences.js";
import { capital, publishedOf, rates } from "../rates.js";
import type { StudyFolder } from "../read.js";

export async function ablation(study: StudyFolder): Promise<Section | undefined> {
  const { comparisons } = study.results;
  const blocks: Block[] = [];
  for (const whole of comparisons) {
    const file = rulesOf(study, whole);
    if (file === undefined || file.disabled.length > 0) continue;
    const ruled = comparisons.filter(
      (one) => one.model === whole.model && one.against === whole.against && rulesOf(study, one)?.rules === file.rules,
    );
    if (ruled.length > 1) blocks.push(...(await leftOut(study, whole, ruled)));
  }
  return blocks.length === 0 ? undefined : { id: "ablation", title: "What each rule does", blocks };
}

/** Of an arm with rules: their file, and those that it leaves out. */
function rulesOf({ record }: StudyFolder, { arm: name }: ComparisonResult) {
  const arm = record.study.arms[name];
  return arm?.kind === "rules" ? { rules: arm.rules, disabled: arm.disable ?? [] } : undefined;
}

/** All rules of one file under one model, and that file with some left out. */
async function leftOut(
  study: StudyFolder,
  whole: ComparisonResult,
  ruled: readonly ComparisonResult[],
): Promise<Block[]> {
  const { of, noun, controlled } = rates(ruled);
  const id = `ablation-${whole.model}-${whole.arm}-${whole.against}`;
  const baseline = armName(study, { model: whole.model, arm: whole.against });
  const caption = `${capital(noun)} against ${baseline}`;
  const verdicts = await verdictsOf(study, whole);
  const rows: Cell[][] = [];
  for (const one of ruled) {
    const { mean, interval: range } = of(one);
    rows.push([
      text(armName(study, one)),
      text(rulesOf(study, one)?.disabled.join(", ") || "none"),
      ...interval({ estimate: mean, low: range.low, high: range.high }),
      ...(one === whole ? interval(null) : pairedInterval(difference(await verdictsOf(study, one), verdicts))),
    ]);
  }
  return [
    figure({
      id,
      caption: `${caption} with all rules, and with one of them left out.`,
      ...dotFigure(
        ruled.map((one) => {
          const { seeds, mean, interval: range } = of(one);
          const dots = seeds.flatMap(({ value }) => value ?? []);
          const name = armName(study, one);
          return { name, dots, mean, low: range.low, high: range.high, published: publishedOf(one) };
        }),
        {
          axis: `${noun} against ${baseline}, %`,
          alt: `${caption} with rules left out: ${ruled.map((one) => `${armName(study, one)} ${inPercent(of(one).mean)}`).join(", ")}.`,
          domain: [0, 100],
        },
      ),
    }),
    table({
      id,
      caption: `${caption}, percent, with all rules and with one of them left out. The difference to all rules is of the raw win rate, in points, paired by prompt, with its 95 % interval: an interval that holds 0 tells nothing apart.`,
      columns: [
        { key: "arm", label: "arm" },
        { key: "left_out", label: "left out" },
        { key: controlled ? "length_controlled_winrate" : "win_rate", label: noun, numeric: true },
        ...ends(),
        { key: "difference", label: "difference", numeric: true },
        ...ends("difference"),
      ],
      rows,
    }),
  ];
}

/** Of every seed, by instruction. */
async function verdictsOf(study: StudyFolder, { pairs }: ComparisonResult): Promise<ReadonlyMap<string, number>[]> {
  const made = [];
  for (const { annotations } of pairs) made.push(await preferences(study, annotations));
  return made;
}

function difference(mine: readonly ReadonlyMap<string, number>[], theirs: readonly ReadonlyMap<string, number>[]) {
  const instructions = [...(theirs[0]?.keys() ?? [])];
  const runs = (all: readonly ReadonlyMap<string, number>[]): Run[] =>
    all.map((run) => Float64Array.from(instructions, (instruction) => run.get(instruction) ?? Number.NaN));
  return ofPairs(toEstimateRecord(pairedDifference(runs(mine), runs(theirs))), [-100, 100]);
}
