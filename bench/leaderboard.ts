/**
 * The length-controlled win rates of AlpacaEval's published models by each fit, beside what was published.
 * The folder has `annotations/`, `expected.json`, and what `--lc-data` takes.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type WinrateOptions, winrate } from "../src/steps/winrate.js";
import { present } from "../src/util/errors.js";
import { packageRoot } from "../src/util/system.js";
import { type Bench, type Figure, needed, temporaryFolder } from "./bench.js";

type Fit = "v1" | "minimal" | "length";
interface Published {
  readonly name: string;
  readonly published: number;
  readonly raw: number;
  /** null where there is none. */
  readonly lc: Readonly<Record<Fit, number | null>>;
  readonly interval: string;
}

export const leaderboard: Bench = {
  about: "length-controlled win rates beside those published",
  flags: { published: { value: "DIR", help: "annotations/, expected.json, and what --lc-data takes" } },
  async *run(settings) {
    using folder = temporaryFolder();
    const place = settings.quick ? madeUp(folder.at("published")) : needed(settings, "published");
    const expected: Readonly<Record<string, { official: { length_controlled_winrate: number } }>> = JSON.parse(
      readFileSync(join(place, "expected.json"), "utf8"),
    );
    const models: Published[] = [];
    for (const file of readdirSync(join(place, "annotations"))) {
      const { name, ...rates } = await fitted(place, join(place, "annotations", file), settings.quick);
      const published = present(expected[name], name).official.length_controlled_winrate;
      models.push({ name, published, ...rates });
    }
    models.sort((a, b) => b.published - a.published);
    yield { title: `${models.length} models: rates by fit beside those published, points`, figures: models.map(row) };
    const told = models.filter(({ lc }) => lc.length !== null && lc.v1 !== 50);
    if (told.length > 0) yield { title: "distances from those published, points", figures: distances(told) };
  },
};

/** One model under the fixture's name. */
function madeUp(place: string): string {
  const fixture = join(packageRoot(), "test", "fixtures", "winrate");
  mkdirSync(join(place, "annotations"), { recursive: true });
  copyFileSync(join(fixture, "annotations.json"), join(place, "annotations", "our_model.json"));
  const official = { length_controlled_winrate: 40.403 };
  writeFileSync(join(place, "expected.json"), JSON.stringify({ our_model: { official } }));
  return place;
}

async function fitted(place: string, file: string, quick: boolean): Promise<Omit<Published, "published">> {
  const data = quick ? join(packageRoot(), "test", "fixtures", "winrate") : place;
  const fits: Readonly<Record<Fit, Omit<WinrateOptions, "annotations">>> = {
    v1: { lc: "v1", lcData: data, compat: "alpaca_eval", folds: join(data, "folds.json") },
    minimal: { lc: "minimal" },
    length: { lc: "length" },
  };
  const by = async (fit: Fit) =>
    present((await winrate({ annotations: [file], ...fits[fit] })).models[0], "a model in the file");
  const [v1, minimal, length] = [await by("v1"), await by("minimal"), await by("length")];
  const { low, high } = length.intervals.length_controlled_winrate;
  return {
    name: length.name,
    raw: present(length.win_rate, "win rate"),
    lc: {
      v1: v1.length_controlled_winrate,
      minimal: minimal.length_controlled_winrate,
      length: length.length_controlled_winrate,
    },
    interval: `[${fixed(low)}, ${fixed(high)}]`,
  };
}

const fixed = (value: number | null, digits = 1): string => (value === null ? "-" : value.toFixed(digits));

function row({ name, raw, published, lc, interval }: Published): Figure {
  const more = {
    ...{ raw: fixed(raw), "`v1`": fixed(lc.v1, 2), "`minimal`": fixed(lc.minimal) },
    ...{ "`length`": fixed(lc.length), "95 %": interval },
  };
  return { work: name, unit: "published", figure: published, lowest: published, highest: published, more };
}

function distances(models: readonly Published[]): Figure[] {
  const ways: Readonly<Record<string, (model: Published) => number>> = {
    raw: ({ raw }) => raw,
    v1: ({ lc }) => lc.v1 ?? Number.NaN,
    minimal: ({ lc }) => lc.minimal ?? Number.NaN,
    length: ({ lc }) => lc.length ?? Number.NaN,
  };
  return Object.entries(ways).map(([work, value]) => {
    const apart = models.map((model) => Math.abs(value(model) - model.published));
    const mean = apart.reduce((sum, distance) => sum + distance, 0) / apart.length;
    const correlation = spearman(
      models.map(value),
      models.map(({ published }) => published),
    );
    const ends = { lowest: Math.min(...apart), highest: Math.max(...apart) };
    return { work, unit: "points, mean", figure: mean, ...ends, more: { "rank correlation": correlation.toFixed(3) } };
  });
}

function spearman(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]) => values.map((value) => values.filter((other) => other < value).length);
  const [x, y] = [ranks(a), ranks(b)];
  const n = x.length;
  return 1 - (6 * x.reduce((sum, rank, i) => sum + (rank - present(y[i], "rank")) ** 2, 0)) / (n * (n * n - 1));
}
