/**
 * What an engine cannot do, said before anything is read or loaded.
 * May not know: any one engine.
 */

import { UserError } from "../util/errors.js";
import { option, type Words, words } from "../util/words.js";
import type { Engine } from "./engine.js";
import type { Precision } from "./requests.js";

export interface Needs {
  readonly generate?: boolean;
  readonly score?: boolean;
  readonly embed?: boolean;
  readonly logitRules?: boolean;
  readonly precision?: Precision;
}

/** @throws UserError  the first thing that is needed and missing */
export function refuseMissing({ name, capabilities }: Pick<Engine, "name" | "capabilities">, needs: Needs): void {
  const refuse = (what: Words, remedy: Words): never => {
    throw new UserError(words`the engine ${name} ${what}`, { remedy });
  };
  if (needs.generate === true && !capabilities.generate) refuse("does not generate", "use the embedded engine");
  if (needs.score === true && !capabilities.score) {
    refuse("gives no log-probabilities of given responses", "use the embedded engine");
  }
  if (needs.embed === true && !capabilities.embed) refuse("does not embed texts", "use the embedded engine");
  if (needs.logitRules === true && !capabilities.logitRules) {
    refuse("cannot change logits at every step", words`leave ${option("rules")} out, or use the embedded engine`);
  }
  const { precision } = needs;
  if (precision !== undefined && !capabilities.precisions.includes(precision)) {
    const [other = "f32"] = capabilities.precisions;
    refuse(words`has no ${option("precision", precision)}`, words`use ${option("precision", other)}`);
  }
}
