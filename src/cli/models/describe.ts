/** `tacit models` in words: a model's table, a verification's list. May not know: how anything was found out. */
import type { ModelInfo } from "../../model-files/inspect.js";
import type { VerifySummary } from "../../model-files/verify.js";
import { formatBytes, formatCount, plural } from "../../util/progress.js";
import { columns, paintFor, quoted } from "../../util/terminal.js";

export function describeModel(info: ModelInfo): string {
  const rows = [...familyRows(info), ...sizeRows(info)].map(([label, value]) => [label, value]);
  const tensors = info.groups.map((group) => [
    quoted(group.name),
    `[${group.shape.join(", ")}]`,
    group.dtype,
    group.count === 1 ? "" : `× ${group.count}`,
    formatCount(group.parameters),
  ]);
  return `${columns(rows)}\n${columns([["tensor", "shape", "dtype", "", "parameters"], ...tensors], [4])}`;
}

type Pair = [label: string, value: string];

function familyRows(info: ModelInfo): Pair[] {
  const kind = quoted(info.model_type ?? "unknown");
  const family = info.family === null ? `${kind} (${quoted(info.family_reason ?? "")})` : kind;
  const rows: Pair[] = [["family", family]];
  if (info.layers !== null) {
    const heads = `${info.heads} query and ${info.key_value_heads} key/value heads of ${info.head_dim}`;
    rows.push(["shape", `${info.layers} layers, width ${info.hidden_size}, ${heads}`]);
    const window = info.sliding_window === null ? "" : `, some layers see ${formatCount(info.sliding_window)} back`;
    rows.push(["positions", `${formatCount(info.max_positions ?? 0)}${window}`]);
  }
  const { tokenizer } = info;
  if (tokenizer === null) rows.push(["tokenizer", quoted(info.tokenizer_reason ?? "none")]);
  else {
    const rowsOf = info.vocabulary === null ? "" : ` for ${plural(info.vocabulary, "row")}`;
    const begin = tokenizer.bos === null ? "no begin token" : `begins with ${quoted(JSON.stringify(tokenizer.bos))}`;
    const end = tokenizer.eos === null ? "no end token" : `ends with ${quoted(JSON.stringify(tokenizer.eos))}`;
    rows.push(["tokenizer", `${formatCount(tokenizer.size)} ids${rowsOf}, ${begin}, ${end}`]);
  }
  return rows;
}

function sizeRows(info: ModelInfo): Pair[] {
  const dtypes = Object.entries(info.dtypes).sort(([, a], [, b]) => b - a);
  const share = (count: number): string =>
    `${((100 * count) / Math.max(1, sum(dtypes.map(([, n]) => n)))).toFixed(1)} %`;
  const stored = dtypes.length === 1 ? (dtypes[0]?.[0] ?? "") : dtypes.map(([d, n]) => `${d} ${share(n)}`).join(", ");
  const tied = info.tied ? "output tied to the embedding" : "output matrix of its own";
  return [
    ["parameters", `${formatCount(info.parameters)} in ${info.tensors} tensors, ${tied}`],
    ["stored as", `${stored}, ${formatBytes(info.bytes_on_disk)} on disk`],
    ["memory", `${formatBytes(info.memory.weights)} to run`],
    [
      "",
      `${formatBytes(info.memory.tuning)} to tune (weights, running totals of gradients, Adam's two moments), activations on top`,
    ],
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

export function describeChecks(summary: VerifySummary): string {
  const paint = paintFor(process.stdout);
  const checks = summary.checks.map(({ ok, name, detail }) => [
    ok ? paint("green", "ok") : paint("red", "fail"),
    name,
    quoted(detail),
  ]);
  const files = Object.entries(summary.files).map(([name, hash]) => [hash, quoted(name)]);
  return `${columns(checks)}\n${columns(files)}\n${summary.ok ? "Everything is sound." : "Not everything is sound."}\n`;
}
