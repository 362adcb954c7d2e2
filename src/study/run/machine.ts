/**
 * How many computing steps go side by side here: by cores and by memory.
 * May not know: how a step is carried out.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { availableMemory } from "../../util/system.js";
import type { Inputs } from "../plan/sources.js";
import type { Computing } from "../step.js";
import { definitionOf, type Step } from "../steps.js";
import type { Room } from "./schedule.js";

/** Of the runtime itself. */
const BASE_BYTES = 300e6;

export function computingRoom(inputs: Inputs, computing: Computing, cores: number): Room {
  const { threads = cores } = computing;
  const largest = Math.max(
    0,
    ...inputs.all.filter(({ role }) => role === "model").map(({ path }) => weightBytes(path)),
  );
  return {
    computing: Math.max(1, Math.floor(cores / threads)),
    fits: (step) => memoryOf(step, largest) <= availableMemory().free,
  };
}

const memoryOf = ({ kind }: Step, fileBytes: number): number =>
  BASE_BYTES + fileBytes * definitionOf(kind).memory.perFileByte;

/** Bytes of the weights of a model directory as they lie there. */
export function weightBytes(directory: string): number {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".safetensors"))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
