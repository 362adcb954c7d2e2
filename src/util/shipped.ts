/**
 * Files of the package that have a name: rules and judges. A path is told from a name by being none of the names.
 * May not know: what is in them.
 */
import { join } from "node:path";
import { packageRoot } from "./system.js";

/**
 * @param text  a name, or a path (`./paper` for a file of one's own with a name of these)
 * @returns where it lies, and the name where it is shipped
 */
export function shippedFile<Name extends string>(
  folder: string,
  names: readonly Name[],
  text: string,
): { readonly path: string; readonly shipped: Name | undefined } {
  const shipped = names.find((name) => name === text);
  return { shipped, path: shipped === undefined ? text : join(packageRoot(), folder, `${shipped}.yaml`) };
}
