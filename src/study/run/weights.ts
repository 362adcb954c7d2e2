/**
 * Whether the weights of a tuned model are still those that its step left. They are too large to be read whenever a study is looked at,
 * and are read when the first step is about to use them.
 * May not know: how a step is carried out.
 */
import { posix } from "node:path";
import { checkResults, HASHED_BYTES } from "../../records/study-results.js";
import type { StudyFolder } from "../results/folder.js";
import type { StudyState } from "../results/state.js";
import { definitionOf, folderOf, type StepWork } from "../steps.js";

export interface WeightCheck {
  /** @throws UserError  a file that the step reads is missing or has changed */
  check(work: StepWork): Promise<void>;
}

export function weightCheck(folder: StudyFolder, state: StudyState): WeightCheck {
  const checked = new Set<string>();
  const checkPlace = async (place: string): Promise<void> => {
    const owner = [...state.records.values()].find(({ kind, key }) => place.startsWith(`${folderOf(kind, key)}/`));
    if (owner === undefined) return;
    const step = folderOf(owner.kind, owner.key);
    const used = (path: string): boolean => posix.dirname(`${step}/${path}`) === place;
    const results = (owner.results ?? []).filter(
      ({ bytes, path }) => bytes > HASHED_BYTES || path.endsWith(".safetensors"),
    );
    await checkResults(
      folder.root,
      step,
      { kind: owner.kind, results },
      { only: used, hashUpTo: Number.POSITIVE_INFINITY },
    );
  };
  return {
    async check(work) {
      for (const { at } of definitionOf(work.kind).inputs(work)) {
        if (!("inside" in at) || checked.has(at.inside)) continue;
        await checkPlace(at.inside);
        checked.add(at.inside);
      }
    },
  };
}
