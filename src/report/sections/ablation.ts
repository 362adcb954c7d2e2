/** What each hand-written rule contributes: all of them, and all but one, on the same prompts. */
import type { ComparisonResult } from "../../records/study.js";
import { toEstimateRecord } from "../../stats/estimate.js";
import { pairedDifference, type Run } from "../../stats/runs.js";
import { type Cell, interval, type Section, text } from "../document.js";
import { dotFigure } from "../figures/dots.js";
import { armName } from "../names.js";
import { preferences } from "../preferences.js";
import type { StudyFolder } from "../read.js";

export async function ablation(study: StudyFolder): Promise<Section | undefined> {
  const { arms } = study.record.study;
  const disabled = (name: string): readonly string[] | undefined => {
    const arm = arms[name];
    return arm?.kind === "rules" ? (arm.disable ?? []) : undefined;
  };
  const all = study.results.comparisons.filter(({ arm }) => disabled(arm) !== undefined);
  const whole = all.find(({ arm }) => disabled(arm)?.length === 0);
  const ruled = all.filter(({ model, against }) => model === whole?.model && against === whole.against);
  if (whole === undefined || ruled.length < 2) return undefined;
  const shown = ruled.map((one) => ({ one, ...(one.length_controlled ?? one.win_rate) }));
  const controlled = ruled.some(({ length_controlled: lc }) => lc !== null);
  const rows: Cell[][] = [];
  for (const { one, mean, interval: range } of shown) {
    rows.push([
      text(armName(study, one)),
      text(disabled(one.arm)?.join(", ") || "none"),
      ...interval({ estimate: mean, low: range.low, high: range.high }),
      ...interval(one === whole ? null : await difference(study, one, whole)),
    ]);
  }
  return {
    id: "ablation",
    title: "What each rule does",
    blocks: [
      {
        kind: "figure",
        figure: {
          id: "ablation",
          caption: `Win rate against ${whole.against} with all rules, and with one of them left out.`,
          alt: `Win rate with rules left out: ${shown.map(({ one, mean }) => `${armName(study, one)} ${mean?.toFixed(1) ?? "undefined"} percent`).join(", ")}.`,
          svg: dotFigure(
            shown.map(({ one, seeds, mean, interval: range }) => ({
              name: armName(study, one),
              dots: seeds.flatMap(({ value }) => value ?? []),
              mean,
              low: range.low,
              high: range.high,
              published: Object.entries(one.published ?? {}).map(([name, figure]) => ({
                name: `the paper's ${name}: ${figure.mean}`,
                value: figure.mean,
              })),
            })),
            { axis: `win rate against ${whole.against}, %`, alt: "Win rates with rules left out", domain: [0, 100] },
          ),
        },
      },
      {
        kind: "table",
        table: {
          id: "ablation",
          caption: `Win rate against ${whole.against}, percent${controlled ? ", length-controlled where it could be fitted" : ""}, with all rules and with one of them left out. The difference to all rules is of the raw win rate, in points, paired by prompt, with its 95 % interval: an interval that holds 0 tells nothing apart.`,
          columns: [
            { key: "arm", label: "arm" },
            { key: "left_out", label: "left out" },
            { key: "win_rate", label: "win rate", numeric: true },
            { key: "low", label: "", csvOnly: true },
            { key: "high", label: "", csvOnly: true },
            { key: "difference", label: "difference", numeric: true },
            { key: "difference_low", label: "", csvOnly: true },
            { key: "difference_high", label: "", csvOnly: true },
          ],
          rows,
        },
      },
    ],
  };
}

async function difference(study: StudyFolder, one: ComparisonResult, whole: ComparisonResult) {
  const verdicts = ({ pairs }: ComparisonResult) =>
    Promise.all(pairs.map(({ annotations }) => preferences(study, annotations)));
  const [mine, theirs] = [await verdicts(one), await verdicts(whole)];
  const instructions = [...(theirs[0]?.keys() ?? [])];
  const runs = (all: readonly ReadonlyMap<string, number>[]): Run[] =>
    all.map((run) => Float64Array.from(instructions, (instruction) => run.get(instruction) ?? Number.NaN));
  return toEstimateRecord(pairedDifference(runs(mine), runs(theirs)));
}
