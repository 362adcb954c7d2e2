/** A model that takes a third of the time: the fixture `llama-tied` without its second and third layer, for tests of what is around a model. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { modelFolder } from "./parity/fixtures.js";
import type { TemporaryFolder } from "./temporary-folder.js";

/** @returns its directory, in the folder */
export function oneLayerModel(folder: TemporaryFolder): string {
  const directory = folder.path("one-layer");
  cpSync(modelFolder("llama-tied"), directory, { recursive: true });
  const config = join(directory, "config.json");
  const values = JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;
  writeFileSync(config, `${JSON.stringify({ ...values, num_hidden_layers: 1 }, undefined, 2)}\n`);
  const weights = join(directory, "model.safetensors");
  writeFileSync(weights, withoutTensors(readFileSync(weights), /^model\.layers\.[12]\./));
  return directory;
}

interface Entry {
  readonly data_offsets: readonly [number, number];
}

/** Layout: https://github.com/huggingface/safetensors#format. */
function withoutTensors(bytes: Buffer, unwanted: RegExp): Buffer {
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, begin).toString()) as Record<string, Entry>;
  const { __metadata__, ...tensors } = header;
  const parts: Buffer[] = [];
  const kept: Record<string, unknown> = { __metadata__ };
  let at = 0;
  for (const [name, entry] of Object.entries(tensors)) {
    if (unwanted.test(name)) continue;
    const [from, to] = entry.data_offsets;
    parts.push(bytes.subarray(begin + from, begin + to));
    kept[name] = { ...entry, data_offsets: [at, at + to - from] };
    at += to - from;
  }
  const text = Buffer.from(JSON.stringify(kept));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
