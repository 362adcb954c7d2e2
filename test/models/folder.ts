/** Where real models lie, for the tests that need them: fetched and imported by `.ci/run`, or named by `TACIT_MODELS`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../staged-package.js";

/** Holds `gguf/` with the files as fetched, and each imported model in a folder of its name. */
export const modelsFolder = process.env.TACIT_MODELS ?? join(repositoryRoot, "..", "models");

/** The path of a file or folder below it, or why a test that needs it is skipped. */
export function realModel(path: string): { readonly path: string; readonly skip: string | undefined } {
  const full = join(modelsFolder, path);
  return { path: full, skip: existsSync(full) ? undefined : `${full} is not there: set TACIT_MODELS, or run .ci/run` };
}
