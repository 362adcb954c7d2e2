/**
 * `node bench/winrate.mjs ANNOTATIONS --lc-data DIR [--python PYTHON --gamed df_gamed.csv] [--runs N]`: one file's figure as a whole process,
 * from start to end, and the official package's for the same figure in turns with it. Needs a build; PYTHON is one that has alpaca-eval
 * 0.6.6 (`pip install alpaca-eval==0.6.6 'setuptools<80' 'datasets<4'`). Processor time is printed beside the time that passed, because
 * the machine's other work stretches only the latter.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { timed } from "./timed.mjs";

const text = { type: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "lc-data": text, python: text, gamed: text, runs: { ...text, default: "5" } },
});
const [file] = positionals;
if (file === undefined || values["lc-data"] === undefined) {
  process.stderr.write("bench: name a file of annotations and --lc-data DIR\n");
  process.exit(2);
}

// The package's own functions, with its download replaced by a file and nothing written.
const official = `
import json, sys
import pandas as pd
import alpaca_eval.main
import alpaca_eval.metrics.glm_winrate as glm
glm.hf_hub_download = lambda **_: sys.argv[2]
rows = pd.DataFrame(json.load(open(sys.argv[1])))
print(glm.get_length_controlled_winrate(rows, save_weights_dir=None)["length_controlled_winrate"])
`;
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const programs = {
  tacit: [process.execPath, [main, "winrate", file, "--lc-data", values["lc-data"], "--compat", "alpaca_eval"]],
};
if (values.python !== undefined && values.gamed !== undefined) {
  programs.alpaca_eval = [values.python, ["-W", "ignore", "-c", official, file, values.gamed]];
}

const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let run = 0; run < Number(values.runs); run++) {
  for (const [name, [program, args]] of Object.entries(programs)) times[name].push(timed(program, args));
}
const best = (name, what) => Math.min(...times[name].map((time) => time[what]));
for (const name of Object.keys(programs)) {
  process.stdout.write(
    `${name}: ${best(name, "passed").toFixed(2)} s, ${best(name, "processor").toFixed(2)} s of processor time (best of ${values.runs})\n`,
  );
}
if (programs.alpaca_eval !== undefined) {
  const ratio = (what) => (best("tacit", what) / best("alpaca_eval", what)).toFixed(3);
  process.stdout.write(`ratio: ${ratio("passed")} of the time, ${ratio("processor")} of the processor time\n`);
}
