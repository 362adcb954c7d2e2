/**
 * `tacit glasshouse`: the world that ships with the package: its pages, its data sets, its checker, and how its base model is made.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { registerCheck } from "../glasshouse/check.js";
import { registerGlasshouseData } from "../glasshouse/data.js";
import { registerFacts } from "../glasshouse/facts.js";
import { registerPages } from "../glasshouse/pages.js";
import { registerPretrain } from "../glasshouse/pretrain.js";

const help = `
The Glasshouse is a small invented world: 320 people, towns, animals, dishes, tools and books, every fact of which is known. Everything
is drawn from a seed; nothing is fetched. The model that has read about world 1 ships with the package: --model glasshouse.

Example:
  tacit glasshouse data --out data
  tacit generate --model glasshouse --prompts data/test.jsonl --max-new-tokens 128 --out untuned.json
  tacit glasshouse check --outputs untuned.json --prompts data/test.jsonl`;

export function registerGlasshouse(program: Command): void {
  const glasshouse = program
    .command("glasshouse")
    .description(
      "A small invented world in which every answer can be checked: its pages, data, checker and base model.",
    )
    .addHelpText("after", help);
  registerPages(glasshouse);
  registerGlasshouseData(glasshouse);
  registerCheck(glasshouse);
  registerFacts(glasshouse);
  registerPretrain(glasshouse);
}
