/**
 * Which rows make a step, and how a step is cut into micro-batches. The gradient does not depend on the cut: every supervised
 * token carries its own weight, so micro-batches are sums of one whole.
 * May not know: graphs, models.
 */
import { IGNORE, type Row, type Rows } from "../records/row.js";
import { invariant, present } from "../util/errors.js";
import { randomStream } from "../util/random.js";

export type Reduction = "paper" | "reference" | "token";

/** How rows are ordered into steps. */
export interface BatchOptions {
  readonly epochs: number;
  /** Rows a step. */
  readonly batch: number;
  readonly seed: number;
  readonly shuffle: boolean;
}

export interface Step {
  /** From 0. */
  readonly index: number;
  readonly epoch: number;
  readonly rows: readonly Row[];
  /** No step of this epoch follows. */
  readonly endsEpoch: boolean;
}

export const stepsPerEpoch = (rows: number, batch: number): number => Math.ceil(rows / batch);

/** All steps from `from` on; the last one of an epoch may be short. */
export function* steps(rows: Rows, options: BatchOptions, from = 0): Generator<Step> {
  const perEpoch = stepsPerEpoch(rows.length, options.batch);
  for (let epoch = Math.floor(from / perEpoch); epoch < options.epochs; epoch++) {
    const order = options.shuffle ? shuffled(rows.length, options.seed, epoch) : undefined;
    for (let within = Math.max(0, from - epoch * perEpoch); within < perEpoch; within++) {
      yield {
        index: epoch * perEpoch + within,
        epoch,
        rows: rowsOf(rows, order, within * options.batch, (within + 1) * options.batch),
        endsEpoch: within === perEpoch - 1,
      };
    }
  }
}

const shuffled = (count: number, seed: number, epoch: number): readonly number[] =>
  randomStream(seed, "order of rows", epoch).shuffle(Array.from({ length: count }, (_, i) => i));

/** Rows from place `from` to before `to` of an order, or of the file. */
function rowsOf(rows: Rows, order: readonly number[] | undefined, from: number, to: number): Row[] {
  const places = Array.from({ length: Math.min(to, rows.length) - from }, (_, i) => from + i);
  return places.map((place) => present(rows.at(order?.[place] ?? place), "row"));
}

/** Positions of `row` whose token carries loss. The first token has nothing before it to be predicted from. */
export function supervisedPositions(row: Row): number[] {
  return row.labels.flatMap((label, i) => (label !== IGNORE && i > 0 ? [i] : []));
}

/**
 * The weight of each supervised token of each row, so that the loss of a step is Σ weight · nll.
 * `paper`: mean over examples of summed token NLL (eq. 1 as written). `reference`: mean over examples of mean token NLL.
 * `token`: mean over all supervised tokens.
 */
export function tokenWeights(supervised: readonly number[], reduction: Reduction): number[] {
  const examples = supervised.length;
  const tokens = supervised.reduce((a, b) => a + b, 0);
  invariant(
    supervised.every((n) => n > 0),
    "a row without a supervised token reached training",
  );
  switch (reduction) {
    case "paper":
      return supervised.map(() => 1 / examples);
    case "reference":
      return supervised.map((n) => 1 / (examples * n));
    case "token":
      return supervised.map(() => 1 / tokens);
    default:
      return reduction satisfies never;
  }
}

/** What one run of the training program is fed: rows of one width, right-padded. */
export interface MicroBatch {
  readonly rows: number;
  readonly time: number;
  /** [rows, time] */
  readonly ids: Int32Array;
  /** Per supervised token: where it is predicted from, as an index into [rows * time]; the token; its weight. */
  readonly positions: readonly number[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
}

/** Widths are rounded up to this, so that few shapes occur and their memory is reused, and time falls into equal blocks. */
const WIDTH_STEP = 8;

/** Positions computed for a row: all but its last token, which is only ever a target, and the padding. */
export const paddedWidth = (row: Row): number =>
  Math.ceil(Math.max(1, row.inputIds.length - 1) / WIDTH_STEP) * WIDTH_STEP;

export interface MicroBatchOptions {
  readonly reduction: Reduction;
  /** Positions computed at once, padding included. */
  readonly microTokens: number;
}

/**
 * Rows of similar length side by side, the longest first, at most `microTokens` positions (padding included) at once; a longer
 * row goes alone.
 */
export function microBatches(rows: readonly Row[], { reduction, microTokens }: MicroBatchOptions): MicroBatch[] {
  const weights = tokenWeights(
    rows.map((row) => supervisedPositions(row).length),
    reduction,
  );
  const order = rows.map((row, i) => ({ row, weight: present(weights[i], "weight") }));
  order.sort((a, b) => b.row.inputIds.length - a.row.inputIds.length); // stable: equal lengths keep their order
  const groups: (typeof order)[] = [];
  let group: typeof order = [];
  for (const item of order) {
    const time = paddedWidth((group[0] ?? item).row);
    if (group.length > 0 && (group.length + 1) * time > microTokens) {
      groups.push(group);
      group = [];
    }
    group.push(item);
  }
  if (group.length > 0) groups.push(group);
  return groups.map((members) => pack(members, Math.max(...members.map(({ row }) => paddedWidth(row)))));
}

function pack(group: readonly { readonly row: Row; readonly weight: number }[], time: number): MicroBatch {
  const ids = new Int32Array(group.length * time);
  const positions: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  group.forEach(({ row, weight }, r) => {
    ids.set(row.inputIds.slice(0, -1), r * time);
    for (const i of supervisedPositions(row)) {
      positions.push(r * time + i - 1);
      targets.push(present(row.inputIds[i], "target"));
      weights.push(weight);
    }
  });
  return { rows: group.length, time, ids, positions, targets, weights };
}
