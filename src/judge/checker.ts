/**
 * A judge that is a program: it scores each of the two answers by itself, and the higher score wins. Nothing is asked, so there is no
 * order to switch and no reply to keep.
 * May not know: what is checked; programs come from above, by name.
 */
import { resolve } from "node:path";
import type { CheckedScore } from "../records/annotations.js";
import type { CheckerJudge } from "../records/judge-file.js";
import { UserError } from "../util/errors.js";
import { isObject } from "../util/json.js";
import { readJsonLines } from "../util/json-lines.js";
import { excerpt } from "../util/terminal.js";
import type { DirectJudge } from "./direct.js";
import type { Pair } from "./pairs.js";

export interface CheckedAnswer {
  readonly instruction: string;
  readonly output: string;
  /** It ended by itself; undefined where the outputs do not say. */
  readonly stopped: boolean | undefined;
  /** The row of this instruction in the judge file's `prompts`, as it stands there; undefined where there is none. */
  readonly prompt: unknown;
}

/** A score, or why there is none. */
export type CheckerVerdict = CheckedScore | { readonly reason: string };

/** A program that says how good an answer is. */
export type Checker = (answer: CheckedAnswer) => CheckerVerdict;

/** By the name that a judge file gives. What a name means never changes: a program that scores otherwise has another name. */
export type Checkers = Readonly<Record<string, Checker>>;

/** @throws UserError  there is no checker of that name, or the judge's prompts cannot be read */
export async function checkerJudge(judge: CheckerJudge, folder: string, checkers: Checkers): Promise<DirectJudge> {
  const checker = namedChecker(judge.checker, checkers);
  const rows = await readPrompts((judge.prompts ?? []).map((path) => resolve(folder, path)));
  return (pair) => {
    const { instruction, baseline, model, stops } = pair;
    const check = (output: string, stop: NonNullable<Pair["stops"]>["model"]): CheckerVerdict =>
      checker({
        instruction,
        output,
        stopped: stop === undefined ? undefined : stop === "eos",
        prompt: rows.get(instruction),
      });
    return verdictOf(check(baseline, stops?.baseline), check(model, stops?.model), judge.draw);
  };
}

function namedChecker(name: string, checkers: Checkers): Checker {
  const checker = Object.hasOwn(checkers, name) ? checkers[name] : undefined;
  if (checker !== undefined) return checker;
  const known = Object.keys(checkers);
  throw new UserError(`unknown checker "${excerpt(name)}"`, {
    remedy:
      known.length === 0
        ? "none was given; from a script pass `checkers`, which the package exports"
        : `the checkers are ${known.join(", ")}`,
  });
}

function verdictOf(baseline: CheckerVerdict, model: CheckerVerdict, draw: number): ReturnType<DirectJudge> {
  for (const one of [baseline, model]) {
    if ("reason" in one) return { preference: null, outcome: "unparsed", reason: one.reason };
    if (Number.isNaN(one.total)) return { preference: null, outcome: "unparsed", reason: "the checker's score is NaN" };
  }
  const [score1, score2] = [baseline as CheckedScore, model as CheckedScore];
  const difference = score2.total - score1.total;
  const preference = Math.abs(difference) <= draw ? 1.5 : difference > 0 ? 2 : 1;
  return { preference, outcome: "judged", score_1: score1, score_2: score2 };
}

/** Rows by instruction; the same instruction twice must say the same, but for its id. */
async function readPrompts(paths: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const rows = new Map<string, { readonly row: unknown; readonly said: string }>();
  for (const path of paths) {
    for await (const { value: row, line } of readJsonLines(path, { remedy: REMEDY })) {
      if (!isObject(row)) throw new UserError(`${path}:${line} is not a JSON object`, { remedy: REMEDY });
      const { id: _, instruction, ...rest } = row;
      if (typeof instruction !== "string") throw new UserError(`${path}:${line}: no "instruction"`, { remedy: REMEDY });
      const said = JSON.stringify(rest);
      const before = rows.get(instruction);
      if (before !== undefined && before.said !== said)
        throw new UserError(`${path}:${line}: another row of the judge's prompts has this instruction`, {
          remedy: "an answer is known by its instruction: keep one of them",
        });
      rows.set(instruction, { row, said });
    }
  }
  return new Map([...rows].map(([instruction, { row }]) => [instruction, row]));
}

const REMEDY = "the judge's prompts are JSON lines with an `instruction` each";
