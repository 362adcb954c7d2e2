/**
 * Run as a process by `growth.mjs`, so that a size's memory is its own: one training step, timed `runs` times.
 * Arguments: `{shape, rows, time, microTokens, recompute, threads, runs}` as JSON. Prints `{seconds, peak}`, bytes.
 */
import { peakMemory } from "../dist/util/system.js";
import { median } from "./measure.mjs";
import { modelOfShape } from "./shapes.mjs";
import { timeSteps } from "./train.mjs";

const { shape, threads, runs, ...sizes } = JSON.parse(process.argv[2]);
const job = { ...sizes, supervised: (sizes.rows * sizes.time) / 2 };
const steps = await timeSteps(modelOfShape(shape), job, { threads, runs });
const seconds = median(steps.map(({ gradients, adam }) => gradients + adam));
process.stdout.write(JSON.stringify({ seconds, peak: peakMemory() }));
