/**
 * A model directory opened by the embedded engine: its programs are compiled when they are first needed and kept until it is closed.
 * May not know: templates, files beside the model's.
 */
import { join } from "node:path";
import { type Body, compileBody, type ReadParameters } from "../decode/body.js";
import { generateResponses } from "../decode/generate.js";
import { compileLogprobs, compileNextToken, type Head, type NextTokenKind } from "../decode/head.js";
import { scoringBytes } from "../decode/memory.js";
import { quantize } from "../decode/quantize.js";
import { scoreResponses } from "../decode/score.js";
import type { ModelRef, ModelUse, OnHashed, OpenedModel } from "../engine/opened.js";
import { refuseTooLarge } from "../engine/refusals.js";
import type { Precision } from "../engine/requests.js";
import { openModelFolder } from "../model-files/open.js";
import type { Model } from "../models/model.js";
import { modelFromConfig, type OpenModel, openModelIn, parameterCount, readParameter } from "../models/open.js";
import type { Device, Program, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";
import { CONFIG } from "../util/model-files.js";
import { availableMemory } from "../util/system.js";
import { option, words } from "../util/words.js";
import { planUse } from "./plan.js";
import type { Settings } from "./settings.js";
import { tuneModel } from "./tune.js";

/** Opens a model directory: nothing of its weights but their headers is read before it is asked for something. */
export async function openModel(
  ref: ModelRef,
  settings: Settings,
  { toPlan = false }: { readonly toPlan?: boolean } = {},
): Promise<OpenedModel> {
  const folder = await openModelFolder(ref);
  if (toPlan) return openedToPlan(ref, folder, settings);
  const opened = await openModelIn(folder.directory, folder.config);
  const { model } = opened;
  const { precision } = settings;
  const described = describeModel(ref, folder, model, settings);
  const { plan } = described;
  const running = openRunning(async () => {
    refuseTooLarge({ ref }, plan({ for: "scoring" }));
    return load(opened, settings.device(), precision);
  });
  return {
    ...described,
    notes: opened.notes,
    async *generate(requests, options) {
      const { body, heads } = await running.get();
      yield* generateResponses({ body, head: heads.nextToken }, requests, options);
    },
    async *score(requests, options = {}) {
      const { body, heads } = await running.get();
      const cacheBytes = scoringBytes(availableMemory().free);
      yield* scoreResponses({ body, head: heads.logprobs }, requests, { ...options, cacheBytes });
    },
    ...(precision === "f32"
      ? {
          tune: (rows, options, run) =>
            tuneModel({ ref, folder, opened, device: settings.device() }, rows, options, run),
        }
      : {
          lacks: {
            tune: {
              reason: `weights in ${precision} are not trained`,
              remedy: words`open the engine with ${option("precision", "f32")}`,
            },
          },
        }),
    async [Symbol.asyncDispose]() {
      try {
        await running.close();
      } finally {
        await opened.weights.close();
      }
    },
  };
}

type Folder = Awaited<ReturnType<typeof openModelFolder>>;

/** What configuration and tokenizer alone say. */
const describeModel = (ref: ModelRef, folder: Folder, model: Model, settings: Settings) => ({
  ref,
  engine: "embedded",
  identity: async (onHashed?: OnHashed) => settings.identify(await folder.hash(onHashed)),
  text: folder.text,
  stopIds: folder.stopIds,
  dims: { parameters: parameterCount(model) },
  limits: { maxPositions: model.dims.maxPositions },
  capabilities: { logitRules: true },
  plan: (use: ModelUse) => planUse(model, use, settings),
});

function openedToPlan(ref: ModelRef, folder: Folder, settings: Settings): OpenedModel {
  const model = modelFromConfig(folder.config, join(folder.directory, CONFIG));
  return { ...describeModel(ref, folder, model, settings), notes: [], [Symbol.asyncDispose]: async () => {} };
}

/** A model's programs. */
interface Loaded {
  readonly body: Body;
  readonly heads: Heads;
}

async function load(opened: OpenModel, device: Device, precision: Precision): Promise<Loaded> {
  const read: ReadParameters = (names) => readNamed(opened, device, names);
  const body = await compileBody(opened.model, device, read, precision);
  const heads = openHeads(device, async () => {
    const head = present((await read([body.headName])).get(body.headName), body.headName);
    return precision === "q8" ? quantizedHead(device, head) : head;
  });
  return { body, heads };
}

/** Loads when it is first asked to, and holds what was loaded until it is closed. */
function openRunning(make: () => Promise<Loaded>) {
  let loaded: Promise<Loaded> | undefined;
  return {
    get(): Promise<Loaded> {
      loaded ??= make().catch((error: unknown) => {
        loaded = undefined; // memory may suffice the next time
        throw error;
      });
      return loaded;
    },
    async close(): Promise<void> {
      const held = await loaded?.catch(() => undefined);
      if (held === undefined) return;
      await held.heads.close();
      await held.body[Symbol.asyncDispose]();
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
