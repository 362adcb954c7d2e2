/**
 * How fast are rows? `tacit render` as a process, from start to end: examples to ids, masks, certificate and files. With `--python` the same
 * with `tokenizers` there, in turns, and whether they wrote the same rows.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathIn } from "../src/data/spec.js";
import { CONFIG, TOKENIZER, TOKENIZER_CONFIG } from "../src/util/model-files.js";
import { packageRoot, packageVersion } from "../src/util/system.js";
import { type Bench, type Figure, type Settings, temporaryFolder } from "./bench.js";
import { madeUpRows } from "./made-up-rows.js";
import { median, rate } from "./measure.js";
import { pythonScript } from "./peers/peer.js";
import { type Timed, tacit, timed } from "./process.js";

interface Program {
  readonly label: string;
  readonly command: readonly [string, readonly string[]];
  /** The rows that it writes. */
  readonly out: string;
  readonly times: Timed[];
}

export const render: Bench = {
  about: "examples to ids and loss masks, whole processes",
  flags: {
    model: {
      value: "DIR",
      help: "a folder with a tokenizer in place of assets/stories260k; config.json where it has one",
    },
    data: { value: "SPEC", help: "examples as tacit render takes them, in place of 5,000 made-up rows" },
    objective: { value: "NAME", help: "instruction or response (instruction)" },
    python: { value: "PATH", help: "a Python with tokenizers: the same there, in turns; --data must be JSON lines" },
  },
  async *run(settings) {
    using folder = temporaryFolder();
    const model = settings.text("model") ?? join(packageRoot(), "assets", "stories260k");
    const data = settings.text("data") ?? madeUpRows(folder.at("made-up.jsonl"), settings.quick ? 50 : 5000);
    const objective = settings.text("objective") ?? "instruction";
    const asked = ["--model", withConfig(model, folder.at("model")), "--objective", objective];
    const programs = programsOf(data, settings).map(({ label, command: [program, args] }, i): Program => {
      const out = folder.at(`${i}.jsonl`);
      return { label, command: [program, [...args, ...asked, "--out", out]], out, times: [] };
    });
    for (let run = 0; run <= settings.runs; run++) {
      for (const { label, command, times } of programs) {
        const time = timed(...command);
        settings.note(`run ${run} of ${settings.runs}: ${label}: ${time.passed.toFixed(2)} s`);
        if (run > 0) times.push(time);
      }
    }
    const ours = rowsOf(programs[0]);
    const named = settings.text("data") === undefined ? "made-up rows" : basename(data);
    yield {
      title: `render ${named}, ${basename(resolve(model))}, ${ours.length} rows, objective ${objective}, whole processes`,
      figures: programs.map((program) => figureOf(program, programs[0], ours)),
    };
  },
};

function programsOf(data: string, settings: Settings): Pick<Program, "label" | "command">[] {
  const flags = ["--data", data, "--limit", "all", "--template", "tulu", "--skip-empty", "--force"];
  const ours = { label: `Tacit ${packageVersion()}`, command: tacit("render", ...flags) };
  const python = settings.text("python");
  if (python === undefined) return [ours];
  const script = [pythonScript("render_tokenizers.py"), "--data", pathIn(data)];
  const version = timed(python, ["-c", "import tokenizers; print(tokenizers.__version__)"]).output.trim();
  const label = `Python, tokenizers ${version}`;
  return [
    ours,
    { label: `${label}, text by text`, command: [python, script] },
    { label: `${label}, all texts at once`, command: [python, [...script, "--batch"]] },
  ];
}

/** A folder that Tacit reads as a model's: one that has only the tokenizer is copied, and given the least config.json. */
function withConfig(model: string, copy: string): string {
  if (existsSync(join(model, CONFIG))) return model;
  mkdirSync(copy);
  for (const name of [TOKENIZER, TOKENIZER_CONFIG]) copyFileSync(join(model, name), join(copy, name));
  writeFileSync(join(copy, CONFIG), JSON.stringify({ model_type: "llama" }));
  return copy;
}

interface WrittenRow {
  readonly id: string;
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}

function rowsOf(program: Program | undefined): WrittenRow[] {
  if (program === undefined) return [];
  const lines = readFileSync(program.out, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

function figureOf(program: Program, first: Program | undefined, ours: readonly WrittenRow[]): Figure {
  const passed = ({ times }: Program) => times.map((time) => time.passed);
  const amount = ours.reduce((sum, { input_ids: { length } }) => sum + length, 0);
  const processor = `${median(program.times.map((time) => time.processor)).toFixed(2)} s`;
  const more = { seconds: median(passed(program)).toFixed(2), "on the processor": processor };
  const differ = program === first ? {} : { "rows that differ": `${differing(ours, rowsOf(program))}` };
  return rate({ work: program.label, unit: "ids/s", amount, times: passed(program), more: { ...more, ...differ } });
}

/** How many rows have not the same id, ids and labels, or are missing on one side. */
function differing(ours: readonly WrittenRow[], theirs: readonly WrittenRow[]): number {
  const content = (row: WrittenRow | undefined) => JSON.stringify([row?.id, row?.input_ids, row?.labels]);
  const places = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, i) => i);
  return places.filter((i) => content(ours[i]) !== content(theirs[i])).length;
}
