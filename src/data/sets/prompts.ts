/**
 * Rows to answer: `{id?, instruction, dataset?}`, with or without an answer that nobody asks for here (AlpacaEval's `output`),
 * or `messages`, of which the first is the instruction.
 */
import { isObject, isWellFormed, kindOf, own, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { dialogue, idOf, prompt } from "./dialogue.js";

export const prompts: DataSet = {
  name: "prompts",
  title: "instructions to answer",
  source: "any file",
  licence: "yours to know",
  formats: ["jsonl", "json", "csv", "parquet"],
  instruction: "`instruction`, or the first of `messages`",
  response: "none",
  toOutcome: ({ value, index }): Outcome => {
    if (typeof value === "string") return prompt(`prompt_${index}`, textField({ value }, "value")); // ["…", "…"]
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const named = idOf(value, `prompt_${index}`);
    if ("problem" in named) return bad(named.problem);
    const messages = own(value, "messages");
    const outcome =
      messages === undefined || messages === null
        ? prompt(named.id, textField(value, "instruction"))
        : firstOf(dialogue(named.id, messages));
    const dataset = own(value, "dataset");
    if (outcome.kind !== "example" || typeof dataset !== "string" || !isWellFormed(dataset)) return outcome;
    return { ...outcome, example: { ...outcome.example, dataset } };
  },
};

function firstOf(outcome: Outcome): Outcome {
  if (outcome.kind !== "example") return outcome;
  return { ...outcome, example: { ...outcome.example, messages: outcome.example.messages.slice(0, 1) } };
}
