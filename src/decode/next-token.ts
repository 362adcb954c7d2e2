/**
 * One step over the vocabulary for all rows: hidden states to tokens, with rules, chance and trace where asked for.
 * May not know: caches, requests.
 */
import type { Device, Program, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";
import { LARGEST_UNIFORM, type NextTokenKind, traceOutputs } from "./head.js";

/** A token with its log-probability under the model, and under model and rules. */
export interface Candidate {
  readonly id: number;
  readonly base: number;
  readonly adapted: number;
}

export interface Choice {
  readonly token: number;
  /** Whether the logits that it was chosen by are numbers. */
  readonly finite: boolean;
  /** Where a trace is asked for: the token taken, and the two best under model and rules. */
  readonly trace?: { readonly taken: Candidate; readonly best: Candidate; readonly second: Candidate };
}

export interface ChooseInputs {
  readonly hidden: Tensor; // [R, D]
  readonly scores?: Tensor | undefined; // [R, V]
  readonly temperature: number;
  /** One number in [0, 1) a row. */
  readonly uniforms: readonly number[];
}

export async function chooseTokens(
  device: Device,
  program: Program,
  kind: NextTokenKind,
  { hidden, scores, temperature, uniforms }: ChooseInputs,
): Promise<Choice[]> {
  const rows = present(hidden.shape[0], "rows");
  const results = await program.run({
    hidden,
    ...(scores === undefined ? {} : { scores }),
    ...(kind.sampling ? chance(device, rows, temperature, uniforms) : {}),
  });
  const tokens = await device.ints(present(results.token, "token"));
  const checks = await device.floats(present(results.check, "check"));
  const taken = tokens.map((token, row) => ({ token, finite: Number.isFinite(checks[row]) }));
  if (!kind.trace) return taken;
  const ids = await device.ints(present(results.topIds, "topIds"));
  const floats = new Map<string, Float32Array>();
  for (const name of traceOutputs) {
    if (name !== "topIds") floats.set(name, await device.floats(present(results[name], name)));
  }
  const at = (name: (typeof traceOutputs)[number], i: number): number => present(floats.get(name)?.[i], name);
  const topAt = (row: number, place: 0 | 1): Candidate => ({
    id: present(ids[2 * row + place], "topIds"),
    base: at(place === 0 ? "topBase0" : "topBase1", row),
    adapted: at("topAdapted", 2 * row + place),
  });
  return taken.map(({ token, finite }, row) => ({
    ...{ token, finite },
    trace: {
      taken: { id: token, base: at("base", row), adapted: at("adapted", row) },
      best: topAt(row, 0),
      second: topAt(row, 1),
    },
  }));
}

function chance(device: Device, rows: number, temperature: number, uniforms: readonly number[]) {
  const values = Float32Array.from({ length: rows }, (_, row) => Math.min(uniforms[row] ?? 0, LARGEST_UNIFORM));
  return {
    uniforms: device.fromFloats(values, [rows, 1]),
    inverseTemperature: device.fromFloats(Float32Array.of(1 / temperature), [1, 1]),
  };
}
