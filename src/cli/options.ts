/**
 * The flags that several commands share, and the parsers of numbers. A wrong value is one line that names the flag.
 * May not know: any command.
 */
import { InvalidArgumentError, Option } from "commander";
import { preferenceScales } from "../stats/preference-scale.js";
import { SHIPPED_MODEL } from "../util/model-directory.js";
import { type Range, spoken, within } from "../util/options.js";
import { availableCores } from "../util/system.js";

export const jsonOption = (): Option =>
  new Option("--json", "print one JSON summary on standard output").default(false, "off");

export const eventsOption = (): Option =>
  new Option("--events", "say on standard error, as a JSON object a line, what is done").default(
    false,
    "a line of progress",
  );

export const forceOption = (): Option =>
  new Option("--force", "replace a result that already exists").default(false, "off");

export const modelOption = (): Option =>
  new Option("--model <dir>", `model directory in the Hugging Face layout, or ${SHIPPED_MODEL}`).makeOptionMandatory();

/** Not mandatory on Option's side, because the default is only known on the machine. */
export const threadsOption = (): Option => {
  const cores = availableCores();
  return new Option("--threads <n>", "threads to compute with; results name it")
    .default(cores, `the cores there are, ${cores}`)
    .argParser(integer({ min: 1, max: 1024 }));
};

export const precisionOption = (): Option =>
  new Option("--precision <name>", "weights as single floats, or in 8 bits (q8): less memory, slightly other results")
    .choices(["f32", "q8"])
    .default("f32");

export const seedOption = (): Option =>
  new Option("--seed <n>", "seed of everything that is drawn by chance").default(0).argParser(integer({ min: 0 }));

/** Of the preferences in files of annotations. No default is shown: a file may speak against it. */
export const scaleOption = (): Option =>
  new Option(
    "--scale <range>",
    "what preferences mean: 1..2, 1 the baseline (output_1) wins and 2 the model; 0..1, 0 the baseline and 1 the model (default: 1..2, and refused where none is above 1)",
  ).choices(preferenceScales);

export const limitOption = (what = "rows"): Option =>
  new Option("--limit <n>", `take at most this many ${what}, from the first on (default: all)`).argParser(
    integer({ min: 1 }),
  );

/** Parser of a whole number written in digits. `1e3`, `1_000`, `0x10`, `2.0` and what is too large to be exact are refused. */
export function integer(range: Range = {}): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || !within(value, range)) {
      throw new InvalidArgumentError(`Give a whole number${spoken(range)}.`);
    }
    return value;
  };
}

/** Parser of a finite number: `0.1`, `.5`, `1e-5`. */
export function decimal(range: Range = {}): (text: string) => number {
  return (text) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value) || !within(value, range)) {
      throw new InvalidArgumentError(`Give a number${spoken(range)}.`);
    }
    return value;
  };
}
