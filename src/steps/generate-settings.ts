/**
 * How a run of generation is computed: threads, precision, prompts side by side, and the key of each answer, which holds what decides it.
 * May not know: output files.
 */
import { defaultBatch, weightBytes } from "../decode/memory.js";
import type { ModelUse } from "../engine/engine.js";
import type { Precision } from "../engine/requests.js";
import { readModelConfig } from "../models/open.js";
import { sha256 } from "../util/files.js";
import { availableCores, availableMemory, packageVersion } from "../util/system.js";
import type { GeneratePlan, PlannedPrompt, PlanOptions } from "./generate-plan.js";

type AskedSettings = Pick<PlanOptions, "model" | "batch" | "precision" | "threads">;

export interface Settings {
  readonly threads: number;
  readonly precision: Precision;
  readonly batch: number;
}

export async function settle(options: AskedSettings, plan: GeneratePlan): Promise<Settings> {
  const { threads = availableCores(), precision = "f32" } = options;
  return { threads, precision, batch: options.batch ?? (await batchThatFits(options.model, plan, precision)) };
}

const longestPrompt = ({ prompts }: GeneratePlan): number =>
  prompts.reduce((most, { request }) => Math.max(most, request.promptIds.length), 0);

/** What is certain to be needed: the weights, and as many prompts as are to be read side by side. */
export const memoryUse = ({ batch = 1, precision = "f32" }: AskedSettings, plan: GeneratePlan): ModelUse => ({
  for: "running",
  precision,
  rows: Math.min(batch, plan.prompts.length),
  positions: longestPrompt(plan),
});

async function batchThatFits(directory: string, plan: GeneratePlan, precision: Precision): Promise<number> {
  const model = await readModelConfig(directory);
  const longest = longestPrompt(plan);
  const fits = defaultBatch(model.dims, {
    freeBytes: availableMemory().free,
    weightBytes: weightBytes(model, precision),
    positions: longest + plan.maxNewTokens,
    promptPositions: longest,
  });
  return Math.min(fits, plan.prompts.length);
}

/** The hash of everything that decides an answer. The batch is not part of it. */
export function answerKeys(
  { rules, maxNewTokens, temperature, seed, stopIds }: GeneratePlan,
  { threads, precision }: Settings,
  made: { readonly engine: string; readonly modelHash: string; readonly traced: boolean },
): (prompt: PlannedPrompt) => string {
  const common = JSON.stringify([
    [packageVersion(), made.engine, made.modelHash, threads, precision],
    [rules?.record.hash ?? null, rules?.record.disabled ?? [], maxNewTokens, temperature, stopIds],
    made.traced,
  ]);
  return ({ request }) => {
    const drawn = temperature > 0 ? [seed, request.id] : [];
    return sha256(JSON.stringify([common, request.promptIds, request.conversationIds, drawn])).slice(0, 32);
  };
}
