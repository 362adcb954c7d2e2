/**
 * Verdicts as the paper's authors published them: LIMA's rows whose user messages carry `check`, a judge's text that ends in `#### YES`
 * or `#### NO`, and whose rewritten responses carry the original as `content_old`.
 * May not know: how a verdict is made.
 */

import { UserError } from "../../util/errors.js";
import { isObject } from "../../util/json.js";
import { own } from "../fields.js";
import { formatOfPath, formats } from "../formats/formats.js";
import { formatOrigin } from "../record.js";
import { idOf } from "../sets/dialogue.js";

/** One exchange with its published verdict. */
export interface JudgedExchange {
  readonly id: string;
  readonly instruction: string;
  /** As it was before any rewriting. */
  readonly response: string;
  readonly restates: boolean;
}

/** The last `#### YES` or `#### NO` of a judge's text, letter case and a full stop aside; undefined where there is none. */
export function parseVerdict(text: string): boolean | undefined {
  const last = [...text.matchAll(/####\s*(YES|NO)\b/gi)].at(-1)?.[1];
  return last === undefined ? undefined : last.toUpperCase() === "YES";
}

/** @throws UserError  the file cannot be read, or no message in it has a verdict */
export async function readVerdicts(path: string): Promise<JudgedExchange[]> {
  const format = formatOfPath(path, ["jsonl", "json"]);
  if (format === undefined) throw new UserError(`"${path}" does not end in .jsonl or .json`);
  const exchanges: JudgedExchange[] = [];
  let rows = 0;
  for await (const records of formats[format].read(path)) {
    for (const record of records) {
      if (record.kind === "bad")
        throw new UserError(`${formatOrigin(record.at)}: ${record.reason}`, { remedy: "fix or delete the row" });
      exchanges.push(...exchangesOf(record.value, rows++));
    }
  }
  if (exchanges.length === 0) {
    throw new UserError(`${path} holds no verdicts`, { remedy: 'user messages carry them as "check": "… #### YES"' });
  }
  return exchanges;
}

function exchangesOf(row: unknown, index: number): JudgedExchange[] {
  const messages = isObject(row) ? own(row, "messages") : undefined;
  const named = isObject(row) ? idOf(row, `row_${index}`) : { id: `row_${index}` };
  const id = "id" in named ? named.id : `row_${index}`;
  if (!Array.isArray(messages)) return [];
  return messages.flatMap((message: unknown, i): JudgedExchange[] => {
    const answer: unknown = messages[i + 1];
    if (!isObject(message) || !isObject(answer)) return [];
    const [check, instruction] = [own(message, "check"), own(message, "content")];
    const response = own(answer, "content_old") ?? own(answer, "content");
    const restates = typeof check === "string" ? parseVerdict(check) : undefined;
    if (restates === undefined || typeof instruction !== "string" || typeof response !== "string") return [];
    return [{ id, instruction, response, restates }];
  });
}
