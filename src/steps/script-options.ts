/**
 * What only scripts can give: engines, functions, signals.
 * May not know: any call.
 */

import type { Engine } from "../engine/engine.js";
import type { Checkers } from "../judge/checker.js";
import { call, having, type Kind, namedBy, needed, text } from "../util/option-kinds.js";

export const signal: Kind<AbortSignal> = {
  wanted: "an AbortSignal",
  holds: (value): value is AbortSignal => value instanceof AbortSignal,
};
export const engine = having<Engine>({ name: needed(text), identify: needed(call), open: needed(call) }, "an engine");
export const checkers: Kind<Checkers> = namedBy(call as Kind<Checkers[string]>, "checkers by name");
