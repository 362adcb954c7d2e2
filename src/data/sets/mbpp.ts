/**
 * MBPP (Austin et al. 2021): English to Python. The paper trains on the 374 rows of the train split, task ids 601 to 974;
 * the public file holds all 974. Code keeps its CRLF line breaks, tabs and trailing white space.
 */

import { isObject } from "../../util/json.js";
import { kindOf, own, textField } from "../fields.js";
import { bad, leftOut, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";

const FIRST_TRAIN_ID = 601;
const LAST_TRAIN_ID = 974;

export const mbpp: DataSet = {
  name: "mbpp",
  title: "MBPP, train split",
  source: "github google-research/google-research mbpp/mbpp.jsonl; Hugging Face google-research-datasets/mbpp (full)",
  licence: "CC BY 4.0",
  formats: ["jsonl", "json", "parquet"],
  instruction: "`text`",
  response: "`code`",
  paperRows: LAST_TRAIN_ID - FIRST_TRAIN_ID + 1,
  leavesOut: `rows outside the train split (task_id ${FIRST_TRAIN_ID} to ${LAST_TRAIN_ID})`,
  toOutcome: ({ value }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const id = taskId(own(value, "task_id"));
    if (id === undefined) return bad('no whole number in "task_id"');
    if (id < FIRST_TRAIN_ID || id > LAST_TRAIN_ID) {
      return leftOut(`not in the train split (task_id ${FIRST_TRAIN_ID} to ${LAST_TRAIN_ID})`);
    }
    // the id that the paper's authors gave: the position in the train split
    return pair(`mbpp_${id - FIRST_TRAIN_ID}`, textField(value, "text"), textField(value, "code"));
  },
};

function taskId(value: unknown): number | undefined {
  const id = typeof value === "bigint" ? Number(value) : value; // Parquet has 64-bit integers
  return typeof id === "number" && Number.isSafeInteger(id) ? id : undefined;
}
