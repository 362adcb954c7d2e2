/**
 * `npm run bench -- [NAME …]`: each bench in turn, its tables beside the machine's matrix-product peak.
 * Exit status as the command's: 0 done, 2 the caller's mistake in one line, 1 a figure that is not as it should be, or a defect of ours.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UserError, userErrorOf } from "../src/util/errors.js";
import { availableCores } from "../src/util/system.js";
import { type Bench, countOf, type Settings, type Table } from "./bench.js";
import { coverage } from "./coverage.js";
import { decode } from "./decode.js";
import { drift } from "./drift.js";
import { growth } from "./growth.js";
import { leaderboard } from "./leaderboard.js";
import { lengthControl } from "./length-control.js";
import { gemmPeak, machine } from "./measure.js";
import { rank } from "./rank.js";
import { render } from "./render.js";
import { report } from "./report.js";
import { scroll } from "./scroll.js";
import { machineLine, markdown, type Peak } from "./table.js";
import { train } from "./train.js";
import { winrate } from "./winrate.js";

/** Those that need nothing named, and run when none is. */
const usual: Readonly<Record<string, Bench>> = { train, decode, rank, render, report };
const benches: Readonly<Record<string, Bench>> = {
  ...usual,
  ...{ growth, drift, coverage, "length-control": lengthControl, leaderboard, winrate, scroll },
};
const shared: Bench["flags"] = {
  runs: { value: "N", help: "runs that count, after one that does not (default 5; with --quick 1)" },
  threads: { value: "N", help: "cores a program may use (default: those there are)" },
  quick: { help: "tiny sizes and made-up files: does it run at all? The figures mean nothing. Without a name: all" },
  json: { help: "one JSON object on standard output and no table" },
  help: { help: "" },
};

try {
  await main();
} catch (error) {
  const mistake = userErrorOf(error);
  process.stderr.write(`${mistake === undefined ? (error as Error).stack : `bench: ${mistake.line}`}\n`);
  process.exitCode = mistake === undefined ? 1 : 2;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) {
    process.stdout.write(usage());
    return;
  }
  const quick = values.quick === true;
  const names = positionals.length > 0 ? positionals : Object.keys(quick ? benches : usual);
  const text = (flag: string) => (typeof values[flag] === "string" ? values[flag] : undefined);
  const settings: Settings = {
    quick,
    runs: countOf(text("runs"), "runs", quick ? 1 : 5),
    threads: countOf(text("threads"), "threads", availableCores()),
    text,
    given: (flag) => values[flag] !== undefined,
    note: (line) => process.stderr.write(`${line}\n`),
  };
  for (const name of names) refuseUnknown(name, values);
  const where = machine(settings.threads);
  if (!values.json) process.stdout.write(`${machineLine(where)}\n${quick ? "Quick: the figures mean nothing.\n" : ""}`);
  const tables: (Table & { readonly peak: Peak })[] = [];
  for (const name of names) {
    for await (const table of besidePeaks(benches[name] as Bench, settings)) {
      tables.push(table);
      if (!values.json) process.stdout.write(`\n${markdown(table, table.peak)}`);
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine: where, runs: settings.runs, quick, tables })}\n`);
  if (tables.some(({ failed }) => failed)) process.exitCode = 1;
}

/** Each table between two measurements, so that a figure is read beside the machine of its own minute. */
async function* besidePeaks(bench: Bench, settings: Settings): AsyncGenerator<Table & { readonly peak: Peak }> {
  let before = await gemmPeak(settings.threads, settings.quick);
  for await (const table of bench.run(settings)) {
    const after = await gemmPeak(settings.threads, settings.quick);
    yield { ...table, peak: { before, after } };
    before = after;
  }
}

function readArguments() {
  const flags = Object.assign({}, shared, ...Object.values(benches).map((bench) => bench.flags)) as Bench["flags"];
  const options: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }]),
  );
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new UserError((error as Error).message.split(". ")[0] ?? "", { remedy: "--help lists what there is" });
  }
}

/** A flag of another bench would be ignored without a word. */
function refuseUnknown(name: string, values: Readonly<Record<string, unknown>>): void {
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  const remedy = "--help lists what there is";
  if (bench === undefined) throw new UserError(`no bench is called ${name}`, { remedy });
  const stray = Object.keys(values).find((flag) => !Object.hasOwn({ ...shared, ...bench.flags }, flag));
  if (stray !== undefined) throw new UserError(`${name} does not take --${stray}`, { remedy });
}

function usage(): string {
  const lines = (flags: Bench["flags"]) =>
    Object.entries(flags)
      .filter(([, { help }]) => help !== "")
      .map(([name, { value = "", help }]) => `  ${`--${name} ${value}`.padEnd(28)}${help}\n`)
      .join("");
  const all = Object.entries(benches).map(([name, { about, flags }]) => `\n${name}: ${about}\n${lines(flags)}`);
  return `npm run bench -- [NAME …]   (default: ${Object.keys(usual).join(", ")})\n\n${lines(shared)}${all.join("")}`;
}
