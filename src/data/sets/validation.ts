/**
 * The paper's 56 validation instructions: instructions alone (`val.jsonl`), with GPT-3.5's answers as messages, or with
 * answers as AlpacaEval's `{instruction, output}`. The answer files are JSON arrays with one element a line.
 */

import { isObject } from "../../util/json.js";
import { kindOf, own, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { dialogue, pair, prompt } from "./dialogue.js";

export const validation: DataSet = {
  name: "validation",
  title: "the paper's validation instructions",
  source: "github john-hewitt/implicit-ins eval/val_eval",
  licence: "Apache-2.0; answers from OpenAI gpt-3.5-turbo",
  formats: ["jsonl", "json"],
  instruction: "`instruction`, or the first of `messages`",
  response: "`output`, or the second of `messages`; none in val.jsonl",
  paperRows: 56,
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const id = `val_${index}`;
    if (own(value, "messages") !== undefined) return dialogue(id, own(value, "messages"));
    const instruction = textField(value, "instruction");
    return own(value, "output") === undefined
      ? prompt(id, instruction)
      : pair(id, instruction, textField(value, "output"));
  },
};
