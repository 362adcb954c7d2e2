/**
 * `node bench/run.mjs [train|decode|rank|render|report …]`: each bench in turn, then one table. Needs a build; `npm run bench` makes it.
 * Exit status as the command's: 0 done, 2 the caller's mistake in one line, 1 a defect of ours.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";

/** Each bench: options in, results out. Loaded when it is asked for. */
const benches = {
  train: async (options) => (await import("./train.mjs")).benchTrain(options),
  decode: async (options) => (await import("./decode.mjs")).benchDecode(options),
  rank: async (options) => (await import("./rank.mjs")).benchRank(options),
  render: async (options) => (await import("./render.mjs")).benchRender(options),
  report: async (options) => (await import("./report.mjs")).benchReport(options),
};

const usage = `node bench/run.mjs [${Object.keys(benches).join("|")} …]   (default: all)

  --runs N      runs that count, after one that does not (default 5; with --quick 2)
  --quick       tiny sizes: does it run at all? The figures mean nothing
  --threads N   cores a program may use (default: those there are)
  --model DIR   decode and rank: this model and not random weights; render: its tokenizer and not stories260k's
  --precision P decode and rank: f32 or q8 (default f32)
  --data SPEC   render: these rows (PATH or NAME:PATH) and not made-up ones
  --trial DIR   train: also another implementation's step, DIR/onnx-training.mjs; onnx-proto must be importable from DIR
  --json        one JSON object on standard output and no table
  --help
`;

/** The caller's mistake: one line, exit status 2. */
class Mistake extends Error {}

try {
  await main();
} catch (error) {
  process.exitCode = await report(error);
}

async function main() {
  const { values, positionals } = readArguments();
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const names = chosen(positionals);
  if (!existsSync(new URL("../dist/cli/main.js", import.meta.url)))
    throw new Mistake("dist is not built: npm run build");
  const { machine } = await import("./measure.mjs");
  const { machineLine, notes, table } = await import("./table.mjs");
  const { availableCores } = await import("../dist/util/system.js");
  const options = {
    runs: count(values.runs, "--runs") ?? (values.quick ? 2 : 5),
    quick: values.quick,
    threads: count(values.threads, "--threads") ?? availableCores(),
    model: values.model,
    precision: precision(values.precision),
    data: values.data,
    trial: values.trial,
    note: (text) => process.stderr.write(`${text}\n`),
  };
  const where = machine(options.threads);
  const results = [];
  for (const name of names) results.push(...(await benches[name](options)));
  if (values.json) {
    const { runs, quick } = options;
    process.stdout.write(
      `${JSON.stringify({ machine: where, runs, quick, results, notes: notes(results) }, null, 2)}\n`,
    );
    return;
  }
  const quickly = options.quick ? ["Quick: tiny sizes, the figures mean nothing."] : [];
  const remarks = [...quickly, ...notes(results)].map((note) => `\n${note}\n`).join("");
  process.stdout.write(`\n${machineLine(where)}\n\n${table(results)}\n${remarks}`);
}

function readArguments() {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        runs: text,
        threads: text,
        model: text,
        precision: text,
        data: text,
        trial: text,
        quick: flag,
        json: flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new Mistake(`${error.message.split(". ")[0]}; --help lists what there is`);
  }
}

function chosen(names) {
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined)
    throw new Mistake(`no bench is called ${unknown}; known: ${Object.keys(benches).join(", ")}`);
  return names.length === 0 ? Object.keys(benches) : names;
}

function count(text, flag) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Mistake(`${flag} takes a whole number from 1 to 9999`);
  return Number(text);
}

function precision(name = "f32") {
  if (name !== "f32" && name !== "q8") throw new Mistake("--precision takes f32 or q8");
  return name;
}

async function report(error) {
  const line = error instanceof Mistake ? error.message : await userLine(error);
  process.stderr.write(`${line === undefined ? error.stack : `bench: ${line}`}\n`);
  return line === undefined ? 1 : 2;
}

/** What the package says of its users' mistakes; where it is not built, nothing. */
async function userLine(error) {
  if (!existsSync(new URL("../dist/util/errors.js", import.meta.url))) return undefined;
  const { userErrorOf } = await import("../dist/util/errors.js");
  return userErrorOf(error)?.line;
}
