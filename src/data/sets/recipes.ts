/**
 * Food Ingredients and Recipes (Kaggle, from epicurious.com): `Recipe for {Title}` to a list of ingredients and the
 * instructions. The paper takes the first 1,000. Where title or instructions are missing the authors' script stops with an
 * error, so no example of theirs came from such a row: it is left out and counted.
 */

import { isObject } from "../../util/json.js";
import { columnField, isWellFormed, kindOf } from "../fields.js";
import { bad, leftOut, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";
import { parsePythonStringList } from "./python-literal.js";

export const recipes: DataSet = {
  name: "recipes",
  title: "Recipes, first 1,000",
  source:
    "Kaggle pes12017000148/food-ingredients-and-recipe-dataset-with-images; Hugging Face Hieu-Pham/kaggle_food_recipes",
  licence: "CC BY-SA 3.0 as Kaggle lists it",
  formats: ["csv", "parquet"],
  instruction: "`Recipe for {Title}`",
  response: "` - {item}\\n` for each of `Cleaned_Ingredients`, then `\\n\\n`, then `Instructions`",
  paperRows: 1000,
  limit: 1000,
  leavesOut: "rows without a title or without instructions",
  toOutcome: ({ value, index }): Outcome => {
    if (!isObject(value)) return bad(`${kindOf(value)}, not an object`);
    const title = columnField(value, "Title");
    const instructions = columnField(value, "Instructions");
    const list = columnField(value, "Cleaned_Ingredients");
    for (const field of [title, instructions, list]) if ("problem" in field) return bad(field.problem);
    if ("problem" in title || "problem" in instructions || "problem" in list) return bad("unreadable");
    if (title.text === "") return leftOut("no title");
    if (instructions.text === "") return leftOut("no instructions");
    const ingredients = parsePythonStringList(list.text);
    if ("problem" in ingredients) return bad(`"Cleaned_Ingredients" is ${ingredients.problem}`);
    // an escape such as \ud83d in the list may stand for half a pair
    const lines = ingredients.items.map((item) => ` - ${item}\n`).join("");
    if (!isWellFormed(lines)) return bad('"Cleaned_Ingredients" has half a surrogate pair: not Unicode text');
    return pair(`kfr_${index}`, { text: `Recipe for ${title.text}` }, { text: `${lines}\n\n${instructions.text}` });
  },
};
