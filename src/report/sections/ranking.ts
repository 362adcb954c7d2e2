/** Does a model find the right response more likely than others' (section 4.2 of the paper)? Both readings. */
import { ends, figure, inPercent, integer, interval, paragraph, type Section, table, text } from "../document.js";
import { dotFigure } from "../figures/dots.js";
import { armName } from "../names.js";
import type { StudyFolder } from "../read.js";

export function ranking(study: StudyFolder): Section | undefined {
  const { rankings } = study.results;
  if (rankings.length === 0) return undefined;
  const nameOf = (one: (typeof rankings)[number]): string =>
    `${armName(study, one)}${one.seed === null ? "" : `, seed ${one.seed}`}`;
  const percent = (value: number | null): number | null => (value === null ? null : 100 * value);
  return {
    id: "ranking",
    title: "Did it know the right response before?",
    blocks: [
      paragraph(
        "How often the right response to an instruction is more likely than the response to another one, in percent of pairs; half is chance. “In total” compares whole likelihoods (the paper's equation 3), “per token” their mean over tokens (its authors' code). Ties and draws that hit the right response itself count as not more likely.",
      ),
      figure({
        id: "ranking",
        caption: "Right response more likely, in total, with 95 % intervals clustered by instruction.",
        ...dotFigure(
          rankings.map((one) => ({
            name: nameOf(one),
            dots: [],
            mean: percent(one.totals.sum.rate.estimate),
            low: percent(one.totals.sum.rate.low),
            high: percent(one.totals.sum.rate.high),
            published: [],
          })),
          {
            axis: "right response more likely, % of pairs",
            alt: `Share of pairs in which the right response is more likely: ${rankings.map((one) => `${nameOf(one)} ${inPercent(percent(one.totals.sum.rate.estimate))}`).join(", ")}.`,
            domain: [0, 100],
            reference: 50,
          },
        ),
      }),
      table({
        id: "ranking",
        caption: "Response ranking: percent of pairs with 95 % interval, clustered by instruction.",
        columns: [
          { key: "arm", label: "arm" },
          { key: "in_total", label: "in total", numeric: true },
          ...ends("in_total"),
          { key: "per_token", label: "per token", numeric: true },
          ...ends("per_token"),
          { key: "pairs", label: "pairs", numeric: true },
          { key: "ties", label: "ties", numeric: true },
          { key: "self_draws", label: "self-draws", numeric: true },
          { key: "unscored", label: "not scored", numeric: true },
        ],
        rows: rankings.map((one) => [
          text(nameOf(one)),
          ...interval(one.totals.sum.rate, { scale: 100 }),
          ...interval(one.totals.mean.rate, { scale: 100 }),
          integer(one.totals.pairs),
          integer(one.totals.sum.ties),
          integer(one.totals.self_draws),
          integer(one.totals.unscored),
        ]),
      }),
    ],
  };
}
