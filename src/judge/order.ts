/**
 * In which order the judge sees the two answers.
 * May not know: what the answers are.
 */
import type { Order } from "../records/judge-file.js";
import { pythonChoice } from "../util/python-random.js";

/** AlpacaEval's: whether the model's answer is shown first, drawn by the instruction alone (its seed is 0). */
export const isSwitched = (instruction: string): boolean => pythonChoice(`is_switched_outputs${instruction}0`, 2) === 1;

/** One entry a call and vote: whether the model's answer, `output_2`, is shown first. */
export const ordersOf = (order: Order, instruction: string): readonly boolean[] =>
  order === "both" ? [false, true] : [isSwitched(instruction)];
