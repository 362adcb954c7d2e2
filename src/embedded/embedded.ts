/**
 * The embedded engine: everything in this process, on ONNX Runtime.
 * May not know: studies, texts, templates.
 */

import type { Engine } from "../engine/engine.js";
import { loadEncoder } from "./encoder.js";
import { refuseTooLargeHere } from "./memory-checks.js";
import { embeddedCapabilities, loadEmbedded, notesOn } from "./model.js";
import { tuneEmbedded } from "./tune.js";

export const embeddedEngine: Engine = {
  name: "embedded",
  capabilities: embeddedCapabilities,
  refuseTooLarge: refuseTooLargeHere,
  notes: notesOn,
  load: loadEmbedded,
  loadEncoder,
  tune: tuneEmbedded,
};
