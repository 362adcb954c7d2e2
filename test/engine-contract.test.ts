/** The engines that are here, held to their contract. */
import { join } from "node:path";
import { describe } from "vitest";
import { loadEmbedded } from "../src/embedded/model.js";
import { openSessionCount } from "../src/runtime/cpu.js";
import { runEngineContract } from "./engine-contract.js";
import { mockEngine } from "./mock-engine.js";
import { repositoryRoot } from "./staged-package.js";

const load = { threads: 1, precision: "f32" } as const;

describe("embedded", () => {
  const folder = join(repositoryRoot, "test", "fixtures", "models", "llama");
  runEngineContract({ make: () => loadEmbedded(folder, load), open: openSessionCount });
});

describe.each([false, true])("mock, answers in another order: %s", (reversed) => {
  const engine = mockEngine(reversed ? { order: (requests) => [...requests].reverse() } : {});
  runEngineContract({ make: () => engine.load("", load), open: engine.open });
});
