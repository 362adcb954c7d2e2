/** Plain rows, `{id?, instruction, response}` or `{id?, messages}`, in JSON lines, a JSON array, CSV or Parquet. */
import { isObject, kindOf, own, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet, RecordInSet } from "./data-set.js";
import { dialogue, idOf, pair, prompt } from "./dialogue.js";

export const plain: DataSet = {
  name: "plain",
  title: "your own rows",
  source: "any file",
  licence: "yours to know",
  formats: ["jsonl", "json", "csv", "parquet"],
  instruction: "`instruction`, or the user's `messages`",
  response: "`response`, or the assistant's `messages`",
  toOutcome: ({ value, index }: RecordInSet): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const named = idOf(value, `row_${index}`);
    if ("problem" in named) return bad(named.problem);
    const messages = own(value, "messages");
    if (messages !== undefined && messages !== null) return dialogue(named.id, messages);
    const instruction = textField(value, "instruction");
    if (own(value, "response") !== undefined) return pair(named.id, instruction, textField(value, "response"));
    if (own(value, "output") !== undefined) {
      return bad('"output" where "response" is expected (rows of Alpaca or AlpacaEval: write alpaca:PATH)');
    }
    return prompt(named.id, instruction);
  },
};
