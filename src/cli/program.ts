/**
 * The commander program: one command loaded, the others by name and summary.
 * May not know: what any command does.
 */
import { Command } from "commander";
import { packageVersion } from "../util/system.js";
import { excerpt, shorten } from "../util/terminal.js";
import { commands } from "./commands.js";
import { LONGEST_MESSAGE } from "./run-action.js";

const description =
  "Tacit finds out whether a language model follows instructions without having been taught to, and makes it do so: " +
  "it tunes on responses alone, on one narrow task, or not at all (a three-rule adapter), generates, scores and ranks.";

const epilogue = `
Every command explains itself:  tacit COMMAND --help
With --json a command prints one JSON summary on standard output; progress and warnings go to standard error.
Exit status: 0 done, 2 something to fix in the command line or its files, 130 interrupted, 1 a defect of ours.

Example:
  tacit doctor`;

/**
 * The program with the one command that is meant; the others stand there by name and summary.
 *
 * @param args  what commander will repeat in its complaints, which are cut where they are long
 */
export async function buildProgram(meant: string | undefined, args: readonly string[] = []): Promise<Command> {
  const program = new Command("tacit")
    .description(description)
    .version(packageVersion())
    .addHelpText("after", epilogue);
  for (const { name, group, summary, load } of commands) {
    if (name === meant) (await load())(program);
    else program.command(name);
    program.commands.at(-1)?.summary(summary).helpGroup(`${group}:`);
  }
  for (const command of [program, ...everyCommandBelow(program)]) {
    command
      .exitOverride()
      .configureOutput({ outputError: (text, write) => write(`tacit: ${usageLine(text, args)}\n`) });
  }
  return program;
}

/** The command that the arguments mean: the first that is no flag, past `help`. */
export function commandMeant(args: readonly string[]): string | undefined {
  return args.find((arg) => !arg.startsWith("-") && arg !== "help");
}

function everyCommandBelow(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommandBelow(child)]);
}

/** commander's `error: …\n(Did you mean …?)` as the one line that every mistake gets. */
function usageLine(text: string, args: readonly string[]): string {
  return excerpt(
    shortened(text.replace(/^error: /, ""), args)
      .trim()
      .replaceAll(/\s*\n\s*/g, " "),
    LONGEST_MESSAGE,
  );
}

const LONGEST_VALUE = 60;

/** The text with long arguments cut, whole or behind their `=`: what is to be fixed stands behind them. */
function shortened(text: string, args: readonly string[]): string {
  return args
    .flatMap((arg) => [arg, arg.slice(arg.indexOf("=") + 1)])
    .filter((value) => value.length > LONGEST_VALUE)
    .reduce((line, value) => line.replaceAll(value, () => shorten(value, LONGEST_VALUE)), text);
}
