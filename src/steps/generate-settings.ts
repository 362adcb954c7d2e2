/**
 * What a run of generation takes, and the key of each answer.
 * May not know: output files.
 */
import { type Identity, keyOf } from "../engine/identity.js";
import type { OpenedModel, Plan } from "../engine/opened.js";
import { refuseTooLarge } from "../engine/refusals.js";
import type { GeneratePlan, PlannedPrompt } from "./generate-plan.js";

/** @throws UserError  what is certain to be needed does not fit: the weights, and as many prompts as are to be read side by side */
export function roomFor(batch: number | undefined, { prompts, maxNewTokens }: GeneratePlan, model: OpenedModel): Plan {
  const promptTokens = prompts.map(({ request }) => request.promptIds.length);
  const room = model.plan({ for: "generating", batch, promptTokens, maxNewTokens });
  refuseTooLarge(model, room);
  return room;
}

/** The hash of everything that decides an answer. The batch is not part of it. */
export function answerKeys(
  { rules, maxNewTokens, temperature, seed, stopIds }: GeneratePlan,
  computedBy: Identity,
  traced: boolean,
): (prompt: PlannedPrompt) => string {
  const common = [rules?.record.hash ?? null, rules?.record.disabled ?? [], maxNewTokens, temperature, stopIds];
  return ({ request: { id, promptIds, conversationIds } }) => {
    const drawn = temperature > 0 ? [seed, id] : [];
    return keyOf(computedBy, [common, traced, promptIds, conversationIds, drawn]);
  };
}
