/**
 * One line that says how far the work is: redrawn in place on a terminal, repeated now and then in a log file.
 * Also how durations, sizes and rates are written. May not know: what the work is.
 */
import { shorten, type TerminalStream } from "./terminal.js";

export interface Progress {
  /** Says where the work stands. Cheap to call often: `text` is made only when it is going to be shown. */
  update(text: () => string): void;
  /** A lasting line above the progress line. */
  note(text: string): void;
  /** Takes the progress line off the screen. It may be drawn again. */
  clear(): void;
}

export interface ProgressOptions {
  /** Milliseconds between redraws on a terminal. */
  readonly redrawMs?: number;
  /** Milliseconds between lines where there is no terminal. */
  readonly repeatMs?: number;
  readonly now?: () => number;
}

export function openProgress(stream: TerminalStream, options: ProgressOptions = {}): Progress {
  const { redrawMs = 100, repeatMs = 30_000, now = () => performance.now() } = options;
  const redraws = stream.isTTY === true;
  let last = redraws ? Number.NEGATIVE_INFINITY : now(); // a log's first line comes after one interval, not at once
  let drawn = "";

  const clear = (): void => {
    if (drawn !== "") stream.write("\r\u001b[2K");
    drawn = "";
  };
  const draw = (text: string): void => {
    drawn = text;
    stream.write(`\r\u001b[2K${text}`);
  };
  return {
    update(text) {
      const at = now();
      if (at - last < (redraws ? redrawMs : repeatMs)) return;
      last = at;
      if (!redraws) stream.write(`${text()}\n`);
      else draw(shorten(text().replaceAll("\n", " "), Math.max(20, (stream.columns ?? 80) - 1)));
    },
    note(text) {
      const line = drawn;
      clear();
      stream.write(`${text}\n`);
      if (line !== "") draw(line);
    },
    clear,
  };
}

/** `7.4 s`, `3 min 05 s`, `2 h 07 min`, `7.1 days`, `19 years`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "?";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const days = seconds / 86_400;
  if (days >= 730.5) return `${formatCount(Math.round(days / 365.25))} years`;
  if (days >= 3) return `${days < 99.95 ? days.toFixed(1) : formatCount(Math.round(days))} days`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Decimal units, as disks and networks count: `268 kB`, `1.07 GB`. */
export function formatBytes(bytes: number): string {
  return `${scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB"])}`;
}

/** `812/s`, `1.31 k/s`; with a unit `812 tokens/s`, `1.31 k tokens/s`. */
export function formatRate(perSecond: number, unit = ""): string {
  const number = scaled(perSecond, ["", "k", "M", "G", "T"]).trimEnd();
  return `${number}${unit === "" ? "" : ` ${unit}`}/s`;
}

/** Three significant digits and the unit that keeps the number below 1,000. */
function scaled(value: number, units: readonly string[]): string {
  if (!Number.isFinite(value)) return "?";
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 && Number.isInteger(value) ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return `${value < 0 ? "-" : ""}${size.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** `1,030`: a count, with commas. */
export function formatCount(n: number): string {
  return n.toLocaleString("en-US");
}

/** `1 answer`, `1,030 answers`. */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A share of 1: "90.9 %". */
export const formatPercent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Seconds left at the pace so far; undefined before anything is done. */
export function secondsLeft(done: number, total: number, elapsedSeconds: number): number | undefined {
  return done > 0 ? (elapsedSeconds / done) * Math.max(0, total - done) : undefined;
}
