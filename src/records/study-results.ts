/**
 * Whether the results of a finished step are still what the step left: `step.json` has the size and the sha256 of every file.
 * May not know: how a step is carried out, what is in the files.
 */
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { type Fingerprint, firstChange } from "../util/fingerprint.js";
import type { StepKind, StepRecord } from "./study.js";

/** Files up to this size are read at the start of every run; larger ones, which are weights, when a step is about to use them. */
export const HASHED_BYTES = 1e9;
/** And whenever somebody looks at results. */
export const GLANCED_BYTES = 1e8;

export interface ResultCheck {
  /** Default: all. */
  readonly only?: (path: string) => boolean;
  /** Of larger ones the size alone is looked at. Default: 100 MB, which takes no noticeable time. */
  readonly hashUpTo?: number;
  /** Told of what is read. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * @param root    the study's folder
 * @param folder  the step's, from there
 * @throws UserError  a file is missing or has changed. Weights of a tuned model may be missing until something needs them: they take room
 */
export async function checkResults(
  root: string,
  folder: string,
  { kind, results = [] }: Pick<StepRecord, "kind" | "results">,
  { only, hashUpTo = GLANCED_BYTES, onBytes }: ResultCheck = {},
): Promise<void> {
  let prints: readonly Fingerprint[] = only === undefined ? results : results.filter(({ path }) => only(path));
  for (;;) {
    const change = await firstChange(join(root, folder), prints, ({ bytes }) => bytes <= hashUpTo, onBytes);
    if (change === undefined) return;
    const spared = only === undefined && change.what === "missing" && isWeights(change.path);
    if (!spared) throw changedResult(root, folder, kind, change.path, change.what);
    prints = prints.filter(({ path }) => path !== change.path);
  }
}

const isWeights = (path: string): boolean => path.endsWith(".safetensors");

function changedResult(root: string, folder: string, kind: StepKind, path: string, what: string): UserError {
  const file = join(root, folder, path);
  const said = what === "missing" ? `${file} is missing` : `${file} has changed since its step was done`;
  return new UserError(said, { remedy: `put it back as it was, or ${doAgain(root, folder, kind, path)}` });
}

/** How a step is done again. Replies of a judge are paid for: its ledger stays wherever it can. */
export function doAgain(root: string, folder: string, kind: StepKind, path = ""): string {
  const all = join(root, folder);
  if (kind !== "judge") return `remove ${all}: \`tacit study run\` then does the step again`;
  if (!path.endsWith("ledger.jsonl"))
    return `remove ${join(all, "step.json")}: \`tacit study run\` then makes the verdicts again from the ledger`;
  return `remove ${all}: \`tacit study run\` then asks the judge again`;
}
