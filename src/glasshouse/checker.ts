/**
 * The world's checker as a judge takes it: what a good answer must satisfy stands in the row of its instruction.
 * May not know: judges' files, arms.
 */
import { z } from "zod";
import type { Checker, Checkers } from "../judge/checker.js";
import { score } from "./check.js";
import { checkSchema } from "./tasks/task.js";
import { makeWorld, type World } from "./world.js";

const rowSchema = z.object({ check: checkSchema });

const worlds = new Map<number, World>();

function worldOf(seed: number): World {
  const made = worlds.get(seed) ?? makeWorld(seed);
  worlds.set(seed, made);
  return made;
}

export const glasshouseChecker: Checker = ({ instruction, output, stopped, prompt }) => {
  if (prompt === undefined) return { reason: "the judge's prompts do not have this instruction" };
  const row = rowSchema.safeParse(prompt);
  if (!row.success) return { reason: "the prompt's `check` is not one of the Glasshouse" };
  if (stopped === undefined) return { reason: "the outputs do not say how an answer ended (`stop`)" };
  const world = worldOf(row.data.check.world);
  const unknown = row.data.check.entities.find((name) => !world.entities.some((entity) => entity.name === name));
  if (unknown !== undefined) return { reason: `world ${world.seed} has no "${unknown}"` };
  return score(world, row.data.check, { instruction, output, stopped });
};

/** Every checker of the package. From the first release on, a change of what a score means gets a new name, so that old verdicts are not taken for new ones. */
export const checkers: Checkers = { "glasshouse-1": glasshouseChecker };
