/**
 * Failures that lie in what the machine had free at that moment: memory that a step beside it held, a disk that was full.
 * May not know: how a step is carried out.
 */
import { present } from "../../util/errors.js";
import type { StudyState } from "../results/state.js";
import type { Step } from "../steps.js";

export interface Failure {
  /** It may not come again. */
  readonly passing: boolean;
}

export interface PassingFailures {
  ended(step: Step, failure: Failure | undefined): void;
  /** @returns whether there is something to try again */
  forget(): boolean;
}

/** When nothing else is left to do such steps are tried again, once for each time that something was done since. */
export function passingFailures(state: StudyState): PassingFailures {
  const waiting = new Set<string>();
  let done = false;
  return {
    ended(step, failure) {
      if (failure === undefined) done = true;
      else if (failure.passing) waiting.add(present(step.plan, step.id).key);
    },
    forget() {
      const keys = done ? [...waiting] : [];
      waiting.clear();
      done = false;
      for (const key of keys) state.forget(key);
      return keys.length > 0;
    },
  };
}
