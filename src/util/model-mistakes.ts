/**
 * What people pass as a model and is none: tables from what is there to what to say.
 * May not know: how it is found, model families, formats beyond their names and first bytes.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { NAME_A_MODEL } from "./model-directory.js";
import { CONFIG, TOKENIZER, WEIGHTS, WEIGHTS_INDEX } from "./model-files.js";
import { closest } from "./nearest.js";
import { quoted, shorten } from "./terminal.js";

export const ADAPTER = "adapter_config.json";

/** A part of a model directory that a command cannot do without. */
export type Part = "config" | "tokenizer" | "weights";

/** What is at a path. */
export type Found =
  | { readonly kind: "nothing"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly start: Uint8Array }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly names: ReadonlySet<string>;
      /** Of folders in it. */
      readonly folders: readonly string[];
      /** Where they are small JSON objects. */
      readonly config: Json | undefined;
      readonly adapter: Json | undefined;
      /** The bytes of its `config.json`, where they are few. */
      readonly configBytes: Uint8Array | undefined;
    };
export type Json = Readonly<Record<string, unknown>>;
export type Folder = Extract<Found, { kind: "folder" }>;

/** Undefined where it may be a model, as far as names and first bytes tell. */
export function saidOf(found: Found, lacking: Part | undefined): Said | undefined {
  if (found.kind === "nothing") return firstOf(ABSENT, found.path);
  if (found.kind === "file") return firstOf(FILES, found) ?? ["is a file, not a model directory", NAME_A_MODEL];
  return firstOf(ALWAYS, found) ?? (lacking === undefined ? undefined : firstOf(INCOMPLETE, { ...found, lacking }));
}

/** What follows the path in a message, and the remedy. */
export type Said = readonly [what: string, remedy: string];
/** Says what it knows, or nothing where that is not it. */
type Kind<T> = (found: T) => Said | undefined;

function firstOf<T>(kinds: readonly Kind<T>[], found: T): Said | undefined {
  for (const kind of kinds) {
    const said = kind(found);
    if (said !== undefined) return said;
  }
  return undefined;
}

/** A path or name in a message. */
export const shown = (path: string): string => quoted(shorten(path, 300));
const named = (names: readonly string[]): string =>
  names.slice(0, 3).map(shown).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");

// What is at no path. The order counts: an address has colons as Ollama's names have, and slashes as the hub's.
const ABSENT: readonly Kind<string>[] = [
  (path) => {
    const { name, tag } = HUB_ADDRESS.exec(path)?.groups ?? {};
    return name === undefined || tag === undefined ? undefined : hubFile(name, tag);
  },
  (path) => {
    const name = HUB_ADDRESS.exec(path)?.groups?.name;
    return name === undefined ? undefined : hubName(name);
  },
  (path) =>
    /^(https?|grpc|tcp|ws):\/\//i.test(path) || /^(localhost|[\d.]+|\[[\d:a-f]+\]):\d+(\/|$)/i.test(path)
      ? ["is the address of a server; here a model is a folder", "name the model directory that the server serves"]
      : undefined,
  (path) => (/^ollama:/i.test(path) || /^[\w.-]+(\/[\w.-]+)*:[\w.-]+$/.test(path) ? OLLAMA : undefined),
  (path) => {
    const like = sibling(path);
    return like === undefined ? undefined : ["does not exist", `did you mean ${shown(like)}?`];
  },
  (path) => (/^[\w-][\w.-]*\/[\w.-]+$/.test(path) && !existsSync(dirname(path)) ? hubName(path) : undefined),
  () => ["does not exist", NAME_A_MODEL],
];

/** `hf.co/a/b:Q4`, `https://huggingface.co/a/b/tree/main`, `hf:a/b`: the model's name, and behind a colon which of its GGUF files is meant. */
const HUB_ADDRESS =
  /^(?:(?:https?:\/\/)?(?:www\.)?(?:hf\.co|huggingface\.co)\/|(?:hf|huggingface):(?:\/\/)?)(?<name>[\w-][\w.-]*(?:\/[\w-][\w.-]*)?)(?::(?<tag>[\w.-]+))?(?:[/?#@].*)?$/i;

const OLLAMA: Said = [
  "does not exist; it looks like a name of Ollama's",
  "find the model's GGUF file (`ollama show --modelfile NAME` says where) and give it to `tacit models import`",
];
const hubName = (name: string): Said => [
  "does not exist; it looks like a name on the Hugging Face hub",
  `fetch it (\`hf download ${shown(name)} --local-dir DIR\`) and name the folder`,
];

const hubFile = (name: string, tag: string): Said => [
  "does not exist; it looks like a GGUF file on the Hugging Face hub",
  `fetch it (\`hf download ${shown(name)} --include "*${shown(tag)}*" --local-dir DIR\`) and give it to \`tacit models import\``,
];

/** What stands beside a path that does not exist and is called nearly the same. */
function sibling(path: string): string | undefined {
  const [folder, name] = [dirname(path), basename(path)];
  if (name === "" || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const near = closest(name, readdirSync(folder));
  return near === undefined ? undefined : join(folder, near);
}

const PICKLED: Said = [
  "holds pickled weights, which are not read: unpickling runs what a stranger wrote",
  "save them as safetensors (Transformers' save_pretrained does) and name that folder",
];
const beginsWith = (start: Uint8Array, text: string): boolean =>
  text.length <= start.length && [...text].every((c, i) => start[i] === c.charCodeAt(0));
const onlyFor = (path: string): Said => [
  "is a file of weights alone",
  `name its folder, ${shown(dirname(path))}, where ${CONFIG} and ${TOKENIZER} lie beside it`,
];
const IMPORT: Said = [
  "is a model in one file",
  "turn it into a model directory with `tacit models import FILE --out DIR`",
];

const FILES: readonly Kind<Extract<Found, { kind: "file" }>>[] = [
  ({ start }) => (isPointer(start) ? POINTED : undefined),
  ({ start, path }) => (beginsWith(start, "GGUF") || extname(path) === ".gguf" ? IMPORT : undefined),
  ({ start, path }) =>
    extname(path) === ".safetensors" || (start[8] === 0x7b && start[7] === 0 && start[6] === 0)
      ? onlyFor(path)
      : undefined,
  ({ path }) => ([".onnx", ".ort"].includes(extname(path)) ? ONNX : undefined),
  ({ path }) =>
    /\.(zip|tar|tgz|gz|xz|zst|7z)$/i.test(path) ? ["is an archive", "unpack it and name the folder"] : undefined,
  ({ start, path }) =>
    beginsWith(start, "PK") || start[0] === 0x80 || [".pt", ".pth", ".ckpt", ".pkl"].includes(extname(path))
      ? PICKLED
      : undefined,
  ({ path }) => (extname(path) === ".bin" ? IMPORT : undefined),
];

const ONNX: Said = [
  "is a model for ONNX Runtime",
  "name the directory that it was exported from, with safetensors weights",
];

// What is wrong whatever else lies there.
const ALWAYS: readonly Kind<Folder>[] = [
  ({ names, adapter }) => {
    if (!names.has(ADAPTER)) return undefined;
    const base = adapter?.base_model_name_or_path;
    const on = typeof base === "string" && base !== "" ? ` on ${shown(base)}` : "";
    return [
      `is an adapter (LoRA or of its kind)${on}, not a whole model`,
      "merge it into its base (PEFT's merge_and_unload, then save_pretrained) and name that folder",
    ];
  },
  ({ names, config }) => {
    const how = config?.quantization_config ?? (names.has("quantize_config.json") ? {} : undefined);
    if (how === undefined || how === null) return undefined;
    const method = typeof how === "object" && "quant_method" in how ? how.quant_method : undefined;
    return [
      `is quantised${typeof method === "string" ? ` (${shown(method)})` : ""}: quantization_config of ${CONFIG} is not honoured`,
      "take the model in 16 or 32 bits, or a GGUF file of it with `tacit models import`",
    ];
  },
];

const ofKind = (names: Iterable<string>, pattern: RegExp): string[] =>
  [...names].filter((name) => pattern.test(name)).sort();

// What a folder is that lacks a part of a model.
const INCOMPLETE: readonly Kind<Folder & { readonly lacking: Part }>[] = [
  ({ names }) => (names.size === 0 ? ["is an empty folder", NAME_A_MODEL] : undefined),
  ({ names, path, lacking }) =>
    lacking === "tokenizer" &&
    ofKind(names, /^(tokenizer\.model|vocab\.(json|txt)|merges\.txt|.*\.tiktoken|tekken\.json)$/).length > 0
      ? [
          `has the files of a slow tokenizer, but no ${TOKENIZER}`,
          `write one: AutoTokenizer.from_pretrained(${JSON.stringify(shown(path))}).save_pretrained(the same folder)`,
        ]
      : undefined,
  ({ names, path }) => {
    const files = ofKind(names, /\.gguf$/);
    return files.length === 0
      ? undefined
      : [
          `holds GGUF files (${named(files)}) and no safetensors weights`,
          `turn one into a model directory: \`tacit models import ${shown(join(path, files[0] ?? ""))} --out DIR\``,
        ];
  },
  ({ names, path, folders }) =>
    basename(resolve(path)) === "checkpoints" &&
    folders.some((name) => /^checkpoint-\d+$/.test(name)) &&
    !names.has(CONFIG)
      ? [
          "holds the checkpoints of an unfinished run of tacit tune, from which it resumes",
          `finish the run, then name ${shown(dirname(resolve(path)))}`,
        ]
      : undefined,
  ({ names }) =>
    names.has("state.json") && names.has("parameters") && names.has("first")
      ? [
          "is a checkpoint of an unfinished run of tacit tune, from which it resumes",
          "finish the run and name its folder",
        ]
      : undefined,
  ({ names }) =>
    names.has("unfinished.json") && names.has("metrics.jsonl")
      ? ["is an unfinished run of tacit tune", "finish it: the same command again"]
      : undefined,
  ({ names }) =>
    ofKind(names, /^(study|annotations|manifest|unfinished)\.json$/).length > 0 && !names.has(CONFIG)
      ? RESULTS
      : undefined,
  ({ names, lacking }) => (lacking === "config" && names.has("run.json") && !names.has(WEIGHTS) ? RESULTS : undefined),
  ({ names }) =>
    ofKind(names, /^(pytorch_model.*\.bin|consolidated.*\.pth|.*\.(pt|pth|ckpt|pkl)|pytorch_model\.bin\.index\.json)$/)
      .length > 0
      ? PICKLED
      : undefined,
  ({ names, folders }) => (ofKind(names, /\.onnx$/).length > 0 || folders.includes("onnx") ? ONNX : undefined),
  ({ names }) =>
    ofKind(names, /^(tf_model\.h5|flax_model\.msgpack|rust_model\.ot|weights.*\.npz)$/).length > 0
      ? [
          "holds weights for another framework",
          "save the model as safetensors with Transformers' save_pretrained and name that folder",
        ]
      : undefined,
  ({ names }) =>
    names.has("model_index.json") ? ["is a pipeline of Diffusers, not a language model", NAME_A_MODEL] : undefined,
  ({ path, folders }) => {
    const snapshots = folders.includes("snapshots") ? foldersWithConfig(join(path, "snapshots")) : [];
    return snapshots[0] === undefined ? undefined : ["is a folder of the hub's cache", `name ${shown(snapshots[0])}`];
  },
  ({ path }) => {
    const models = foldersWithConfig(path);
    return models.length === 0
      ? undefined
      : [
          `is not a model directory, but contains some: ${named(models.map((one) => basename(one)))}`,
          `name one, such as ${shown(models.at(-1) ?? "")}`,
        ];
  },
  ({ names }) => {
    const files = ofKind(names, /\.safetensors$/).filter((name) => !/^adapter_/.test(name));
    return files.length === 0 || names.has(WEIGHTS) || names.has(WEIGHTS_INDEX)
      ? undefined
      : [
          `holds ${named(files)}, but neither ${WEIGHTS} nor ${WEIGHTS_INDEX}`,
          files.length === 1 ? `rename it to ${WEIGHTS}` : `fetch ${WEIGHTS_INDEX}, which says what lies in which file`,
        ];
  },
];

const RESULTS: Said = ["is a folder of Tacit's results, not a model", NAME_A_MODEL];

function foldersWithConfig(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(path, entry.name, CONFIG)))
    .map(({ name }) => join(path, name))
    .sort(inNumericOrder);
}

const inNumericOrder = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

const POINTER = "version https://git-lfs.github.com/spec/";
/** Whether a file begins as a pointer of Git LFS does. */
export const isPointer = (start: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(start.subarray(0, POINTER.length)) === POINTER;
export const POINTED: Said = [
  "is a Git LFS pointer, not the file itself",
  "fetch the file with `git lfs pull` in its repository",
];
