/** The table of data sets. A new one is a file in `sets/` and a line here. */
import { alpaca } from "./sets/alpaca.js";
import { chess } from "./sets/chess.js";
import type { DataSet } from "./sets/data-set.js";
import { gsm8k } from "./sets/gsm8k.js";
import { lima } from "./sets/lima.js";
import { mbpp } from "./sets/mbpp.js";
import { plain } from "./sets/plain.js";
import { poetry } from "./sets/poetry.js";
import { recipes } from "./sets/recipes.js";
import { validation } from "./sets/validation.js";

/** Data sets that are asked for by name, `NAME:PATH`. */
export const dataSets: readonly DataSet[] = [lima, mbpp, gsm8k, recipes, poetry, chess, alpaca, validation];

/** The data set of paths without a name. */
export const plainDataSet: DataSet = plain;

export const dataSetNamed = (name: string): DataSet | undefined => dataSets.find((set) => set.name === name);
