/**
 * `node bench/leaderboard.mjs DIR [--json]`: the length-controlled win rates of AlpacaEval's published models by each fit, beside what was published.
 * DIR has `annotations/`, `expected.json`, and what `--lc-data` takes. Needs a build.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { winrate } from "../dist/steps/winrate.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [folder] = positionals;
if (folder === undefined) {
  process.stderr.write("bench: name the folder of published annotations\n");
  process.exit(2);
}
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
const fits = {
  v1: { lc: "v1", lcData: folder, compat: "alpaca_eval", folds: join(folder, "folds.json") },
  minimal: { lc: "minimal" },
  length: { lc: "length" },
};

const models = [];
for (const file of readdirSync(join(folder, "annotations"))) {
  const annotations = [join(folder, "annotations", file)];
  const figures = {};
  for (const [name, options] of Object.entries(fits)) {
    const [entry] = (await winrate({ annotations, ...options })).models;
    const { low, high } = entry.intervals.length_controlled_winrate;
    figures[name] = { lc: entry.length_controlled_winrate, low, high };
    Object.assign(figures, { name: entry.name, raw: entry.win_rate });
  }
  models.push({ ...figures, published: expected[figures.name].official.length_controlled_winrate });
}
models.sort((a, b) => b.published - a.published);

const fixed = (value, digits = 1) => (value === null ? "-" : value.toFixed(digits));
if (values.json) process.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
else {
  process.stdout.write(
    "| model | raw | published | `v1` | `minimal` | `length` | 95 % |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
  );
  for (const { name, raw, published, v1, minimal, length } of models) {
    process.stdout.write(
      `| ${name} | ${fixed(raw)} | ${fixed(published, 2)} | ${fixed(v1.lc, 2)} | ${fixed(minimal.lc)} | ${fixed(length.lc)} | [${fixed(length.low)}, ${fixed(length.high)}] |\n`,
    );
  }
  const fitted = models.filter((model) => model.length.lc !== null && model.v1.lc !== 50);
  process.stdout.write(
    "\n| fit | mean distance | largest distance | rank correlation |\n| --- | ---: | ---: | ---: |\n",
  );
  for (const fit of ["raw", ...Object.keys(fits)]) {
    const value = (model) => (fit === "raw" ? model.raw : model[fit].lc);
    const distances = fitted.map((model) => Math.abs(value(model) - model.published));
    const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
    process.stdout.write(
      `| ${fit} | ${mean.toFixed(2)} | ${Math.max(...distances).toFixed(2)} | ${spearman(
        fitted.map(value),
        fitted.map((model) => model.published),
      ).toFixed(3)} |\n`,
    );
  }
}

function spearman(a, b) {
  const ranks = (list) => list.map((value) => list.filter((other) => other < value).length);
  const [x, y] = [ranks(a), ranks(b)];
  const n = x.length;
  return 1 - (6 * x.reduce((sum, rank, i) => sum + (rank - y[i]) ** 2, 0)) / (n * (n * n - 1));
}
