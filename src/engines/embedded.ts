/**
 * The embedded engine: everything in this process, on ONNX Runtime.
 * May not know: studies, texts, templates.
 */
import { embeddedCapabilities, loadEmbedded } from "./embedded-model.js";
import { tuneEmbedded } from "./embedded-tune.js";
import type { Engine } from "./engine.js";

export const embeddedEngine: Engine = {
  name: "embedded",
  capabilities: embeddedCapabilities,
  load: loadEmbedded,
  tune: tuneEmbedded,
};
