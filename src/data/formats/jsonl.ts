/**
 * JSON lines: one value a line; lines of white space alone are no rows.
 * May not know: data sets.
 */
import { UserError } from "../../util/errors.js";
import type { RawRecord } from "../record.js";
import { parseJsonText } from "./json-text.js";
import { readLines } from "./lines.js";

/** @throws UserError  the file is one JSON array */
export async function* readJsonl(file: string, limit?: number): AsyncGenerator<RawRecord[]> {
  let first = true;
  for await (const lines of readLines(file, limit)) {
    const records: RawRecord[] = [];
    for (const line of lines) {
      const at = { file, line: line.number, unit: "line" } as const;
      if ("problem" in line) {
        records.push({ kind: "bad", at, reason: line.problem });
        first = false;
        continue;
      }
      if (line.text.trim() === "") continue;
      if (first && line.text.trimStart().startsWith("[")) refuseArray(file);
      first = false;
      const parsed = parseJsonText(line.text);
      records.push(
        "value" in parsed ? { kind: "record", at, value: parsed.value } : { kind: "bad", at, reason: parsed.problem },
      );
    }
    if (records.length > 0) yield records;
  }
}

function refuseArray(file: string): never {
  throw new UserError(`${file} is a JSON array, not one object a line`, {
    remedy: "give it the ending .json, or write one object a line",
  });
}
