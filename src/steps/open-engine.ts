/**
 * The engines that there are, and the only place that knows them: an engine is one file and one entry here.
 * May not know: what is asked of an engine.
 */

import { embeddedEngine } from "../embedded/embedded.js";
import type { Engine, EngineSpec } from "../engine/engine.js";
import type { Identity } from "../engine/identity.js";
import type { Opened } from "../engine/opened.js";
import type { RecordedModel } from "../records/model.js";
import { UserError } from "../util/errors.js";
import { option, words } from "../util/words.js";

const engines: { readonly [N in NonNullable<EngineSpec["name"]>]: (spec: EngineSpec) => Engine } = {
  embedded: embeddedEngine,
};

/**
 * @example
 * const engine = openEngine({ precision: "q8", threads: 4 });
 */
export const openEngine = ({ name = "embedded", ...how }: EngineSpec = {}): Engine => engines[name](how);

/** How a call says what computes: by an engine, or by what the embedded one is to be made with. */
export interface EngineOptions extends Omit<EngineSpec, "name"> {
  /** Default: the embedded engine. */
  readonly engine?: Engine | undefined;
}

/** @throws UserError  an engine is given, and how another one would compute as well */
export function engineOf({ engine, precision, threads }: EngineOptions): Engine {
  if (engine === undefined) return openEngine({ precision, threads });
  const also = Object.entries({ precision, threads }).find(([, value]) => value !== undefined);
  if (also === undefined) return engine;
  const name = option(also[0]);
  throw new UserError(words`an engine is given, and ${name} as well`, {
    remedy: words`make the engine with its ${name}`,
  });
}

/** A model as records name it. */
export const recordedModel = ({ ref, notes }: Pick<Opened, "ref" | "notes">, { files }: Identity): RecordedModel => ({
  path: ref,
  hash: files,
  ...(notes.length === 0 ? {} : { notes: [...notes] }),
});
