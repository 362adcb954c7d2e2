/**
 * One file's win rate as a whole process, from start to end, and the official package's for the same figure in turns with it. PYTHON is one
 * that has alpaca-eval 0.6.6 (`pip install alpaca-eval==0.6.6 'setuptools<80' 'datasets<4'`).
 */
import { join } from "node:path";
import { present } from "../src/util/errors.js";
import { packageRoot } from "../src/util/system.js";
import { type Bench, needed } from "./bench.js";
import { duration, median } from "./measure.js";
import { tacit, timed } from "./process.js";

// The package's own functions, with its download replaced by a file and nothing written.
const OFFICIAL = `
import json, sys
import pandas as pd
import alpaca_eval.main
import alpaca_eval.metrics.glm_winrate as glm
glm.hf_hub_download = lambda **_: sys.argv[2]
rows = pd.DataFrame(json.load(open(sys.argv[1])))
print(glm.get_length_controlled_winrate(rows, save_weights_dir=None)["length_controlled_winrate"])
`;

export const winrate: Bench = {
  about: "a length-controlled win rate, whole processes",
  flags: {
    annotations: { value: "FILE", help: "judged pairs" },
    "lc-data": { value: "DIR", help: "as tacit winrate takes it" },
    gamed: { value: "FILE", help: "with --python: df_gamed.csv of alpaca-eval" },
    python: { value: "PATH", help: "a Python with alpaca-eval 0.6.6: the same there, in turns" },
  },
  async *run(settings) {
    const made = join(packageRoot(), "test", "fixtures", "winrate");
    const file = settings.quick ? join(made, "annotations.json") : needed(settings, "annotations");
    const data = settings.quick ? made : needed(settings, "lc-data");
    const programs = [
      { label: "tacit winrate", command: tacit("winrate", file, "--lc-data", data, "--compat", "alpaca_eval") },
    ];
    if (settings.given("python")) {
      const args = ["-W", "ignore", "-c", OFFICIAL, file, needed(settings, "gamed")];
      programs.push({ label: "alpaca-eval 0.6.6", command: [needed(settings, "python"), args] });
    }
    const times = programs.map(({ command }) => ({ command, found: [] as ReturnType<typeof timed>[] }));
    for (let run = 0; run <= settings.runs; run++) {
      for (const { command, found } of times) {
        const time = timed(...command);
        if (run > 0) found.push(time);
      }
    }
    const figures = programs.map(({ label }, i) => {
      const found = present(times[i], label).found;
      const processor = median(found.map((time) => time.processor)).toFixed(2);
      return duration(
        label,
        found.map(({ passed }) => passed),
        { "on the processor": `${processor} s` },
      );
    });
    yield { title: "win rate of one file, whole processes", figures };
  },
};
