/**
 * Stanford Alpaca (Taori et al. 2023), and any file of `{instruction, input?, output}`, AlpacaEval's outputs included. The
 * paper ranks responses on it. An input follows the instruction after a blank line, as in the paper's code base; an input
 * that only says there is none ("No input") is kept, as it was there, and counted by the check.
 */

import { isObject } from "../../util/json.js";
import { kindOf, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";
import { instructionWithInput, noted } from "./input.js";

export const alpaca: DataSet = {
  name: "alpaca",
  title: "Stanford Alpaca",
  source: "github tatsu-lab/stanford_alpaca alpaca_data.json; Hugging Face tatsu-lab/alpaca",
  licence: "CC BY-NC 4.0, outputs from OpenAI text-davinci-003; non-commercial",
  formats: ["json", "jsonl", "parquet"],
  instruction: "`instruction`; where `input` is not empty, then a blank line and `input`",
  response: "`output`",
  paperRows: 52_002,
  leavesAside: ["text", "prompt"], // copies have the row in the authors' template beside it
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    return noted(pair(`alpaca_${index}`, instructionWithInput(value), textField(value, "output")), value);
  },
};
