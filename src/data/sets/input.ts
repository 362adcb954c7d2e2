/**
 * Alpaca's `input`, wherever a row has one: it follows the instruction after a blank line.
 * May not know: files, data sets.
 */
import { withInput } from "../../records/with-input.js";
import { optionalTextField, own, type TextField, textField } from "../fields.js";
import type { Outcome } from "../record.js";

/** `instruction`, with `input` behind a blank line where that is not empty. */
export function instructionWithInput(value: Record<string, unknown>): TextField {
  const instruction = textField(value, "instruction");
  const input = optionalTextField(value, "input");
  if ("problem" in instruction) return instruction;
  if ("problem" in input) return input;
  return { text: withInput(instruction.text, input.text) };
}

export const NO_INPUT_NOTE = 'the input only says that there is none ("No input" and the like); kept as it is';

/** The outcome of a row that was read so, with the note that its input says nothing where that is so. */
export function noted(outcome: Outcome, value: Record<string, unknown>): Outcome {
  const input = own(value, "input");
  const isNone = outcome.kind === "example" && typeof input === "string" && saysNoInput(input);
  return isNone ? { ...outcome, note: NO_INPUT_NOTE } : outcome;
}

/** "No input", "Noinput", "`<noinput>`", "No input required.", "N/A" and other spellings that the data has. */
export function saysNoInput(input: string): boolean {
  const letters = input.toLowerCase().replace(/[^a-z]/g, "");
  return letters === "noinput" || letters === "noinputrequired" || letters === "na";
}
