/**
 * `tacit data`: what data sets there are, what a file holds, and the same rows as plain JSON lines.
 * May not know: models, tokens.
 */
import type { Command } from "commander";
import type { DataCheck, LengthStats, ReasonCount } from "../../data/check.js";
import type { LoadedExample } from "../../data/record.js";
import type { DataSet } from "../../data/sets/data-set.js";
import { dataOptions, onlyJson } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, plural } from "../../util/progress.js";
import { registerRephrase } from "../data/rephrase.js";
import { defaultLimits, limitOf, specHelp } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

export function registerData(program: Command): void {
  const data = program
    .command("data")
    .description("Lists, checks, shows and exports training data. Nothing in a data file is ever evaluated or changed.")
    .addHelpText("after", `${specHelp}\n\nExample:\n  tacit data check lima:lima_data.jsonl`);
  registerList(data);
  registerCheck(data);
  registerShow(data);
  registerExport(data);
  registerRephrase(data);
}

function registerList(data: Command): void {
  const command = data
    .command("list")
    .description("Lists the data sets known by name: rows, formats, transform, source and licence.");
  addOptions(command, onlyJson)
    .addHelpText("after", "\nExample:\n  tacit data list")
    .action((options: { json: boolean }) =>
      runAction(options, async (io) => {
        const { dataSets } = await import("../../data/registry.js");
        const { formats } = await import("../../data/formats/formats.js");
        for (const set of dataSets) printSet(io, set, set.formats.map((name) => formats[name].title).join(", "));
        return { data_sets: dataSets.map(setSummary) };
      }),
    );
}

function printSet(io: Io, set: DataSet, formatTitles: string): void {
  const rows = set.paperRows === undefined ? "" : ` · ${plural(set.paperRows, "example")} in the paper`;
  io.out(`${set.name}: ${set.title}${rows}\n`);
  io.out(`  instruction  ${set.instruction}\n  response     ${set.response}\n`);
  if (set.leavesOut !== undefined) io.out(`  left out     ${set.leavesOut}\n`);
  io.out(`  formats      ${formatTitles}\n  source       ${set.source}\n  licence      ${set.licence}\n\n`);
}

const setSummary = (set: DataSet): object => ({
  name: set.name,
  title: set.title,
  paper_rows: set.paperRows ?? null,
  limit: set.limit ?? null,
  formats: set.formats,
  instruction: set.instruction,
  response: set.response,
  left_out: set.leavesOut ?? null,
  source: set.source,
  licence: set.licence,
});

function registerCheck(data: Command): void {
  const command = data
    .command("check")
    .description(
      "Reads files to their end and says what is in them: rows, what was left out and why, bad rows, duplicates, empty " +
        "fields, lengths, licence, sha256, and whether the number of examples is the paper's. Exit status 2 for bad rows.",
    )
    .argument("<spec...>", "data: PATH or NAME:PATH");
  addOptions(command, dataOptions.check, { limits: defaultLimits() })
    .addHelpText("after", `${specHelp}\n\nExample:\n  tacit data check lima:lima_data.jsonl poetry:poetry.csv my.jsonl`)
    .action((specs: string[], options: FlagsOf<typeof dataOptions.check>) =>
      runAction(options, async (io) => {
        const { parseDataSpec } = await import("../../data/spec.js");
        const { checkData } = await import("../../data/check.js");
        const parsed = specs.map((text) => parseDataSpec(text)); // all are parsed before the first is read
        const checks: DataCheck[] = [];
        for (const spec of parsed) {
          const check = await checkData(spec, limitOf(options));
          checks.push(check);
          await printCheck(io, check);
        }
        const bad = checks.reduce((sum, check) => sum + check.bad, 0);
        if (bad > 0) process.exitCode = 2;
        return { ok: bad === 0, checks };
      }),
    );
}

async function printCheck(io: Io, check: DataCheck): Promise<void> {
  const { columns, quoted } = await import("../../util/terminal.js");
  const rows: [string, string][] = [
    ["file", `${check.file} · ${check.format_title} · ${formatCount(check.bytes)} bytes`],
    ["sha256", check.sha256],
    ["licence", check.licence],
    ["records", recordsLine(check)],
    ...check.left_out.map((entry): [string, string] => ["left out", reasonLine(entry)]),
    ["messages", messagesLine(check)],
    ["duplicates", duplicatesLine(check)],
    ["empty", `${plural(check.empty.instructions, "instruction")}, ${plural(check.empty.responses, "response")}`],
    ["instruction", lengthLine(check.characters.instruction)],
    ["response", lengthLine(check.characters.response)],
    ...check.notes.map((entry): [string, string] => ["note", reasonLine(entry)]),
    ...check.first_bad.map(({ place, reason }): [string, string] => ["BAD", `${place}: ${quoted(reason)}`]),
  ];
  if (check.bad > check.first_bad.length) rows.push(["BAD", `… ${formatCount(check.bad)} bad rows in all`]);
  io.out(`${quoted(check.spec)}\n`);
  io.out(columns(rows.map(([name, text]) => [`  ${name}`, text])));
  io.out("\n");
  for (const warning of check.warnings) io.note(`warning: ${check.spec}: ${warning}`);
  if (check.bad > 0)
    io.note(
      `${check.spec}: ${formatCount(check.bad)} bad rows; fix or delete them: every other command refuses the file`,
    );
}

function recordsLine(check: DataCheck): string {
  const leftOut = check.left_out.reduce((sum, { count }) => sum + count, 0);
  const paper = check.paper_rows === null ? "" : ` (the paper has ${formatCount(check.paper_rows)})`;
  const stop = check.stopped_at_limit
    ? `; stopped at the limit of ${formatCount(check.limit ?? 0)}, --limit all reads on`
    : "";
  return (
    `${formatCount(check.records)} read = ${plural(check.examples, "example")}${paper} + ${formatCount(leftOut)} left out + ` +
    `${formatCount(check.bad)} bad${stop}`
  );
}

const reasonLine = ({ reason, count, places }: ReasonCount): string =>
  `${formatCount(count)} · ${reason} · ${places.join(", ")}${count > places.length ? ", …" : ""}`;

const messagesLine = (check: DataCheck): string =>
  Object.entries(check.messages)
    .map(([messages, examples]) => `${formatCount(examples)} with ${messages}`)
    .join(", ");

const duplicatesLine = ({ duplicates }: DataCheck): string =>
  `${plural(duplicates.examples, "example")}, ${plural(duplicates.instructions, "instruction")}, ` +
  `${plural(duplicates.responses, "response")}, ${formatCount(duplicates.ids)} ids repeat an earlier one`;

const lengthLine = (stats: LengthStats | null): string =>
  stats === null
    ? "none"
    : `${formatCount(stats.min)} to ${formatCount(stats.max)} characters, median ${formatCount(stats.median)}, mean ` +
      `${formatCount(Math.round(stats.mean))}, 95 % at most ${formatCount(stats.p95)}`;

type ShowOptions = FlagsOf<typeof dataOptions.show>;

function registerShow(data: Command): void {
  const command = data
    .command("show")
    .description("Prints the first examples as they are after the data set's transform, with file and line.")
    .argument("<spec>", "data: PATH or NAME:PATH");
  addOptions(command, dataOptions.show)
    .addHelpText("after", `${specHelp}\n\nExample:\n  tacit data show poetry:poetry.csv --rows 1`)
    .action((text: string, options: ShowOptions) =>
      runAction(options, async (io) => {
        const { parseDataSpec } = await import("../../data/spec.js");
        const { loadExamples } = await import("../../data/load.js");
        const { responseOnly } = await import("../../data/transforms.js");
        const shown: object[] = [];
        const source = loadExamples(parseDataSpec(text), { limit: options.rows, prompts: "auto" });
        for await (const loaded of source) {
          const example = options.objective === "response" ? responseOnly(loaded) : loaded;
          await printExample(io, example);
          const { id, at, messages } = example;
          if (io.json) shown.push({ id, file: at.file, [at.unit]: at.line, messages });
        }
        return { examples: shown };
      }),
    );
}

async function printExample(io: Io, example: LoadedExample): Promise<void> {
  const { paintFor, printable, quoted } = await import("../../util/terminal.js");
  const { formatOrigin } = await import("../../data/record.js");
  const paint = paintFor(process.stdout);
  io.out(`${paint("bold", quoted(example.id))}  ${paint("dim", quoted(formatOrigin(example.at)))}\n`);
  for (const { role, content } of example.messages) {
    io.out(`${paint(role === "user" ? "cyan" : "green", role)}\n${printable(content)}\n`);
  }
  io.out("\n");
}

type ExportCommandOptions = FlagsOf<typeof dataOptions.export>;

function registerExport(data: Command): void {
  const command = data
    .command("export")
    .description("Writes a data set as plain JSON lines: {id, instruction, response}, or {id, messages} for dialogues.")
    .argument("<spec>", "data: PATH or NAME:PATH");
  addOptions(command, dataOptions.export, { limits: defaultLimits() })
    .addHelpText(
      "after",
      `${specHelp}\n\nExample:\n  tacit data export lima:lima_data.jsonl --objective response --out lima-responses.jsonl`,
    )
    .action((text: string, options: ExportCommandOptions) =>
      runAction(options, (io) => carryOutExport(io, text, options)),
    );
}

async function carryOutExport(io: Io, text: string, options: ExportCommandOptions): Promise<object> {
  const { UserError } = await import("../../util/errors.js");
  const { sha256File } = await import("../../util/files.js");
  const { parseDataSpec } = await import("../../data/spec.js");
  const { exportData } = await import("../../data/export.js");
  const { out, objective, layout } = options;
  if (!out.toLowerCase().endsWith(".jsonl")) {
    throw new UserError(`--out ${out} does not end in .jsonl`, { remedy: "JSON lines is what is written; name it so" });
  }
  const spec = parseDataSpec(text);
  const report = await exportData(spec, out, {
    ...limitOf(options),
    objective,
    layout,
    force: options.force,
    signal: io.signal,
  });
  const leftOut = [...report.leftOut].map(([reason, { count }]) => ({ reason, count }));
  for (const { reason, count } of leftOut) io.note(`left out: ${formatCount(count)} · ${reason}`);
  io.out(`${out}: ${plural(report.examples, "example")} of ${formatCount(report.records)} records\n`);
  return {
    out,
    sha256: await sha256File(out),
    records: report.records,
    examples: report.examples,
    left_out: leftOut,
    objective,
    layout,
  };
}
