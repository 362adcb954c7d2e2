/**
 * Options that several commands have.
 * May not know: any command.
 */
import { SHIPPED_MODEL } from "../util/model-directory.js";
import { decimal, either, flag, lowerCase, oneOf, text, whole } from "../util/option-kinds.js";
import { defineOptions, pick } from "../util/options.js";

export const count = whole({ min: 1 });
export const seed = whole({ min: 0 });
/** `{limits}`: what the data sets themselves say. */
export const dataLimit = {
  type: { ...either(count, oneOf("all")), wanted: "a whole number of 1 or more, or all" },
  takes: "n",
  help: "at most n examples from the front, or all",
  unless: "the paper's: {limits}, else all",
} as const;
export const limitOf = (what: string) =>
  ({
    type: count,
    takes: "n",
    help: `take at most this many ${what}, from the first on`,
    unless: "all",
  }) as const;

export const apiKeyEnv = {
  type: text,
  takes: "variable",
  help: "environment variable with the key",
  unless: "OPENAI_API_KEY, if set",
  decides: false,
} as const;

const perMinute = decimal({ above: 0, max: 1e9 });

/**
 * How a server is asked.
 *
 * @param concurrency  the default
 * @param whose  in front of each default: where else it may be said
 */
export const serverLimits = (concurrency: string, whose = "") =>
  ({
    concurrency: {
      type: whole({ min: 1, max: 256 }),
      takes: "n",
      help: "requests under way at a time",
      unless: `${whose}${concurrency}`,
      decides: false,
    },
    requestsPerMinute: {
      type: perMinute,
      takes: "n",
      help: "send no more, evenly",
      unless: `${whose}no limit`,
      decides: false,
    },
    tokensPerMinute: {
      type: perMinute,
      takes: "n",
      help: "use no more, evenly",
      unless: `${whose}no limit`,
      decides: false,
    },
    timeout: {
      type: decimal({ above: 0, max: 3600 }),
      takes: "seconds",
      help: "of one request",
      unless: `${whose}120`,
      decides: false,
    },
    retries: {
      type: whole({ min: 0, max: 100 }),
      takes: "n",
      help: "further requests where there is no reply",
      unless: `${whose}6`,
      decides: false,
    },
  }) as const;

export const common = defineOptions({
  model: {
    type: text,
    takes: "dir",
    help: `model directory in the Hugging Face layout, or ${SHIPPED_MODEL}`,
    needed: true,
  },
  seed: { type: seed, takes: "n", help: "seed of everything that is drawn by chance", default: 0 },
  threads: {
    type: whole({ min: 1, max: 1024 }),
    takes: "n",
    help: "threads to compute with; results name it",
    unless: "the cores there are{cores}",
  },
  precision: {
    type: oneOf("f32", "q8"),
    help: "weights as single floats, or in 8 bits (q8): less memory, slightly other results",
    default: "f32",
  },
  events: {
    type: flag,
    help: "say on standard error, as a JSON object a line, what is done",
    default: false,
    unless: "a line of progress",
    decides: false,
    only: "command",
  },
  force: { type: flag, help: "replace a result that already exists", default: false, decides: false },
  json: {
    type: flag,
    help: "print one JSON summary on standard output",
    default: false,
    decides: false,
    only: "command",
  },
});

/** How the embedded engine is to compute. */
export const engineSpec = pick(common, "precision", "threads");
/** What stands last in the help of whatever computes. */
export const computing = pick(common, "threads", "force", "json", "events");

export const objective = oneOf("instruction", "response");
export const preset = oneOf("paper", "reference");
export const dtype = lowerCase(oneOf("F32", "F16", "BF16"));
