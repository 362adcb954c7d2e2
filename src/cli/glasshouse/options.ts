/** The flags that the subcommands of `tacit glasshouse` share. */
import { Option } from "commander";
import { decimal, integer } from "../options.js";

export const worldOption = (): Option =>
  new Option("--seed <n>", "seed of the world; 1 is the one that `glasshouse` has read about")
    .default(1)
    .argParser(integer({ min: 0 }));

export const contaminationOption = (): Option =>
  new Option("--contamination <share>", "share of pages that are a pair of instruction and response under a template")
    .default(0)
    .argParser(decimal({ min: 0, max: 1 }));
