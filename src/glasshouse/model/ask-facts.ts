/**
 * What any model knows of the world: the facts about the test entities, asked by likelihood.
 * May not know: the command line.
 */

import { embeddedEngine } from "../../embedded/embedded.js";
import type { Engine } from "../../engine/engine.js";
import { refuseMissing } from "../../engine/refusals.js";
import { hashModel } from "../../model-files/hash.js";
import { type Watch, watched } from "../../records/events.js";
import type { Knowledge } from "../../records/pretrain.js";
import { availableCores } from "../../util/system.js";
import { factRows } from "../facts.js";
import { makeWorld } from "../world.js";
import { type KnowledgeWatch, knowledgeOf } from "./knowledge.js";

export interface FactsRequest {
  readonly model: string;
  /** Of the world; default 1. */
  readonly seed?: number;
  /** Only the first so many facts; default: all. */
  readonly limit?: number;
  /** Default: the cores there are. */
  readonly threads?: number;
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

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
  const { model, seed = 1, limit, threads = availableCores(), engine = embeddedEngine } = request;
  refuseMissing(engine, { score: true });
  const rows = factRows(makeWorld(seed), "test").slice(0, limit);
  const hash = await hashModel(model);
  const knowledge = await knowledgeOf(model, rows, { engine, threads }, watch);
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  return { version: 1, command: "glasshouse facts", model: { path: model, hash }, seed, knowledge, seconds };
}
