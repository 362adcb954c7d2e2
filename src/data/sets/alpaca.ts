/**
 * Stanford Alpaca (Taori et al. 2023), and any file of `{instruction, input?, output}`, AlpacaEval's outputs included. The
 * paper ranks responses on it. An input follows the instruction after a blank line, as in the paper's code base; an input
 * that only says there is none ("No input") is kept, as it was there, and counted by the check.
 */
import { isObject, kindOf, optionalTextField, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";

export const alpaca: DataSet = {
  name: "alpaca",
  title: "Stanford Alpaca",
  source: "github tatsu-lab/stanford_alpaca alpaca_data.json; Hugging Face tatsu-lab/alpaca",
  licence: "CC BY-NC 4.0, outputs from OpenAI text-davinci-003; non-commercial",
  formats: ["json", "jsonl", "parquet"],
  instruction: "`instruction`; where `input` is not empty, then a blank line and `input`",
  response: "`output`",
  paperRows: 52_002,
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const instruction = textField(value, "instruction");
    const input = optionalTextField(value, "input");
    if ("problem" in instruction) return bad(instruction.problem);
    if ("problem" in input) return bad(input.problem);
    const text = input.text === "" ? instruction.text : `${instruction.text}\n\n${input.text}`;
    const outcome = pair(`alpaca_${index}`, { text }, textField(value, "output"));
    return outcome.kind === "example" && saysNoInput(input.text) ? { ...outcome, note: NO_INPUT_NOTE } : outcome;
  },
};

export const NO_INPUT_NOTE = 'the input only says that there is none ("No input" and the like); kept as it is';

/** "No input", "Noinput", "`<noinput>`", "No input required.", "N/A" and other spellings that the data has. */
export function saysNoInput(input: string): boolean {
  const letters = input.toLowerCase().replace(/[^a-z]/g, "");
  return letters === "noinput" || letters === "noinputrequired" || letters === "na";
}
