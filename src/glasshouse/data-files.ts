/**
 * The data sets of a world as files: what `assets/glasshouse-data` holds of world 1, and what a study reads. Equal worlds give equal bytes.
 * May not know: models, studies.
 */
import { present } from "../util/errors.js";
import { instructions, NARROW, narrow, type TaskRow } from "./data-sets.js";
import type { World } from "./world.js";

/** Rows of each file. There are as many validation instructions as the paper has. */
export const ROWS = { instructions: 1000, validation: 56, test: 200, narrow: 500 } as const;

/** File names with their text. Only the two sets that are judged carry what a good answer must satisfy (`check`). */
export function dataFiles(world: World, rows: number = ROWS.instructions): ReadonlyMap<string, string> {
  const validation = instructions(world, "validation", ROWS.validation);
  return new Map([
    ["instructions.jsonl", jsonLines(instructions(world, "train", rows).map(withoutCheck))],
    ["validation.jsonl", jsonLines(validation)],
    ["validation-baseline.json", `${JSON.stringify(middlingOutputs(validation), null, 1)}\n`],
    ["test.jsonl", jsonLines(instructions(world, "test", ROWS.test))],
    ...NARROW.map((name): [string, string] => [`${name}.jsonl`, jsonLines(narrow(world, name, ROWS.narrow))]),
  ]);
}

const withoutCheck = ({ id, instruction, response }: TaskRow) => ({ id, instruction, response });

const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/**
 * What validation answers are compared with, as the paper's are with those of GPT-3.5: an answerer of middling skill. Every other answer is
 * right; the others are the right answer to the next instruction of their kind, so that form alone and facts both move a win rate.
 */
function middlingOutputs(rows: readonly TaskRow[]) {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const task = row.check.task;
    const kin = rows.filter(({ check }) => check.task === task);
    const nth = seen.get(task) ?? 0;
    seen.set(task, nth + 1);
    const answer = nth % 2 === 0 ? row : present(kin[(nth + 1) % kin.length], task);
    return { instruction: row.instruction, output: answer.response, generator: "middling", stop: "eos" };
  });
}
