/**
 * Who computes a result: everything about model and engine that decides its bits. Every key of a result is made here.
 * May not know: what is asked, where results lie.
 */
import { sha256 } from "../util/files.js";
import type { Precision } from "./requests.js";

export interface Identity {
  /** Hash of every file that decides what the model says (`util/model-files.ts`), whatever their folder is called; of a server, the model's name. */
  readonly files: string;
  readonly engine: string;
  readonly precision: Precision;
  /** Null where no bit depends on them. */
  readonly threads: number | null;
  /** `cpu`; of a server, its address. */
  readonly device: string;
  /** Of whatever computes: `tacit 0.1.0`. */
  readonly version: string;
}

/** How it was computed, as run records have it. */
export const recordedComputing = ({ precision, threads }: Identity): Pick<Identity, "precision" | "threads"> => ({
  precision,
  threads,
});

/** Of a key: 128 bits, so that no two ever meet. */
const DIGITS = 32;

/**
 * The name of a result: equal for two requests exactly where one's result is the other's.
 *
 * @param request  what decides the result besides model and engine, as plain data without undefined values; the order of keys counts
 */
export const keyOf = ({ files, engine, precision, threads, device, version }: Identity, request: unknown): string =>
  sha256(JSON.stringify([[version, engine, device, precision, threads, files], request])).slice(0, DIGITS);
