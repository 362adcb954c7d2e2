/** Training curves: the loss of every step's batch, one curve an arm, of its first seed. */
import { figure, integer, number, type Section, table, text } from "../document.js";
import { type Curve, curveFigure } from "../figures/curves.js";
import { armsOf } from "../names.js";
import { readMetrics, readTuneRun, type StudyFolder } from "../read.js";

/** Points drawn of a curve: more than there are pixels between them say nothing. */
const POINTS = 240;

export async function training(study: StudyFolder): Promise<Section | undefined> {
  const curves: Curve[] = [];
  const rows = [];
  const ends: string[] = [];
  for (const { name, chosen } of armsOf(study)) {
    const cell = chosen.find(({ tuning }) => tuning !== null);
    if (cell?.tuning == null) continue;
    const metrics = await readMetrics(study, cell.tuning.metrics);
    const run = await readTuneRun(study, cell.tuning.run);
    curves.push({ name, marked: false, points: thinned(metrics.map(({ step, loss }) => ({ x: step, y: loss }))) });
    ends.push(`${name} ${number(metrics[0]?.loss, 3).text} to ${number(run.final_loss, 3).text}`);
    const heldOut = run.held_out.map(({ loss }) => loss);
    rows.push([
      text(name),
      integer(run.data.rows),
      integer(run.certificate.supervised_tokens),
      integer(run.steps),
      number(metrics[0]?.loss, 3),
      number(run.final_loss, 3),
      number(heldOut[0], 3),
      number(heldOut.length > 1 ? heldOut.at(-1) : null, 3),
    ]);
  }
  if (curves.length === 0) return undefined;
  return {
    id: "training",
    title: "Training",
    blocks: [
      figure({
        id: "training",
        caption:
          "Loss of each step's batch before its update, first seed of every tuned arm; marks only tell the lines apart. The unit is that of the arm's reduction.",
        ...curveFigure(curves, {
          xAxis: "step",
          yAxis: "loss",
          alt: `Training loss by step, from the first to the last: ${ends.join(", ")}.`,
        }),
      }),
      table({
        id: "training",
        caption: "First seed of every tuned arm. Held out: rows that were not trained on, nats a token.",
        columns: [
          { key: "arm", label: "arm" },
          { key: "rows", label: "rows", numeric: true },
          { key: "supervised_tokens", label: "tokens with loss", numeric: true },
          { key: "steps", label: "steps", numeric: true },
          { key: "first_loss", label: "first loss", numeric: true },
          { key: "last_loss", label: "last loss", numeric: true },
          { key: "held_out_before", label: "held out, before", numeric: true },
          { key: "held_out_after", label: "held out, after", numeric: true },
        ],
        rows,
      }),
    ],
  };
}

/** Every k-th point and the last. */
function thinned<T>(points: readonly T[]): T[] {
  const stride = Math.ceil(points.length / POINTS);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}
