/** Plain rows, `{id?, instruction, response}` or `{id?, messages}`, in JSON lines, a JSON array, CSV or Parquet. */

import { isObject } from "../../util/json.js";
import { kindOf, own, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet, RecordInSet } from "./data-set.js";
import { dialogue, idOf, pair, prompt } from "./dialogue.js";
import { instructionWithInput, noted } from "./input.js";

export const plain: DataSet = {
  name: "plain",
  title: "your own rows",
  source: "any file",
  licence: "yours to know",
  formats: ["jsonl", "json", "csv", "parquet"],
  instruction: "`instruction`, and after a blank line `input` where there is one; or the user's `messages`",
  response: "`response`, or the assistant's `messages`",
  toOutcome: ({ value, index }: RecordInSet): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const named = idOf(value, `row_${index}`);
    if ("problem" in named) return bad(named.problem);
    const messages = own(value, "messages");
    if (messages !== undefined && messages !== null) return dialogue(named.id, messages);
    const foreign = foreignLayout(value);
    if (foreign !== undefined) return bad(foreign);
    const instruction = instructionWithInput(value);
    if (own(value, "response") !== undefined)
      return noted(pair(named.id, instruction, textField(value, "response")), value);
    return noted(prompt(named.id, instruction), value);
  },
};

/** Layouts that others use and that are not read as plain rows, with what to do. */
const layouts: readonly { readonly keys: readonly string[]; readonly remedy: string }[] = [
  { keys: ["instruction", "output"], remedy: "rows of Alpaca or AlpacaEval: write alpaca:PATH" },
  { keys: ["conversations"], remedy: 'as ShareGPT has them: write "messages" of role and content' },
  { keys: ["chosen", "rejected"], remedy: 'pairs of preferences: keep one answer, as "response"' },
  { keys: ["prompt", "completion"], remedy: 'write "instruction" and "response"' },
  { keys: ["question", "answer"], remedy: 'write "instruction" and "response"; for GSM8K, gsm8k:PATH' },
  { keys: ["text"], remedy: 'a text alone has no border between "instruction" and "response": write both' },
];

function foreignLayout(value: Record<string, unknown>): string | undefined {
  const has = (key: string): boolean => own(value, key) !== undefined && own(value, key) !== null;
  if (has("response")) return undefined;
  const found = layouts.find(({ keys }) => keys.every(has) && (keys.includes("instruction") || !has("instruction")));
  if (found === undefined) return undefined;
  const keys = found.keys.filter((key) => key !== "instruction").map((key) => `"${key}"`);
  return `${keys.join(" and ")} where "response" is expected (${found.remedy})`;
}
