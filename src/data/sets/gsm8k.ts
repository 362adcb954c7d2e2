/**
 * GSM8K (Cobbe et al. 2021): word problems with worked answers. The paper takes the first 1,000 training rows; answers keep
 * their calculator marks (`<<48/2=24>>`) and the last line `#### n`.
 */

import { isObject } from "../../util/json.js";
import { kindOf, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";

export const gsm8k: DataSet = {
  name: "gsm8k",
  title: "GSM8K, first 1,000 training rows",
  source: "github openai/grade-school-math train.jsonl; Hugging Face openai/gsm8k (main)",
  licence: "MIT",
  formats: ["jsonl", "json", "parquet"],
  instruction: "`question`",
  response: "`answer` as it stands",
  paperRows: 1000,
  limit: 1000,
  toOutcome: ({ value, index }): Outcome =>
    isObject(value)
      ? pair(`gsm8k_${index}`, textField(value, "question"), textField(value, "answer"))
      : bad(`${kindOf(value)}, not an object`),
};
