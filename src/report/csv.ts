/**
 * Tables as CSV (RFC 4180), one file a table, undefined as an empty field. A field that a spreadsheet would take for a formula gets an
 * apostrophe in front: names come from files.
 * May not know: studies.
 */
import { printable } from "../util/terminal.js";
import type { Table } from "./document.js";

export function csv({ columns, rows }: Table): string {
  const lines = [columns.map(({ key }) => key), ...rows.map((row) => row.map(({ value }) => field(value)))];
  return `${lines.map((cells) => cells.map(quoted).join(",")).join("\r\n")}\r\n`;
}

function field(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = printable(value.replaceAll("\r\n", "\n"));
  return /^[=+\-@\t]/.test(safe) && safe.length > 1 ? `'${safe}` : safe;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
