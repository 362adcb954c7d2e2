/**
 * Options are defined once, in `src/options`. Every surface is held to that: the guide's tables (written anew by `npm run docs`), the flags,
 * and the source, in which no flag, range or default of an option is spelled a second time.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { commands } from "../src/cli/commands.js";
import { defaultLimits } from "../src/cli/data-options.js";
import { takesOf } from "../src/cli/flags.js";
import { templateNames } from "../src/cli/template-options.js";
import { elsewhere, settingsKeys, studySettings } from "../src/options/study-settings.js";
import { entryNamed, tables } from "../src/options/tables.js";
import { type Entries, type Entry, flagOf, keyName, omit, spokenDefault } from "../src/util/options.js";

const root = new URL("..", import.meta.url).pathname;
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => ({ file, text: readFileSync(join(root, "src", file), "utf8") }));

const words: Readonly<Record<string, string>> = { limits: defaultLimits(), templates: templateNames(), cores: "" };

/** Of the commands of a study, those that `study run` has not. */
const shownOf = (command: string): Entries => {
  const table: Entries = tables[command as keyof typeof tables];
  const more = command.startsWith("study ") && command !== "study run";
  return more ? omit(table, ...Object.keys(tables["study run"])) : table;
};

/** The guide's table of a command's options. */
function guideTable(command: string, table: Entries): string {
  const study = command in studySettings;
  const fill = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (_, word: string) => words[word] ?? `\`${flagOf(word, table[word]!)}\``);
  const rows = Object.entries(table)
    .filter(([, { argument }]) => argument === undefined)
    .map(([name, entry]) => {
      const spoken = entry.default === true ? "off" : spokenDefault(entry);
      const known = entry.needed === undefined ? fill(spoken ?? "") : "must be given";
      return `| \`${flagOf(name, entry)}${takesOf(entry)}\` | ${choicesOf(entry)}${fill(entry.help)} | ${known} | ${scriptName(name, entry)} |${study ? ` ${inStudies(command as StudyCommand, name, entry)} |` : ""}`;
    });
  return [
    `| option | | default | in scripts |${study ? " in studies |" : ""}`,
    `| --- | --- | --- | --- |${study ? " --- |" : ""}`,
    ...rows,
  ]
    .join("\n")
    .replaceAll("<|", "<\\|")
    .replaceAll("|>", "\\|>");
}

type StudyCommand = keyof typeof studySettings;
/** Where a study says it: the key of its settings, or what it follows from. */
function inStudies(command: StudyCommand, name: string, entry: Entry): string {
  if (name in studySettings[command]) return `\`${settingsKeys[command]}: ${keyName(name, entry)}\``;
  const place = (elsewhere[command] as Readonly<Record<string, string>>)[name] ?? "";
  return place === "" ? "" : `by \`${place}\``;
}

const scriptName = (name: string, { only }: Entry): string => (only === undefined ? `\`${name}\`` : "");
const choicesOf = ({ type: { form } }: Entry): string =>
  form?.form === "choice"
    ? `${form.names.map((name) => `\`${form.lower ? name.toLowerCase() : name}\``).join(", ")}: `
    : "";

const guide = join(root, "docs/guide");
const marked = /(<!-- options of tacit ([a-z ]+) -->\n)[\s\S]*?(\n<!-- end of options -->)/g;
const pages = readdirSync(guide)
  .map((name) => ({ name, text: readFileSync(join(guide, name), "utf8") }))
  .filter(({ text }) => text.includes("<!-- options of tacit "));

describe("the guide", () => {
  it.each(pages)("$name has the tables of today; `npm run docs` writes them", async ({ name, text }) => {
    const written = text.replaceAll(marked, (_, begin: string, command: string, end: string) => {
      expect(Object.keys(tables)).toContain(command);
      return `${begin}${guideTable(command, shownOf(command))}${end}`;
    });
    await expect(written).toMatchFileSnapshot(join(guide, name));
  });
  it("has one of every command with options of its own", () => {
    const found = pages.flatMap(({ text }) => [...text.matchAll(marked)].map(([, , command]) => command));
    const own = Object.entries(tables).filter(([, table]) => Object.keys(table).length > 1);
    expect(found.sort()).toEqual(own.map(([name]) => name).sort());
  });
});

describe("the command line", () => {
  it("has the flags of the tables and no others", async () => {
    const program = new Command("tacit");
    for (const { load } of commands) (await load())(program);
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
    const nameOf = (command: Command): string =>
      command.parent === null ? "" : `${nameOf(command.parent)} ${command.name()}`.trim();
    const found = leaves(program).map((command) => [nameOf(command), command.options.map(({ long }) => long)] as const);
    const wanted = Object.entries<Entries>(tables).map(([name, table]) => [
      name,
      Object.entries(table).flatMap(([option, entry]) => (entry.argument === true ? [] : [flagOf(option, entry)])),
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  });
  it("makes flags in one place", () => {
    const makes = /new Option\(|\.(?:option|requiredOption)\(\s*["`']-|InvalidArgumentError/;
    expect(sources.filter(({ text }) => makes.test(text)).map(({ file }) => file)).toEqual(["cli/flags.ts"]);
  });
});

describe("the source below the tables", () => {
  const others = sources.filter(({ file }) => !file.startsWith("options/"));
  const all = Object.values<Entries>(tables).flatMap((table) => Object.entries(table));

  it("names no option that is in no table", () => {
    const speaking = others.filter(({ text }) => /from "[./]*words\.js"/.test(text));
    const named = speaking.flatMap(({ file, text }) =>
      [...text.matchAll(/\boption\("(\w+)"/g)].map(([, name]) => ({ file, name: name! })),
    );
    expect(named.filter(({ name }) => entryNamed(name) === undefined)).toEqual([]);
  });
  it("fills no default of an option in beside the table: withDefaults does", () => {
    const told = ({ default: value, presets }: Entry): boolean => value !== undefined || presets !== undefined;
    const open = new Set(all.flatMap(([name, entry]) => (told(entry) ? [] : [name]))); // in some command
    const names = [...new Set(all.map(([name]) => name))].filter((name) => !open.has(name)).join("|");
    const value = String.raw`(?:["']\w|-?\d|true\b|[A-Z][A-Z_]{3})`; // that a flag is off where nobody gave it is no choice
    const again = [
      new RegExp(String.raw`\b(?:options|request|work|settings|flags|given)\.(?:${names}) \?\? ${value}`),
      new RegExp(
        String.raw`\{[^{}\n]*\b(?:${names}) = ${value}[^{}\n]*\}(?: = (?:options|request|work|settings|flags)\b|: \w*(?:Options|Request|Work))`,
      ),
    ];
    const found = others.flatMap(({ file, text }) =>
      again.flatMap((one) => one.exec(text)?.map((hit) => `${file}: ${hit}`) ?? []),
    );
    expect(found).toEqual([]);
  });
  it("has no help text of an option beside the table", () => {
    const helps = all.map(([, { help }]) => help).filter((help) => help.split(" ").length > 4 && !help.includes("{"));
    expect(
      others.flatMap(({ file, text }) =>
        helps.filter((help) => text.includes(`"${help}`)).map((help) => `${file}: ${help}`),
      ),
    ).toEqual([]);
  });
  it("spells no flag in a message: it names the option, and the surface spells it", () => {
    const commandLines: Readonly<Record<string, string>> = {
      "util/model-mistakes.ts": "commands that fetch and import a model",
      "weights/gguf.ts": "a command of llama.cpp",
      "text/certificate.ts": "tacit render --show",
      "report/repeat.ts": "the command that repeats a study",
      "report/read.ts": "the command that makes the folder",
      "report/style.ts": "CSS",
      "glasshouse/model/card.ts": "the command that makes the model",
      "glasshouse/files/data-files.ts": "the command that makes the files",
      "study/plan/plan.ts": "what `study plan` says of a machine too small",
      "study/plan/read.ts": "tacit study --help",
      "judge/marker-reply.ts": "a decrement",
    };
    const spelt = others
      .filter(({ file }) => !file.startsWith("cli/"))
      .filter(({ text }) => /["`'][^"`'\n]*--[a-z]{2}/.test(text.replace(/\/\*[\s\S]*?\*\/|(?<![:"])\/\/.*$/gm, "")))
      .map(({ file }) => file);
    expect(spelt.filter((file) => !(file in commandLines))).toEqual([]);
    expect(Object.keys(commandLines).filter((file) => !spelt.includes(file))).toEqual([]);
  });
  it("spells every option alike wherever it is", () => {
    const spellings = new Map<string, Set<string>>();
    for (const [name, entry] of all) spellings.set(name, (spellings.get(name) ?? new Set()).add(keyName(name, entry)));
    expect([...spellings].filter(([, keys]) => keys.size > 1)).toEqual([]);
  });
});
