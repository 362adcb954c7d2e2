/** The command line and calls from scripts take the same numbers: each flag's parser against the kind of the option of its name. */
import { Command, type Option } from "commander";
import { describe, expect, it } from "vitest";
import { registerGenerate } from "../src/cli/commands/generate.js";
import { registerJudge } from "../src/cli/commands/judge.js";
import { registerRank } from "../src/cli/commands/rank.js";
import { registerScore } from "../src/cli/commands/score.js";
import { registerSimilarity } from "../src/cli/commands/similarity.js";
import { registerTune } from "../src/cli/commands/tune.js";
import { registerWinrate } from "../src/cli/commands/winrate.js";
import {
  generateKinds,
  judgeKinds,
  rankKinds,
  scoreKinds,
  similarityKinds,
  winrateKinds,
} from "../src/steps/requests.js";
import { tuneKinds } from "../src/steps/tune/options.js";
import type { Kind } from "../src/util/options.js";

const commands: readonly [(program: Command) => void, object][] = [
  [registerTune, tuneKinds],
  [registerGenerate, generateKinds],
  [registerScore, scoreKinds],
  [registerRank, rankKinds],
  [registerJudge, judgeKinds],
  [registerWinrate, winrateKinds],
  [registerSimilarity, similarityKinds],
];
const numbers = [
  "-1",
  "0",
  "0.5",
  "1",
  "1.5",
  "2",
  "100",
  "101",
  "200",
  "1024",
  "1025",
  "10001",
  "100001",
  "9007199254740993",
];
const names: Readonly<Record<string, string>> = { lr: "learningRate" };

describe.each(commands)("%o", (register, kinds) => {
  const program = new Command();
  register(program);
  const [command] = program.commands;
  const takes = (option: Option, value: string): boolean => {
    try {
      option.parseArg?.(value, undefined as never);
      return true;
    } catch {
      return false;
    }
  };
  const table = kinds as Readonly<Record<string, Kind>>;
  const numeric = command!.options.filter((option) => option.parseArg !== undefined && !takes(option, "x"));

  it("has numbers", () => expect(numeric.length).toBeGreaterThan(0));
  it.each(numeric.map((option) => [option.long, option] as const))("%s", (_, option) => {
    const name = names[option.attributeName()] ?? option.attributeName();
    const kind = table[name];
    if (kind === undefined) return; // a part of another option, as a judge's limits are
    for (const number of numbers)
      expect([name, number, kind.holds(Number(number))]).toEqual([name, number, takes(option, number)]);
  });
  it("offers the choices that the options take", () => {
    for (const option of command!.options) {
      const kind = table[option.attributeName()];
      for (const choice of option.argChoices ?? [])
        if (kind !== undefined)
          expect([option.long, kind.holds(choice) || kind.holds(choice.toUpperCase())]).toEqual([option.long, true]);
    }
  });
});
