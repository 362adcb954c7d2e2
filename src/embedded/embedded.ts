/**
 * The embedded engine: everything in this process, on ONNX Runtime.
 * May not know: studies, texts, templates.
 */
import type { Engine, EngineSpec } from "../engine/engine.js";
import { createCpuDevice } from "../runtime/cpu.js";
import { availableCores, packageVersion } from "../util/system.js";
import { openEncoder } from "./encoder.js";
import { openModel } from "./model.js";
import type { Settings } from "./settings.js";

export function embeddedEngine({ precision = "f32", threads = availableCores() }: EngineSpec): Engine {
  const name = "embedded";
  const identify: Engine["identify"] = (files) => ({
    ...{ files, engine: name, precision, threads, device: "cpu" },
    version: `tacit ${packageVersion()}`,
  });
  const settings: Settings = { precision, threads, identify, device: () => createCpuDevice(threads) };
  return {
    name,
    identify,
    open: (model, how) => openModel(model, settings, how),
    openEncoder: (encoder, pooling) => openEncoder(encoder, pooling, settings),
  };
}
