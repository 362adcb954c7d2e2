/** What each hand-written rule contributes: all of them, and all but one. */
import type { ComparisonResult } from "../../records/study.js";
import { type Cell, interval, number, type Section, text } from "../document.js";
import { armName } from "../names.js";
import type { StudyFolder } from "../read.js";

export function ablation(study: StudyFolder): Section | undefined {
  const { arms } = study.record.study;
  const disabled = (name: string): readonly string[] | undefined => {
    const arm = arms[name];
    return arm?.kind === "rules" ? (arm.disable ?? []) : undefined;
  };
  const ruled = study.results.comparisons.filter(({ arm }) => disabled(arm) !== undefined);
  const whole = ruled.find(({ arm }) => disabled(arm)?.length === 0);
  if (whole === undefined || ruled.length < 2) return undefined;
  const value = (one: ComparisonResult): number | null => (one.length_controlled ?? one.win_rate).mean;
  const less = (one: ComparisonResult): Cell => {
    const [all, without] = [value(whole), value(one)];
    return one === whole || all === null || without === null ? number(null) : number(without - all);
  };
  return {
    id: "ablation",
    title: "What each rule does",
    blocks: [
      {
        kind: "table",
        table: {
          id: "ablation",
          caption: `Win rate against ${whole.against}, percent, with all rules and with one of them left out.`,
          columns: [
            { key: "arm", label: "arm" },
            { key: "left_out", label: "left out" },
            { key: "win_rate", label: "win rate", numeric: true },
            { key: "low", label: "", csvOnly: true },
            { key: "high", label: "", csvOnly: true },
            { key: "difference", label: "difference", numeric: true },
          ],
          rows: ruled.map((one) => {
            const { mean, interval: range } = one.length_controlled ?? one.win_rate;
            return [
              text(armName(study, one)),
              text(disabled(one.arm)?.join(", ") || "none"),
              ...interval({ estimate: mean, low: range.low, high: range.high }),
              less(one),
            ];
          }),
        },
      },
    ],
  };
}
