/** Which rows make a step, the weight of every token, and that no cut into micro-batches loses or doubles one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IGNORE, type Row } from "../records/row.js";
import { InvariantError } from "../util/errors.js";
import { type MicroBatch, microBatches, steps, supervisedPositions, tokenWeights } from "./batches.js";

let made = 0;
/** Ids that occur nowhere else, so that every token can be found again. */
function row(length: number, supervised: (i: number) => boolean): Row {
  const inputIds = Array.from({ length }, () => ++made);
  const labels = inputIds.map((id, i) => (supervised(i) ? id : IGNORE));
  return { id: `row ${made}`, inputIds, labels, promptTokens: 1, merged: false, cut: false };
}

const someRow = fc
  .record({ length: fc.integer({ min: 2, max: 60 }), from: fc.nat(58), gap: fc.integer({ min: 2, max: 9 }) })
  .map(({ length, from, gap }) => row(length, (i) => i === length - 1 || (i > from && i % gap !== 0)));
const someRows = fc.array(someRow, { minLength: 1, maxLength: 12 });
const reductions = ["paper", "reference", "token"] as const;

describe("tokenWeights", () => {
  it("are the reductions' closed forms", () => {
    expect(tokenWeights([2, 8], "paper")).toEqual([1 / 2, 1 / 2]);
    expect(tokenWeights([2, 8], "reference")).toEqual([1 / 4, 1 / 16]);
    expect(tokenWeights([2, 8], "token")).toEqual([1 / 10, 1 / 10]);
  });
  it("make of token losses what the reductions say", () => {
    const nlls = [[1, 3], [2], [4, 5, 9]];
    const lossOf = (reduction: (typeof reductions)[number]): number =>
      tokenWeights(
        nlls.map((row) => row.length),
        reduction,
      ).reduce((loss, weight, i) => loss + weight * nlls[i]!.reduce((a, b) => a + b), 0);
    expect(lossOf("paper")).toBeCloseTo((4 + 2 + 18) / 3, 12);
    expect(lossOf("reference")).toBeCloseTo((2 + 2 + 6) / 3, 12);
    expect(lossOf("token")).toBeCloseTo(24 / 6, 12);
  });
  it("are all the same where all rows have one token, whatever the reduction", () => {
    for (const reduction of reductions) expect(tokenWeights([1, 1, 1, 1], reduction)).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
  it("refuse a row without a supervised token: it was to be refused long before", () => {
    expect(() => tokenWeights([3, 0], "paper")).toThrow(InvariantError);
  });
});

describe("microBatches", () => {
  const options = { reduction: "reference", microTokens: 64 } as const;

  /** What is computed: per supervised token the ids that it is predicted from, the token, its weight. */
  const tasksOf = (batches: readonly MicroBatch[]): string[] =>
    batches
      .flatMap(({ ids, time, positions, targets, weights }) =>
        positions.map((position, k) => {
          const begin = Math.floor(position / time) * time;
          return JSON.stringify([[...ids.subarray(begin, position + 1)], targets[k], weights[k]]);
        }),
      )
      .sort();

  it("compute every supervised token once, from all ids before it, with its weight", () => {
    fc.assert(
      fc.property(
        someRows,
        fc.constantFrom(...reductions),
        fc.integer({ min: 1, max: 400 }),
        (rows, reduction, tokens) => {
          const weights = tokenWeights(
            rows.map((one) => supervisedPositions(one).length),
            reduction,
          );
          const wanted = rows
            .flatMap((one, r) =>
              one.labels.flatMap((label, i) =>
                label === IGNORE || i === 0 ? [] : [JSON.stringify([one.inputIds.slice(0, i), label, weights[r]])],
              ),
            )
            .sort();
          expect(tasksOf(microBatches(rows, { ...options, reduction, microTokens: tokens }))).toEqual(wanted);
        },
      ),
    );
  });
  it("take no more positions than allowed, but for a row that is longer alone", () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 400 }), (rows, microTokens) => {
        for (const { rows: n, time, ids } of microBatches(rows, { ...options, microTokens })) {
          expect(ids.length).toBe(n * time);
          expect(n === 1 || n * time <= microTokens).toBe(true);
        }
      }),
    );
  });
  it("put rows of similar length together: a row is padded to the next multiple of 8, and no further than its neighbours reach", () => {
    const rows = [5, 57, 6, 56, 7].map((length) => row(length, (i) => i > 2));
    const batches = microBatches(rows, { ...options, microTokens: 128 });
    expect(batches.map(({ rows, time }) => [rows, time])).toEqual([
      [2, 56],
      [3, 8],
    ]);
  });
  it("leave the first token out: nothing stands before it", () => {
    expect(supervisedPositions(row(3, () => true))).toEqual([1, 2]);
  });
});

describe("steps", () => {
  const rows = Array.from({ length: 10 }, (_, i) => row(4, () => i >= 0));
  const options = { epochs: 3, batch: 4, seed: 7, shuffle: true };
  const idsOf = (all: Iterable<{ readonly rows: readonly Row[] }>): string[][] =>
    [...all].map((step) => step.rows.map(({ id }) => id));

  it("are epochs × ceil(rows / batch); the last of an epoch may be short", () => {
    const all = [...steps(rows, options)];
    expect(all.map((step) => [step.index, step.epoch, step.rows.length, step.endsEpoch])).toEqual([
      [0, 0, 4, false],
      [1, 0, 4, false],
      [2, 0, 2, true],
      [3, 1, 4, false],
      [4, 1, 4, false],
      [5, 1, 2, true],
      [6, 2, 4, false],
      [7, 2, 4, false],
      [8, 2, 2, true],
    ]);
  });
  it("take every row once an epoch, in another order each epoch and for each seed", () => {
    const epochs = (seed: number): string[] => {
      const all = idsOf(steps(rows, { ...options, seed })).flat();
      return [0, 1, 2].map((epoch) => all.slice(10 * epoch, 10 * epoch + 10).join());
    };
    const sorted = rows.map(({ id }) => id).sort();
    for (const order of epochs(7)) expect(order.split(",").sort()).toEqual(sorted);
    expect(new Set([...epochs(7), ...epochs(8)]).size).toBe(6);
    expect(epochs(7)).toEqual(epochs(7));
  });
  it("keep the file's order where nothing is shuffled", () => {
    const order = rows.map(({ id }) => id);
    expect(idsOf(steps(rows, { ...options, shuffle: false })).flat()).toEqual([...order, ...order, ...order]);
  });
  it("make a row when its step comes, and no other, where rows are not held", () => {
    for (const shuffle of [true, false]) {
      const made: number[] = [];
      const at = (index: number): Row => {
        made.push(index);
        return rows[index]!;
      };
      const source = { length: rows.length, longest: rows[0]!, at };
      expect([...steps(source, { ...options, shuffle }, 4)]).toEqual([...steps(rows, { ...options, shuffle }, 4)]);
      expect(made).toHaveLength(4 + 2 + 10);
    }
  });
  it("from any step on are the tail of all", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(40),
        fc.boolean(),
        (count, batch, epochs, from, shuffle) => {
          const some = rows.slice(0, count);
          const all = [...steps(some, { epochs, batch, seed: 3, shuffle })];
          expect([...steps(some, { epochs, batch, seed: 3, shuffle }, from)]).toEqual(all.slice(from));
        },
      ),
    );
  });
});
