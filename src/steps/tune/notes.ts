/**
 * What a person is told of a tuning run: the rows as they were certified, the steps that see them, the loss on rows held out.
 * May not know: how anything is computed.
 */
import type { Certificate } from "../../records/certificate.js";
import type { HeldOutLine, TunePlan } from "../../records/tune.js";
import { formatCount } from "../../util/progress.js";

/** What is trained on, what is held out, and what became of the other rows. */
export function describeRows(
  { rows, supervised_tokens, rows_merged, rows_cut, rows_skipped }: Certificate,
  data: TunePlan["data"],
): string {
  const some = (n: number, what: string): string[] => (n === 0 ? [] : [`${formatCount(n)} ${what}`]);
  return [
    `mask certified: ${formatCount(rows)} rows, ${formatCount(supervised_tokens)} tokens carry loss`,
    ...some(rows_merged, "merged at the border of prompt and response"),
    ...some(rows_cut, "cut at the longest length of a row"),
    ...some(rows_skipped, "skipped without a token that carries loss"),
    ...some(data.too_long, "left out with a longer response"),
    ...some(data.held_out, "held out"),
    ...data.left_out.flatMap(({ reason, count }) => some(count, `left out by the data set (${reason})`)),
  ].join("; ");
}

export const describeLossy = ({ rows_lossy }: Certificate): string =>
  `${formatCount(rows_lossy)} rows hold characters that have no token in this vocabulary; their ids lack them`;

export const describeSteps = (steps: number, { rows }: TunePlan["data"], seen: number): string =>
  `${formatCount(steps)} steps${seen < rows ? `, which see ${formatCount(seen)} of the ${formatCount(rows)} rows` : ""}`;

export const describeHeldOut = ({ epoch, loss }: HeldOutLine): string =>
  `held-out loss ${epoch === 0 ? "before training" : `after epoch ${epoch}`}: ${loss.toFixed(4)} nats a token`;

export const describeFinished = (out: string, { finished }: { readonly finished: string }): string =>
  `${out} holds this run, finished at ${finished}: nothing is left to do`;
