/**
 * LIMA (Zhou et al. 2023), as the paper's authors published it (`{dataset, id, messages}`) or as its own authors did
 * (`{conversations: [text, …], source}`). 30 of the 1,030 rows are dialogues. Nothing is trimmed.
 */

import { isObject } from "../../util/json.js";
import { isWellFormed, kindOf, own } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { dialogue, idOf } from "./dialogue.js";

export const lima: DataSet = {
  name: "lima",
  title: "LIMA",
  source: "github john-hewitt/implicit-ins new_lima/lima_data.jsonl; Hugging Face GAIR/lima train.jsonl",
  licence: "CC BY-NC-SA or the stricter licence of a row's own source; non-commercial",
  formats: ["jsonl", "json", "parquet"],
  instruction: "every user message",
  response: "every assistant message",
  paperRows: 1030,
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const named = idOf(value, `lima_${index}`);
    if ("problem" in named) return bad(named.problem);
    const conversations = own(value, "conversations");
    // `check` and `content_old` of the rephrased files are extra keys, which `dialogue` leaves aside
    return conversations === undefined ? dialogue(named.id, own(value, "messages")) : turns(named.id, conversations);
  },
};

/** Texts of alternating speakers, the user first. */
function turns(id: string, list: unknown): Outcome {
  if (!Array.isArray(list)) return bad(`"conversations" is ${kindOf(list)}, not a list`);
  for (const [i, text] of list.entries()) {
    if (typeof text !== "string") return bad(`turn ${i + 1} is ${kindOf(text)}, not a text`);
    if (!isWellFormed(text)) return bad(`turn ${i + 1} has half a surrogate pair: not Unicode text`);
  }
  const messages = list.map((content, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: content as unknown,
  }));
  return dialogue(id, messages);
}
