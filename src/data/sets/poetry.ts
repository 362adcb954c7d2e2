/**
 * Poetry (Kaggle, from poetryfoundation.org): `Write a poem called {name}` to the poem. 573 rows; the two without a name are
 * left out, as in the paper. Neither names nor poems are trimmed.
 */

import { isObject } from "../../util/json.js";
import { columnField, kindOf, textField } from "../fields.js";
import { bad, leftOut, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";

export const poetry: DataSet = {
  name: "poetry",
  title: "Poetry",
  source: "Hugging Face merve/poetry; Kaggle ishnoor/poetry-analysis-with-machine-learning",
  licence: "none stated; Renaissance poems are in the public domain, some modern ones may be under copyright",
  formats: ["csv", "parquet"],
  instruction: "`Write a poem called {poem name}`",
  response: "`content`",
  paperRows: 571,
  leavesOut: "poems without a name",
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const name = columnField(value, "poem name");
    if ("problem" in name) return bad(name.problem);
    if (name.text === "") return leftOut("no poem name");
    return pair(`merve_poetry_${index}`, { text: `Write a poem called ${name.text}` }, textField(value, "content"));
  },
};
