/**
 * Where a model lies that is named on a command line, in a library call or in a study: a path, or `glasshouse`, the one in this package.
 * Whoever opens a model asks here; records keep the name. May not know: what is in a model directory.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors.js";
import { packageRoot } from "./system.js";

/** The model that comes with the package. A folder of that name is reached as `./glasshouse`. */
export const SHIPPED_MODEL = "glasshouse";

/** What to say where a model directory is missing. */
export const NAME_A_MODEL = `name a model directory, or ${SHIPPED_MODEL}, the small model in this package`;

/**
 * The directory of `model`. A path, and so a directory that this gave, stays as it is.
 *
 * @throws UserError  the package holds no model of that name
 */
export function modelDirectory(model: string): string {
  if (model !== SHIPPED_MODEL) return model;
  if (hasShippedModel()) return shippedPlace();
  throw new UserError(`this package was built without the model ${SHIPPED_MODEL}`, {
    remedy: `name a model directory (./${SHIPPED_MODEL} for a folder of that name)`,
  });
}

const shippedPlace = (): string => join(packageRoot(), "assets", SHIPPED_MODEL);

export const hasShippedModel = (): boolean => existsSync(join(shippedPlace(), "config.json"));
