import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimal, flag, listOf, lowerCase, oneOf, text, whole } from "../util/option-kinds.js";
import { defineOptions, type Entries, type Entry } from "../util/options.js";
import { addOptions } from "./flags.js";

/** The values that `args` give. */
const parse = (table: Entries, ...args: string[]): Record<string, unknown> => {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  return addOptions(command, table).parse(args, { from: "user" }).opts();
};
const one = (type: Entry["type"], given: string): unknown =>
  parse({ some: { type, help: "" } }, `--some=${given}`).some;
const refusal = (type: Entry["type"], given: string): string => {
  try {
    return `taken as ${String(one(type, given))}`;
  } catch (error) {
    return (error as Error).message.replace(/^.* is invalid\. /, "");
  }
};

describe("whole numbers", () => {
  it.each(["banana", "", " 3", "1e3", "1_000", "0x10", "2.0", "NaN", "Infinity", "9007199254740993", "--3", "３"])(
    "%j is refused",
    (given) => expect(refusal(whole({ min: 1 }), given)).toBe("Give a whole number of 1 or more."),
  );
  it("in range are taken, out of it refused with the range", () => {
    expect(one(whole({ min: 1 }), "64")).toBe(64);
    expect(refusal(whole({ min: 1 }), "0")).toBe("Give a whole number of 1 or more.");
    expect(refusal(whole({ min: 1, max: 8 }), "9")).toBe("Give a whole number from 1 to 8.");
    expect(one(whole(), "-5")).toBe(-5);
  });
  it("round trip", () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (n) => Object.is(one(whole(), String(n)), n)));
  });
});

describe("numbers", () => {
  it.each(["banana", "", "NaN", "Infinity", "1e999", "1,5", "1e", ".", "0x1"])("%j is refused", (given) =>
    expect(refusal(decimal({ above: 0 }), given)).toBe("Give a number above 0."),
  );
  it("are read as they are written", () => {
    expect([".5", "1e-5", "3.", "-2.5E+3"].map((given) => one(decimal(), given))).toEqual([0.5, 1e-5, 3, -2500]);
  });
  it("keep their range", () => {
    expect(refusal(decimal({ above: 0 }), "0")).toBe("Give a number above 0.");
    expect(refusal(decimal({ min: 0, max: 1 }), "1.01")).toBe("Give a number from 0 to 1.");
    expect(refusal(decimal({ above: 0, max: 1 }), "2")).toBe("Give a number above 0, and of at most 1.");
    expect(one(decimal({ min: 0, max: 1 }), "0.1")).toBe(0.1);
  });
});

describe("names", () => {
  it("are one of the choices, in lower case where people write them so", () => {
    expect(one(lowerCase(oneOf("F32", "F16")), "f16")).toBe("F16");
    expect(refusal(lowerCase(oneOf("F32", "F16")), "F16")).toBe("Allowed choices are f32, f16.");
    expect(refusal(oneOf("a", "b"), "c")).toBe("Allowed choices are a, b.");
  });
});

describe("a table", () => {
  const table = defineOptions({
    outputs: { type: text, help: "what was said", needed: true, argument: true },
    model: { type: text, takes: "dir", help: "where {outputs} and {place} meet", needed: true },
    learningRate: { flag: "lr", type: decimal({ min: 0 }), takes: "rate", help: "how fast", unless: "slowly" },
    microTokens: { type: whole({ min: 1 }), help: "at once", default: 2048 },
    rules: { flag: "rule", type: listOf(text), help: "leave out", default: [], unless: "none" },
    seeds: { type: listOf(whole({ min: 0 })), help: "as 1,2" },
    shuffle: { type: flag, help: "in order", default: true },
    eager: { type: flag, help: "at once", default: false, unless: "later" },
    schedule: { type: oneOf("up", "down"), help: "which way", presets: { paper: "up", reference: "down" } },
  });
  const parsed = (...args: string[]) => parse(table, "o.json", "--model", "m", ...args);

  it("gives values under the names that scripts use, and none where nothing was said", () => {
    const defaults = { model: "m", microTokens: 2048, rules: [], shuffle: true, eager: false };
    expect(parsed()).toEqual(defaults);
    const args = "--lr 1e-3 --micro-tokens 5 --rule a --rule b,c --seeds 3,4 --no-shuffle --eager --schedule down";
    const given = { learningRate: 1e-3, microTokens: 5, rules: ["a", "b,c"], seeds: [3, 4], shuffle: false };
    expect(parsed(...args.split(" "))).toEqual({ ...defaults, ...given, eager: true, schedule: "down" });
    expect(() => parse(table, "o.json")).toThrow("required option '--model <dir>' not specified");
  });

  it("explains itself", () => {
    const command = addOptions(new Command("it").configureHelp({ helpWidth: 200 }), table, { place: "Rome" });
    expect(command.helpInformation()).toBe(`Usage: it [options] <outputs>

Arguments:
  outputs             what was said

Options:
  --model <dir>       where --outputs and Rome meet
  --lr <rate>         how fast (default: slowly)
  --micro-tokens <n>  at once (default: 2048)
  --rule <text>       leave out (default: none)
  --seeds <list>      as 1,2
  --no-shuffle        in order
  --eager             at once (default: later)
  --schedule <name>   which way (default: up; reference: down) (choices: "up", "down")
  -h, --help          display help for command
`);
  });
});
