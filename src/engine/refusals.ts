/**
 * What an engine cannot do with a model, said before anything is read at length or computed.
 * May not know: any one engine.
 */

import { UserError } from "../util/errors.js";
import { formatBytes } from "../util/progress.js";
import { quoted, shorten } from "../util/terminal.js";
import { option, words } from "../util/words.js";
import type { Engine } from "./engine.js";
import type { OpenedModel, Plan } from "./opened.js";

const CANNOT = {
  generate: "does not generate",
  score: "gives no log-probabilities of given responses",
  tune: "does not tune",
} as const;

/** What a model is asked by. @throws UserError  the engine has it not */
export function ability<K extends keyof typeof CANNOT>(model: OpenedModel, what: K): NonNullable<OpenedModel[K]> {
  const able = model[what];
  if (able !== undefined) return able;
  const lack = model.lacks?.[what];
  if (lack === undefined) throw cannot(model.engine, CANNOT[what]);
  throw new UserError(`the engine ${model.engine} ${CANNOT[what]}: ${lack.reason}`, { remedy: lack.remedy });
}

/** @throws UserError  the engine embeds no texts */
export function embedding(engine: Engine): NonNullable<Engine["openEncoder"]> {
  if (engine.openEncoder !== undefined) return engine.openEncoder.bind(engine);
  throw cannot(engine.name, "does not embed texts");
}

/** @throws UserError  the engine takes no rules */
export function refuseRules({ engine, capabilities }: Pick<OpenedModel, "engine" | "capabilities">): void {
  if (!capabilities.logitRules) {
    throw new UserError(`the engine ${engine} cannot change logits at every step`, {
      remedy: words`leave ${option("rules")} out, or use the embedded engine`,
    });
  }
}

const cannot = (engine: string, what: string): UserError =>
  new UserError(`the engine ${engine} ${what}`, { remedy: "use the embedded engine" });

/** @throws UserError  what is planned does not fit into memory: what it needs, what is free, and what to do */
export function refuseTooLarge({ ref }: Pick<OpenedModel, "ref">, plan: Plan): void {
  const { bytes, freeBytes, purpose, parts, smaller } = plan;
  if (bytes <= freeBytes) return;
  const sizes = Object.entries(parts ?? {}).map(([part, size]) => `${part} ${formatBytes(size)}`);
  const of = sizes.length === 0 ? "" : ` (${sizes.join(", ")})`;
  throw new UserError(
    `${quoted(shorten(ref, 200))} needs about ${formatBytes(bytes)} of memory for ${purpose}${of}; ${formatBytes(freeBytes)} are free`,
    { remedy: smaller?.() ?? "take a smaller model, or a machine with more memory" },
  );
}
