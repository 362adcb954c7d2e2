/**
 * The embedded engine: everything in this process, on ONNX Runtime.
 * May not know: studies, texts, templates.
 */
import { loadEncoder } from "./embedded-encoder.js";
import { embeddedCapabilities, loadEmbedded } from "./embedded-model.js";
import { tuneEmbedded } from "./embedded-tune.js";
import type { Engine } from "./engine.js";
import { refuseTooLargeHere } from "./memory-checks.js";

export const embeddedEngine: Engine = {
  name: "embedded",
  capabilities: embeddedCapabilities,
  refuseTooLarge: refuseTooLargeHere,
  load: loadEmbedded,
  loadEncoder,
  tune: tuneEmbedded,
};
