/**
 * How the embedded engine computes, settled: whatever a caller left open is filled in.
 * May not know: models.
 */
import type { Engine } from "../engine/engine.js";
import type { Precision } from "../engine/requests.js";
import type { Device } from "../runtime/device.js";

export interface Settings {
  readonly precision: Precision;
  readonly threads: number;
  readonly identify: Engine["identify"];
  /** Made for each model. */
  readonly device: () => Device;
}
