/**
 * What the position of an answer does to a judge: how often the one shown first is preferred, and how often a verdict turns round when the
 * order does.
 * May not know: judges, files.
 */
import type { Annotation, AnnotationCall } from "../records/annotations.js";
import { clusteredProbability } from "../stats/cluster.js";
import type { Estimate } from "../stats/estimate.js";
import { wilson } from "../stats/wilson.js";

export interface Positions {
  /** Mean P(the answer shown first is better) over calls with a verdict, clustered by pair; 0.5 without a bias. */
  readonly firstPreferred: Estimate;
  /** Pairs judged in both orders, and those of them whose two verdicts name different answers. */
  readonly bothOrders: number;
  readonly flips: number;
  readonly flipRate: Estimate;
}

export function positionsOf(annotations: Iterable<Annotation>): Positions {
  const clusters: number[][] = [];
  let bothOrders = 0;
  let flips = 0;
  for (const { calls = [] } of annotations) {
    const judged = calls.filter((call) => call.preference !== null);
    if (judged.length > 0) clusters.push(judged.map(preferenceForFirst));
    const [unswitched, switched] = [meanOf(judged, false), meanOf(judged, true)];
    if (unswitched === undefined || switched === undefined) continue;
    bothOrders++;
    if ((unswitched - 1.5) * (switched - 1.5) < 0) flips++;
  }
  return { firstPreferred: clusteredProbability(clusters), bothOrders, flips, flipRate: wilson(flips, bothOrders) };
}

const preferenceForFirst = ({ switched, preference }: AnnotationCall): number =>
  switched ? (preference ?? 1.5) - 1 : 2 - (preference ?? 1.5);

function meanOf(calls: readonly AnnotationCall[], switched: boolean): number | undefined {
  const values = calls.filter((call) => call.switched === switched).flatMap(({ preference }) => preference ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
