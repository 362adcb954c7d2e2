/** How it came about: certificates, readings, versions, hashes, what failed, and how to repeat it. */
import { type Block, integer, oneLine, paragraph, type Section, table, text, UNDEFINED, warning } from "../document.js";
import { armsOf } from "../names.js";
import { readTuneRun, type StudyFolder } from "../read.js";
import { howToRepeat } from "../repeat.js";

export async function provenance(study: StudyFolder): Promise<Section> {
  const { record, results } = study;
  const failed = results.steps.filter(({ state }) => state === "failed");
  const blocks: Block[] = [
    ...failed.map(
      ({ id, reason, remedy }): Block =>
        warning(`Failed: ${id}: ${reason ?? "no reason given"}${remedy === undefined ? "" : ` (${remedy})`}`),
    ),
    ...(await certificates(study)),
    table({
      id: "inputs",
      caption: "What the study read, by content.",
      columns: [
        { key: "role", label: "what" },
        { key: "name", label: "name" },
        { key: "path", label: "where from" },
        { key: "sha256", label: "hash" },
      ],
      rows: record.inputs.map(({ role, name, path, hash }) => [
        text(role),
        text(name),
        text(path),
        { text: `${hash.slice(0, 16)}…`, value: hash },
      ]),
    }),
    table({
      id: "steps",
      caption: `The ${results.steps.length} steps.`,
      columns: [
        { key: "step", label: "step" },
        { key: "state", label: "state" },
        { key: "reason", label: "why", csvOnly: results.steps.every(({ reason }) => reason === null) },
        { key: "folder", label: "folder" },
      ],
      rows: results.steps.map(({ id, state, reason, folder }) => [
        text(id),
        text(state),
        reason === null ? { text: "", value: null } : text(reason),
        text(folder ?? UNDEFINED),
      ]),
    }),
    paragraph(
      `Written by tacit ${record.tacit}; engine ${record.settings.engine}, ${record.settings.threads} threads. ${sourceOf(record)}${
        record.scale === null ? "" : ` at the scale “${record.scale}”`
      } has sha256 ${record.source.sha256}. The same study, with the same inputs and threads, gives the same records:`,
    ),
    { kind: "code", text: `${howToRepeat(study.record)}\ntacit report DIR` },
  ];
  return { id: "provenance", title: "How it came about", blocks };
}

const sourceOf = ({ source }: StudyFolder["record"]): string =>
  source.path === null ? "The study, which a script gave," : `The file ${source.shipped ?? source.path}`;

async function certificates(study: StudyFolder): Promise<Block[]> {
  const rows = [];
  const readings = new Set<string>();
  for (const { name, chosen } of armsOf(study)) {
    const tuning = chosen.find((cell) => cell.tuning !== null)?.tuning;
    if (tuning == null) continue;
    const { certificate, options, versions, device } = await readTuneRun(study, tuning.run);
    readings.add(
      `${name}: preset ${options.preset}, reduction ${options.reduction}, schedule ${options.schedule}; ${[...Object.entries(versions).map((pair) => pair.join(" ")), device].join(", ")}`,
    );
    rows.push([
      text(name),
      text(certificate.objective),
      integer(certificate.rows),
      integer(certificate.supervised_tokens),
      integer(certificate.rows_merged),
      integer(certificate.rows_cut),
      integer(certificate.responses_stopped),
      oneLine(certificate.template),
    ]);
  }
  if (rows.length === 0) return [];
  return [
    table({
      id: "certificates",
      caption:
        "Mask certificates: which tokens carried loss. BOS once, the prompt's ids a prefix of the whole, and nothing but responses and their stop token supervised, were checked of every row.",
      columns: [
        { key: "arm", label: "arm" },
        { key: "objective", label: "objective" },
        { key: "rows", label: "rows", numeric: true },
        { key: "supervised_tokens", label: "tokens with loss", numeric: true },
        { key: "merged", label: "merged", numeric: true },
        { key: "cut", label: "cut", numeric: true },
        { key: "stopped", label: "with stop token", numeric: true },
        { key: "template", label: "template" },
      ],
      rows,
    }),
    { kind: "list", items: [...readings] },
  ];
}
