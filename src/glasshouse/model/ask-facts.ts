/**
 * What any model knows of the world: the facts about the test entities, asked by likelihood.
 * May not know: the command line.
 */

import { glasshouseOptions } from "../../options/files.js";
import { type Watch, watched } from "../../records/events.js";
import type { Knowledge } from "../../records/pretrain.js";
import { type EngineOptions, engineOf } from "../../steps/open-engine.js";
import { type OptionsOf, withDefaults } from "../../util/options.js";
import { factRows } from "../facts.js";
import { makeWorld } from "../world.js";
import { type KnowledgeWatch, measureKnowledge } from "./knowledge.js";

export interface FactsRequest extends OptionsOf<typeof glasshouseOptions.facts>, Pick<EngineOptions, "engine"> {}

export interface FactsSummary {
  readonly version: 1;
  readonly command: "glasshouse facts";
  readonly model: { readonly path: string; readonly hash: string };
  readonly seed: number;
  readonly knowledge: Knowledge;
  readonly seconds: number;
}

/** @throws UserError  no model there, or one that cannot be asked */
export const askFacts = (request: FactsRequest, watch: Watch = {}): Promise<FactsSummary> =>
  watched("glasshouse facts", watch, (say) => measureFacts(request, { say, signal: watch.signal }));

async function measureFacts(request: FactsRequest, watch: KnowledgeWatch): Promise<FactsSummary> {
  const started = performance.now();
  const { seed, limit } = withDefaults(glasshouseOptions.facts, request);
  const rows = factRows(makeWorld(seed), "test").slice(0, limit);
  await using model = await engineOf(request).open(request.model);
  const { files: hash } = await model.identity();
  const knowledge = await measureKnowledge(model, rows, watch);
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  return { version: 1, command: "glasshouse facts", model: { path: model.ref, hash }, seed, knowledge, seconds };
}
