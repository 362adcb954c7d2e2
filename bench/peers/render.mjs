/**
 * `node bench/peers/render.mjs --model DIR --data lima:FILE --python PYTHON`: `tacit render` and the same in Python with `tokenizers`, whole
 * processes from start to end, in turns; and whether they wrote the same rows. Needs a build; README.md says what Python needs.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pathIn } from "../../dist/data/spec.js";
import { availableCores, packageRoot, packageVersion } from "../../dist/util/system.js";
import { machine, median } from "../measure.mjs";
import { timed } from "../timed.mjs";
import { headline, markdown } from "./peer.mjs";

const usage = `node bench/peers/render.mjs --model DIR --data SPEC --python PATH [--objective response] [--runs 5] [--json]

  --model DIR     a folder with tokenizer.json and tokenizer_config.json; config.json where it has one
  --data SPEC     examples as tacit render takes them: JSON lines with messages, as in lima:lima_data.jsonl
  --python PATH   a Python with tokenizers
  --objective N   response or instruction (response)
  --runs N        runs that count, after one that does not (5)
`;
const text = { type: "string" };
const { values } = parseArgs({
  options: {
    model: text,
    data: text,
    python: text,
    objective: { ...text, default: "response" },
    runs: { ...text, default: "5" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help || [values.model, values.data, values.python].includes(undefined)) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}
const [runs, threads] = [Number(values.runs), availableCores()];

const folder = mkdtempSync(join(tmpdir(), "tacit-render-"));
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(130));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const programs = programsOn(tokenizerFolder(values.model));
for (let run = 0; run <= runs; run++) {
  for (const { label, command, args, times } of programs) {
    const time = timed(command, args);
    process.stderr.write(`run ${run} of ${runs}: ${label}: ${time.passed.toFixed(2)} s\n`);
    if (run > 0) times.push(time);
  }
}
const results = figures();
process.stdout.write(
  values.json ? `${JSON.stringify({ machine: machine(threads), runs, ...results }, null, 2)}\n` : table(results),
);

/** A folder that Tacit reads as a model's: one that has only the tokenizer is copied, and given the least config.json. */
function tokenizerFolder(model) {
  if (existsSync(join(model, "config.json"))) return model;
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(model, name), join(folder, name));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "llama" }));
  return folder;
}

function programsOn(model) {
  const version = execFileSync(values.python, ["-c", "import tokenizers; print(tokenizers.__version__)"]);
  const program = (label, command, args) => {
    const out = join(folder, `${label.replaceAll(/\W/g, "-")}.jsonl`);
    return {
      label,
      command,
      args: [...args, "--model", model, "--objective", values.objective, "--out", out],
      out,
      times: [],
    };
  };
  const main = join(packageRoot(), "dist", "cli", "main.js");
  const tacit = ["render", "--data", values.data, "--limit", "all", "--template", "tulu", "--skip-empty", "--force"];
  const script = [join(import.meta.dirname, "render_tokenizers.py"), "--data", pathIn(values.data)];
  const python = `Python, tokenizers ${version.toString().trim()}`;
  return [
    program(`Tacit ${packageVersion()}`, process.execPath, [main, ...tacit]),
    program(`${python}, text by text`, values.python, script),
    program(`${python}, all texts at once`, values.python, [...script, "--batch"]),
  ];
}

function figures() {
  const rowsOf = ({ out }) =>
    readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const ours = rowsOf(programs[0]);
  const all = programs.map((program) => {
    const passed = program.times.map((time) => time.passed);
    return {
      label: program.label,
      seconds: median(passed),
      lowest: Math.min(...passed),
      highest: Math.max(...passed),
      processor: median(program.times.map(({ processor }) => processor)),
      rows_that_differ: differing(ours, rowsOf(program)),
    };
  });
  const [tacit, ...others] = all;
  const ratio = (what) => tacit[what] / Math.min(...others.map((other) => other[what]));
  const work = { data: values.data, objective: values.objective, rows: ours.length };
  return { ...work, programs: all, ratio: ratio("seconds"), processor_ratio: ratio("processor") };
}

/** How many rows have not the same id, ids and labels, or are missing on one side. */
function differing(ours, theirs) {
  const content = (row) => JSON.stringify([row?.id, row?.input_ids, row?.labels]);
  const places = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, i) => i);
  return places.filter((i) => content(ours[i]) !== content(theirs[i])).length;
}

function table({ objective, rows, programs: all, ratio, processor_ratio: processorRatio }) {
  const cells = all.map(({ label, seconds, lowest, highest, processor, rows_that_differ: differ }) => [
    label,
    `${seconds.toFixed(2)} s (${lowest.toFixed(2)} to ${highest.toFixed(2)})`,
    `${processor.toFixed(2)} s`,
    `${differ}`,
  ]);
  return (
    `render: ${rows} rows, objective ${objective}, whole processes\n${headline(threads, runs)}\n\n` +
    `${markdown(["", "time: median (lowest to highest)", "processor time", "rows that differ"], cells)}\n` +
    `${all[0].label} takes ${ratio.toFixed(2)} times as long as the faster of the others, ${processorRatio.toFixed(2)} times the least processor time\n`
  );
}
