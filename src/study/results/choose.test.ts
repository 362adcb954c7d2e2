import { describe, expect, it } from "vitest";
import { randomStream } from "../../util/random.js";
import { choose, type Measured } from "./choose.js";

const values = (epochs: number, seed: number, ...list: (number | null)[]): Measured => ({ epochs, seed, values: list });

describe("the choice of epochs", () => {
  it("takes the lowest loss, and ties what the same prompts cannot tell apart", () => {
    const choice = choose("loss", [
      values(1, 1, 3, 4, 5, 6),
      values(3, 1, 1, 2.1, 2.9, 4),
      values(5, 1, 1.1, 1.9, 3.1, 4.1),
    ]);
    expect(choice.chosen).toBe(3);
    expect(choice.tied).toEqual([3, 5]);
    expect(choice.epochs.map(({ value }) => value.estimate)).toEqual([4.5, 2.5, 2.55]);
    const [first, best, near] = choice.epochs;
    expect(best).toMatchObject({ worse_by: null, tied: true });
    expect(first?.worse_by?.estimate).toBe(2);
    expect(first?.worse_by?.low).toBeGreaterThan(0);
    expect(near?.worse_by?.low).toBeLessThan(0);
  });
  it("takes the highest win rate; of two that are equal, fewer epochs", () => {
    const choice = choose("win_rate", [values(7, 1, 100, 0, 100), values(5, 1, 0, 100, 100), values(2, 1, 0, 0, 100)]);
    expect(choice.chosen).toBe(5);
    expect(choice.epochs.map(({ epochs, tied }) => [epochs, tied])).toEqual([
      [7, true],
      [5, true],
      [2, true],
    ]);
  });
  it("leaves a prompt out for all where one model has no value, and counts it", () => {
    const choice = choose("win_rate", [values(1, 1, 10, null, 30), values(2, 1, 20, 90, 40)]);
    expect(choice).toMatchObject({ prompts: 2, prompts_left_out: 1, chosen: 2 });
    expect(choice.epochs.map(({ value }) => value.estimate)).toEqual([20, 30]);
    expect(() => choose("win_rate", [values(1, 1, null, 1), values(2, 1, 1, null)])).toThrow(/no validation prompt/);
  });
  it("knows both seeds: what one seed says strongly and the other denies is a tie", () => {
    const flat = [50, 50, 50, 50, 50, 50];
    const choice = choose("win_rate", [
      ...[values(1, 1, ...flat), values(1, 2, ...flat)],
      ...[values(2, 1, ...flat.map((v) => v + 40)), values(2, 2, ...flat.map((v) => v - 20))],
    ]);
    expect(choice.chosen).toBe(2);
    expect(choice.tied).toEqual([1, 2]);
    expect(choice.epochs[1]?.seeds).toEqual([
      { seed: 1, value: 90 },
      { seed: 2, value: 30 },
    ]);
  });
  it("holds the truth: of two equally good numbers both are tied in about 95 of 100 draws", () => {
    let tied = 0;
    for (let draw = 0; draw < 100; draw++) {
      const random = randomStream(draw, "test of ties");
      const noise = (): number[] =>
        Array.from({ length: 30 }, () => random.uniform() + random.uniform() + random.uniform());
      if (choose("loss", [values(1, 1, ...noise()), values(2, 1, ...noise())]).tied.length === 2) tied++;
    }
    expect(tied).toBeGreaterThanOrEqual(89); // four standard errors of a share of 0.95 over 100 draws, rounded, below it
    expect(tied).toBeLessThan(100);
  });
});
