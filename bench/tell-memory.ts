/** Imported before a command: at its end it says its peak memory in bytes. */
import { peakMemory } from "../src/util/system.js";

process.on("exit", () => process.stderr.write(`peak ${peakMemory()}\n`));
