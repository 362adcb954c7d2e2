/**
 * A model directory held by the embedded engine: its programs are compiled when they are first needed and kept until `close`.
 * May not know: texts, templates, training.
 */
import { type Body, compileBody, type ReadParameters } from "../decode/body.js";
import { generateResponses } from "../decode/generate.js";
import { compileLogprobs, compileNextToken, type Head, type NextTokenKind } from "../decode/head.js";
import { scoringBytes } from "../decode/memory.js";
import { quantize } from "../decode/quantize.js";
import { scoreResponses } from "../decode/score.js";
import type { Capabilities, LoadedModel, LoadOptions } from "../engine/engine.js";
import { refuseMissing } from "../engine/refusals.js";
import { type OpenModel, openModel, readParameter } from "../models/open.js";
import { createCpuDevice } from "../runtime/cpu.js";
import type { Device, Program, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";
import { availableMemory } from "../util/system.js";
import { refuseTooLargeHere } from "./memory-checks.js";

export const embeddedCapabilities: Capabilities = {
  tune: true,
  generate: true,
  score: true,
  embed: true,
  logitRules: true,
  precisions: ["f32", "q8"],
};

/**
 * @throws UserError  no such model, or a model that is not supported
 */
export async function loadEmbedded(
  directory: string,
  { threads, precision, onNote }: LoadOptions,
): Promise<LoadedModel> {
  refuseMissing({ name: "embedded", capabilities: embeddedCapabilities }, { precision });
  await refuseTooLargeHere(directory, { for: "running", precision });
  const device = createCpuDevice(threads);
  const opened = await openModel(directory);
  try {
    for (const note of opened.notes) onNote?.(note);
    const read: ReadParameters = (names) => readNamed(opened, device, names);
    const body = await compileBody(opened.model, device, read, precision);
    const heads = openHeads(device, async () => {
      const head = present((await read([body.headName])).get(body.headName), body.headName);
      return precision === "q8" ? quantizedHead(device, head) : head;
    });
    return loaded(opened, body, heads);
  } catch (error) {
    await opened.weights.close();
    throw error;
  }
}

/** What there is to say of a model's files: a few headers are read, and matrices that might differ. */
export async function notesOn(directory: string): Promise<readonly string[]> {
  const { notes, weights } = await openModel(directory);
  await weights.close();
  return notes;
}

function loaded({ weights }: OpenModel, body: Body, heads: Heads): LoadedModel {
  return {
    capabilities: embeddedCapabilities,
    maxPositions: body.model.dims.maxPositions,
    generate: (requests, options) => generateResponses({ body, head: heads.nextToken }, requests, options),
    score: (requests, options = {}) =>
      scoreResponses({ body, head: heads.logprobs }, requests, {
        ...options,
        cacheBytes: scoringBytes(availableMemory().free),
      }),
    async close() {
      try {
        await heads.close();
        await body[Symbol.asyncDispose]();
      } finally {
        await weights.close();
      }
    },
  };
}

/** Reads only what is asked for, so that no more lies in memory twice than must while a program is made. */
async function readNamed(opened: OpenModel, device: Device, names: readonly string[]): Promise<Map<string, Tensor>> {
  const shapes = new Map(opened.model.parameters.map(({ name, shape }) => [name, shape]));
  const tensors = new Map<string, Tensor>();
  for (const name of names) {
    tensors.set(name, device.fromFloats(await readParameter(opened, name), present(shapes.get(name), name)));
  }
  return tensors;
}

async function quantizedHead(device: Device, head: Tensor): Promise<Head> {
  const [rows, width] = head.shape as readonly [number, number];
  return { ...quantize(device, await device.floats(head), [rows, width]), width };
}

interface Heads {
  nextToken(kind: NextTokenKind): Promise<Program>;
  logprobs(): Promise<Program>;
  close(): Promise<void>;
}

function openHeads(device: Device, readHead: () => Promise<Head>): Heads {
  const programs = new Map<string, Promise<Program>>();
  const once = (key: string, compile: (head: Head) => Promise<Program>): Promise<Program> => {
    const known = programs.get(key);
    if (known !== undefined) return known;
    const made = readHead().then(compile);
    programs.set(key, made);
    made.catch(() => programs.delete(key)); // memory may suffice the next time
    return made;
  };
  return {
    nextToken: (kind) => once(JSON.stringify(kind), (head) => compileNextToken(device, head, kind)),
    logprobs: () => once("logprobs", (head) => compileLogprobs(device, head)),
    async close() {
      for (const program of await Promise.all(programs.values())) await program[Symbol.asyncDispose]();
      programs.clear();
    },
  };
}
