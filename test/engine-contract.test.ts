/** The engines that are here, held to their contract. */
import { describe } from "vitest";
import { openSessionCount } from "../src/runtime/cpu.js";
import { openEngine } from "../src/steps/open-engine.js";
import { runEngineContract } from "./engine-contract.js";
import { mockEngine, mockModel } from "./mock-engine.js";

describe("embedded", () => {
  runEngineContract({ make: () => openEngine({ threads: 1 }).open(mockModel), open: openSessionCount });
});

describe.each([false, true])("mock, answers in another order: %s", (reversed) => {
  const engine = mockEngine(reversed ? { order: (requests) => [...requests].reverse() } : {});
  runEngineContract({ make: () => engine.open(mockModel), open: engine.held });
});
