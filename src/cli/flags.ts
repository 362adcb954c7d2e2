/**
 * From tables of options to flags of commands: the one place that makes them. A wrong value is one line that names the flag.
 * May not know: any option, any command.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Form, readText } from "../util/option-kinds.js";
import { type Entries, type Entry, flagOf, spokenDefault, written } from "../util/options.js";

import { availableCores } from "../util/system.js";

/** What stands for `{name}` in help texts. */
export type HelpWords = Readonly<Record<string, string>>;

/** What this machine knows. */
const machine = (): HelpWords => ({ cores: `, ${availableCores()}` });

/**
 * Adds every option of the table, in its order: arguments by their place, all others as flags. Values come under the names that scripts use.
 *
 * @param words  what stands for `{word}` in help texts; the name of another option stands for its flag
 */
export function addOptions(command: Command, table: Entries, words: HelpWords = {}): Command {
  const filled = { ...machine(), ...words };
  const fill = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (_, word: string) => filled[word] ?? flagOf(word, table[word] ?? {}));
  for (const [name, entry] of Object.entries(table)) {
    if (entry.argument === true) command.argument(argumentOf(name, entry), fill(entry.help));
    else command.addOption(flagFor(name, entry, fill));
  }
  return command;
}

const argumentOf = (name: string, { type }: Entry): string => `<${name}${type.form?.form === "list" ? "..." : ""}>`;

const stands: Readonly<Record<Form["form"], string>> = {
  whole: "n",
  decimal: "x",
  choice: "name",
  text: "text",
  list: "list",
  either: "value",
  flag: "",
};

/** How a usage line shows what the flag takes: ` <n>`. */
export function takesOf({ type: { form }, takes }: Entry): string {
  const one = form?.form === "list" && form.of.form === "text" ? form.of : form; // given several times
  const shown = takes ?? stands[one?.form ?? "text"];
  return shown === "" ? "" : ` <${shown}>`;
}

function flagFor(name: string, entry: Entry, fill: (text: string) => string): Option {
  const { type, default: value, needed } = entry;
  const spoken = spokenDefault(entry);
  const negated = value === true;
  const told = value === undefined && spoken !== undefined ? ` (default: ${fill(spoken)})` : "";
  const option = new Option(`${flagOf(name, entry)}${takesOf(entry)}`, fill(entry.help) + told);
  option.attributeName = () => name; // by the name in scripts, whatever the flag is called
  if (value !== undefined && !negated) option.default(value, spoken === undefined ? undefined : fill(spoken));
  if (needed !== undefined) option.makeOptionMandatory();
  if (type.form?.form === "choice") option.choices(type.form.names.map((choice) => written(entry, choice)));
  const parse = parserOf(entry);
  return parse === undefined ? option : option.argParser(parse);
}

/** @returns nothing for text, which is taken as it is, and for flags without a value */
function parserOf(entry: Entry): ((text: string, before: unknown) => unknown) | undefined {
  const { form, wanted } = entry.type;
  if (form === undefined || form.form === "text" || form.form === "flag") return undefined;
  if (form.form === "list" && form.of.form === "text") {
    return (text, before) => [...(Array.isArray(before) ? before : []), text];
  }
  const refusal =
    form.form === "choice"
      ? `Allowed choices are ${form.names.map((choice) => written(entry, choice)).join(", ")}.`
      : `Give ${wanted}.`;
  return (text) => {
    const value = readText(form, text);
    if (value === undefined) throw new InvalidArgumentError(refusal);
    return value;
  };
}
