/** How many passes over the data, chosen on the validation set: the values, the chosen one, and those not told apart from it. */
import type { Choice } from "../../records/study.js";
import { plural } from "../../util/progress.js";
import { type Block, ends, figure, interval, number, paragraph, type Section, table, text } from "../document.js";
import { curveFigure } from "../figures/curves.js";
import { armName } from "../names.js";
import type { StudyFolder } from "../read.js";

export function epochs(study: StudyFolder): Section | undefined {
  const choices = study.results.choices.filter((choice) => choice.epochs.length > 1);
  if (choices.length === 0) return undefined;
  return { id: "epochs", title: "How many epochs", blocks: choices.flatMap((choice) => one(study, choice)) };
}

const MEASURES = {
  win_rate: "win rate on the validation set, %",
  loss: "loss on the validation set, nats a token",
} as const;

function one(study: StudyFolder, choice: Choice): Block[] {
  const name = armName(study, choice);
  const id = `epochs-${choice.model}-${choice.arm}`;
  const others = choice.tied.filter((value) => value !== choice.chosen);
  const said = `${name}: ${choice.chosen} chosen over ${plural(choice.prompts, "prompt")} and ${plural(choice.seeds.length, "seed")}; ${
    others.length === 0
      ? "every other number is worse by more than chance"
      : `${others.join(", ")} not told apart from it`
  }.${choice.prompts_left_out > 0 ? ` ${plural(choice.prompts_left_out, "prompt")} without a value left out.` : ""}`;
  const digits = choice.measure === "loss" ? 3 : 1;
  const values = choice.epochs.map((row) => `${number(row.value.estimate, digits).text} after ${row.epochs}`);
  const alt = `${name}: ${MEASURES[choice.measure]} by epochs: ${values.join(", ")}. ${choice.chosen} chosen.`;
  return [
    paragraph(said),
    figure({
      id,
      caption: `${name}: ${MEASURES[choice.measure]} by epochs. Shaded: the chosen number and those tied with it.`,
      ...curveFigure(
        [
          {
            name,
            marked: true,
            points: choice.epochs.map(({ epochs: x, value }) => ({
              x,
              y: value.estimate,
              low: value.low,
              high: value.high,
            })),
          },
        ],
        { xAxis: "epochs", yAxis: MEASURES[choice.measure], alt, band: choice.tied, wholeX: true },
      ),
    }),
    table({
      id,
      caption: `${name}: ${MEASURES[choice.measure]}, and how much worse than the best, paired by prompt and seed.`,
      columns: [
        { key: "epochs", label: "epochs", numeric: true },
        { key: "value", label: choice.measure === "loss" ? "loss" : "win rate", numeric: true },
        ...ends(),
        { key: "worse_by", label: "worse by", numeric: true },
        ...ends("worse_by"),
        { key: "status", label: "" },
      ],
      rows: choice.epochs.map((row) => [
        { text: String(row.epochs), value: row.epochs },
        ...interval(row.value, { digits }),
        ...interval(row.worse_by, { digits }),
        text(row.epochs === choice.chosen ? "chosen" : row.tied ? "tied" : ""),
      ]),
    }),
  ];
}
