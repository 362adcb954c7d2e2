/**
 * Imports point one way. The layers of the design are listed here, low to high; a folder imports only from folders below it.
 * The checker is a pure function over (file, specifier) pairs, so that the last tests can feed it offenders.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { specifiersIn } from "./imports.js";

/** Folders of one line do not see each other. `index` is `src/index.ts`, the library's entry. */
const layers: readonly (readonly string[])[] = [
  ["util"],
  ["options"],
  ["records"],
  ["stats"],
  ["rules", "data", "text", "graph", "openai"],
  ["onnx"],
  ["runtime", "weights"],
  ["models"],
  ["engine"],
  ["model-files"],
  ["train", "decode"],
  ["embedded"],
  ["rank", "judge", "similarity"],
  ["steps"],
  ["study"],
  ["glasshouse", "report"],
  ["index"],
  ["cli"],
];

/** Where the order alone says too little: all that these may import. */
const only: Readonly<Record<string, readonly string[]>> = {
  rules: ["util"],
  weights: ["util", "records", "stats"],
  engine: ["util", "records", "rules", "text/tokenizer.ts", "text/encoder.ts"],
  "model-files": ["util", "options", "records", "text", "weights", "runtime", "models", "engine"],
  rank: ["util", "records", "stats", "engine"],
  openai: ["util", "records"],
  judge: ["util", "options", "records", "stats", "openai"],
  similarity: ["util", "records", "stats", "openai", "engine"],
  study: [
    "util",
    "options",
    "records",
    "stats",
    "rules/file.ts",
    "engine",
    "model-files/hash.ts",
    "runtime/multiply.ts",
    "rank",
    "judge",
    "similarity",
    "steps",
  ],
  report: ["util", "options/lc-models.ts", "records", "stats"],
};

/** Which engines there are is known here alone. */
const ENGINES = "steps/open-engine.ts";

/** Packages that one folder alone may import, so that each can be replaced in one place. */
const owners: Readonly<Record<string, string>> = {
  "onnxruntime-node": "runtime",
  "onnxruntime-common": "runtime",
  "@huggingface/tokenizers": "text",
  hyparquet: "data",
  "hyparquet-compressors": "data",
  "pure-rand": "util",
  commander: "cli",
};

interface Import {
  /** Relative to src, with forward slashes: `text/render.ts`. */
  readonly file: string;
  readonly specifier: string;
}

const folderOf = (file: string): string => file.split("/")[0]!.replace(/\.ts$/, "");
const rankOf = (folder: string): number => layers.findIndex((layer) => layer.includes(folder));
const isTest = (file: string): boolean => /\.(test|contract)\.ts$/.test(file);

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** The file that a relative specifier means, relative to src; one that leaves src starts with `..`. */
const targetOf = ({ file, specifier }: Import): string =>
  posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts");

function offence(one: Import, dependencies: ReadonlySet<string>): string | undefined {
  const { file, specifier } = one;
  const from = folderOf(file);
  if (rankOf(from) < 0) return `${file}: the folder ${from} is in no layer`;
  if (specifier.startsWith("node:")) return undefined;
  if (!specifier.startsWith(".")) return packageOffence(one, dependencies);
  if (!/\.(js|json)$/.test(specifier)) return `${file}: ${specifier} does not end in .js`;
  const target = targetOf(one);
  if (target.startsWith("..")) return isTest(file) ? undefined : `${file}: ${specifier} is outside src`;
  const to = folderOf(target);
  if (to === from) return undefined;
  if (rankOf(to) >= rankOf(from)) return `${file}: ${from} may not import ${target}`;
  const allowed = only[from];
  if (allowed === undefined || allowed.includes(to) || allowed.includes(target)) {
    const hidden = to === "embedded" && !isTest(file) && file !== ENGINES;
    return hidden ? `${file}: only ${ENGINES} may import ${target}` : undefined;
  }
  return `${file}: ${from} may import only ${allowed.join(", ")}, not ${target}`;
}

function packageOffence({ file, specifier }: Import, dependencies: ReadonlySet<string>): string | undefined {
  const name = packageOf(specifier);
  const owner = owners[name];
  if (owner !== undefined && owner !== folderOf(file)) return `${file}: ${name} belongs to ${owner}`;
  if (!isTest(file) && /\/(src|dist|lib)\//.test(specifier)) return `${file}: ${specifier} reaches into ${name}`;
  if (!isTest(file) && !dependencies.has(name)) return `${file}: ${name} is not a dependency of the package`;
  return undefined;
}

/** Files of the first circle that is found, in order, or nothing. */
function cycle(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const one of imports) {
    if (one.specifier.startsWith(".")) next.set(one.file, [...(next.get(one.file) ?? []), targetOf(one)]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of next.get(file) ?? []) {
      const found = visit(target, [...path, file]);
      if (found.length > 0) return found;
    }
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const found = visit(file, []);
    if (found.length > 0) return found;
  }
  return [];
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"));
const imports = files.flatMap((file) =>
  specifiersIn(readFileSync(join(root, "src", file), "utf8")).map((specifier) => ({ file, specifier })),
);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
const dependencies = new Set(Object.keys(manifest.dependencies));

describe("the source", () => {
  it("has imports to check", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(imports.length).toBeGreaterThan(files.length / 2);
  });
  it("imports only from lower layers, and packages only where they belong", () => {
    expect(imports.flatMap((one) => offence(one, dependencies) ?? [])).toEqual([]);
  });
  it("uses every package that it depends on", () => {
    const used = new Set(imports.filter((one) => !isTest(one.file)).map((one) => packageOf(one.specifier)));
    expect([...dependencies].filter((name) => !used.has(name))).toEqual([]);
  });
  it("has no circle", () => {
    expect(cycle(imports)).toEqual([]);
  });
});

/**
 * What comes from outside is opened by `util/input.ts` and parsed by the bounded readers: elsewhere these words stand only where the
 * reason does not hold.
 */
const readers: readonly { readonly word: RegExp; readonly where: Readonly<Record<string, string>> }[] = [
  {
    word: /\bJSON\.parse\(/,
    where: {
      "util/json.ts": "the bounded reader",
      "util/system.ts": "the package's own manifest",
      "cli/doctor/installation.ts": "an installed package's manifest",
      "weights/safetensors-header.ts": "one key of a header that the bounded reader took",
      "glasshouse/files/data-files.ts": "what was just written",
      "study/steps.ts": "what it wrote itself",
      "study/results/clean.ts": "what it wrote itself",
    },
  },
  {
    word: /\b(readFile|readFileSync|createReadStream|openSync|openAsBlob|copyFile|copyFileSync)\(/,
    where: {
      "util/system.ts": "what the system and the package say of themselves",
      "util/lock.ts": "/proc",
      "cli/doctor/installation.ts": "files of the package",
    },
  },
  { word: /\b(parseDocument|parseAllDocuments)\(/, where: { "util/yaml.ts": "the bounded reader" } },
  {
    word: /(?<![.\w])open\((?:path|file|temporary|name|from|to|join)\b/,
    where: {
      "util/input.ts": "the one way in",
      "util/files.ts": "writes",
      "util/result.ts": "writes",
    },
  },
];

describe("what comes from outside", () => {
  const sources = files.filter((file) => !isTest(file)).map((file) => ({ file, text: withoutComments(file) }));

  it.each(readers.map(({ word, where }) => [String(word), word, where] as const))(
    "%s stands where it may",
    (_, word, where) => {
      const found = sources.filter(({ text }) => word.test(text)).map(({ file }) => file);
      expect(found.filter((file) => !(file in where))).toEqual([]);
      expect(Object.keys(where).filter((file) => !found.includes(file))).toEqual([]); // the list grows no moss
    },
  );
});

/** A file's text; comments may speak of what the code may not do. */
function withoutComments(file: string): string {
  return readFileSync(join(root, "src", file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

describe("the checker", () => {
  it.each([
    ["util/files.ts", "../records/row.js", "util may not import records/row.ts"],
    ["text/render.ts", "../data/lima.js", "text may not import data/lima.ts"],
    ["data/lima.ts", "../graph/ops.js", "data may not import graph/ops.ts"],
    ["train/loss.ts", "../decode/sampler.js", "train may not import decode/sampler.ts"],
    ["steps/score.ts", "../embedded/embedded.js", "only steps/open-engine.ts may import embedded/embedded.ts"],
    ["rules/resolve.ts", "../text/tokenizer.js", "rules may not import text/tokenizer.ts"],
    ["weights/gguf.ts", "../graph/ops.js", "weights may import only"],
    ["rank/rank.ts", "../embedded/embedded.js", "rank may import only"],
    ["engine/engine.ts", "../models/model.js", "engine may import only"],
    ["decode/body.ts", "../embedded/model.js", "decode may not import embedded/model.ts"],
    ["report/table.ts", "../engine/engine.js", "report may import only"],
    ["models/llama.ts", "onnxruntime-node", "onnxruntime-node belongs to runtime"],
    ["text/render.ts", "tokenizers", "tokenizers is not a dependency"],
    ["data/parquet.ts", "hyparquet/src/column.js", "reaches into hyparquet"],
    ["text/render.ts", "./template", "does not end in .js"],
    ["text/render.ts", "../../test/mock.js", "is outside src"],
    ["attic/old.ts", "../util/files.js", "is in no layer"],
  ])("refuses %s importing %s", (file, specifier, reason) => {
    expect(offence({ file, specifier }, dependencies)).toContain(reason);
  });
  it.each([
    ["rank/rank.ts", "../engine/engine.js"],
    ["embedded/embedded.ts", "../train/trainer.js"],
    ["data/parquet.ts", "hyparquet"],
    ["util/files.ts", "node:fs"],
    ["text/render.test.ts", "../../test/mock.js"],
  ])("allows %s importing %s", (file, specifier) => {
    expect(offence({ file, specifier }, dependencies)).toBeUndefined();
  });
  it("finds a circle through three files", () => {
    const ring = [
      { file: "text/a.ts", specifier: "./b.js" },
      { file: "text/b.ts", specifier: "./c.js" },
      { file: "text/c.ts", specifier: "./a.js" },
    ];
    expect(cycle(ring)).toEqual(["text/a.ts", "text/b.ts", "text/c.ts", "text/a.ts"]);
    expect(cycle(ring.slice(0, 2))).toEqual([]);
  });
  it("reads every form of import, over several lines, and none in a comment", () => {
    const text = `import { a,\n  b } from "./one.js";\nimport type { C } from "./two.js";\nexport * from "./three.js";
import "./four.js";\nconst d = await import("./five.js");\n// import("./six.js")\n * import { e } from "./seven.js";`;
    expect(specifiersIn(text).sort()).toEqual(["./five.js", "./four.js", "./one.js", "./three.js", "./two.js"]);
  });
});
