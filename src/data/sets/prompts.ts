/**
 * Rows to answer: `{id?, instruction, input?, dataset?}`, with or without an answer that nobody asks for here (AlpacaEval's `output`),
 * or `messages`, of which the first is the instruction.
 */

import { isObject } from "../../util/json.js";
import { isWellFormed, kindOf, own, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import { ANSWER_KEYS, WEIGHT_KEYS } from "../unread.js";
import type { DataSet } from "./data-set.js";
import { dialogue, idOf, prompt } from "./dialogue.js";
import { instructionWithInput, noted } from "./input.js";

export const prompts: DataSet = {
  name: "prompts",
  title: "instructions to answer",
  source: "any file",
  licence: "yours to know",
  formats: ["jsonl", "json", "csv", "parquet"],
  instruction: "`instruction`, and after a blank line `input` where there is one; or the first of `messages`",
  response: "none",
  leavesAside: ["messages", ...ANSWER_KEYS, ...WEIGHT_KEYS],
  toOutcome: ({ value, index }): Outcome => {
    if (typeof value === "string") return prompt(`prompt_${index}`, textField({ value }, "value")); // ["…", "…"]
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const named = idOf(value, `prompt_${index}`);
    if ("problem" in named) return bad(named.problem);
    const messages = own(value, "messages");
    const outcome =
      messages === undefined || messages === null
        ? noted(prompt(named.id, instructionWithInput(value)), value)
        : firstOf(named.id, messages);
    const dataset = own(value, "dataset");
    if (outcome.kind !== "example" || typeof dataset !== "string" || !isWellFormed(dataset)) return outcome;
    return { ...outcome, example: { ...outcome.example, dataset } };
  },
};

export const LATER_TURNS = "a dialogue of several turns: its first instruction is asked, the later ones are not";

export const ANSWERED = "messages with an answer: the instruction is asked, the answer is left aside";

/** The instruction of a dialogue. One answer behind it is left aside, whatever it is; all else is read, and must be a dialogue. */
function firstOf(id: string, messages: unknown): Outcome {
  if (Array.isArray(messages) && messages.length === 2 && isAnswer(messages[1])) {
    const outcome = dialogue(id, messages.slice(0, 1));
    return outcome.kind === "example" ? { ...outcome, note: ANSWERED } : outcome;
  }
  const outcome = dialogue(id, messages);
  if (outcome.kind !== "example" || outcome.example.messages.length === 1) return outcome;
  const [first, ...later] = outcome.example.messages;
  if (later.at(-1)?.role === "user") {
    return bad(
      `${later.length + 1} messages, the last of them the user's: one instruction is asked, without earlier turns; write it as "instruction"`,
    );
  }
  return {
    ...outcome,
    example: { ...outcome.example, messages: first === undefined ? [] : [first] },
    note: LATER_TURNS,
  };
}

const isAnswer = (message: unknown): boolean => isObject(message) && own(message, "role") === "assistant";
