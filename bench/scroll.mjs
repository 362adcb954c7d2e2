/**
 * Does a large report scroll without stutter? `node bench/scroll.mjs [--chromium PATH] [--arms 10] [--seeds 5] [--prompts 805]`, after a build.
 *
 * A made-up study's page is opened in headless Chromium and scrolls itself from top to bottom, 120 pixels a frame; the times between
 * frames are what a reader would see. The same is done on an empty page of the same height: what that one takes is the machine's, not
 * the report's. On a busy machine only the processor time of a frame tells (of all of Chromium's processes, drawing without a graphics card
 * included; Linux). The page is served from here with a script put in, since reports themselves forbid any.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { report } from "../dist/report/report.js";
import { madeUpStudy } from "./made-up-study.mjs";
import { machine } from "./measure.mjs";
import { machineLine } from "./table.mjs";

const PIXELS = 120;
const LONGEST_SECONDS = 240;
/** Frames are due every 16.7 ms; a reader sees one that is three times late. */
const STUTTER_MS = 50;

/** In the page: scrolls, and tells the times between frames. */
const SCRIPT = `<script>addEventListener("load", () => setTimeout(() => {
  const times = []; let last; let y = 0;
  const frame = (now) => {
    if (last !== undefined) times.push(now - last);
    last = now; y += ${PIXELS};
    scrollTo(0, y);
    if (y < document.documentElement.scrollHeight - innerHeight) requestAnimationFrame(frame);
    else fetch("/result", { method: "POST", body: JSON.stringify({ times, height: document.documentElement.scrollHeight }) });
  };
  fetch("/begin", { method: "POST" }).then(() => requestAnimationFrame(frame));
}, 1000));</script>`;

const { values } = parseArgs({
  options: {
    chromium: { type: "string", default: "chromium" },
    arms: { type: "string", default: "10" },
    seeds: { type: "string", default: "5" },
    prompts: { type: "string", default: "805" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "tacit-scroll-"));
try {
  const [arms, seeds, prompts] = [values.arms, values.seeds, values.prompts].map(Number);
  madeUpStudy(join(folder, "study"), { arms, seeds, prompts });
  await report({ study: join(folder, "study"), out: join(folder, "report") });
  const page = readFileSync(join(folder, "report", "index.html"), "utf8").replace(
    /<meta http-equiv="Content-Security-Policy"[^>]*>/,
    "",
  );
  const own = await scrolled(page.replace("</head>", `${SCRIPT}</head>`));
  const empty = `<!doctype html><html><head>${SCRIPT}</head><body style="height:${own.height}px"></body></html>`;
  const machines = await scrolled(empty);
  const { processor, cores, threads, node, system, date, load } = machine(1);
  console.log(machineLine({ processor, cores, threads, node, system, date, load }));
  console.log(
    `report of ${arms} arms × ${seeds} seeds × ${prompts} prompts, ${own.height} pixels high, ${PIXELS} a frame`,
  );
  console.log(line("the report", own));
  console.log(line("an empty page of that height", machines));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function line(name, { times, processor }) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  const late = times.filter((ms) => ms > STUTTER_MS).length;
  const each = ((1000 * processor) / times.length).toFixed(1);
  return `| ${name} | ${times.length} | ${each} | ${at(0.5)} | ${at(0.95)} | ${at(0.99)} | ${at(1)} | ${late} |`;
}

/** Seconds on the processor of a process and all below it, out of /proc; NaN where there is none. A tick is 10 ms. */
function processorSeconds(root) {
  const stats = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      stats.set(Number(pid), { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 });
    } catch {
      // ended meanwhile
    }
  }
  const isBelow = (pid) => pid === root || (stats.has(pid) && isBelow(stats.get(pid).parent));
  return [...stats].filter(([pid]) => isBelow(pid)).reduce((sum, [, { seconds }]) => sum + seconds, 0);
}

async function scrolled(html) {
  let child;
  let before = Number.NaN; // on the processor, before it scrolls
  let tell;
  const told = new Promise((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.url === "/begin") before = processorSeconds(child.pid);
    if (request.url !== "/result") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
      return;
    }
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    response.end();
    tell({ ...JSON.parse(text), processor: processorSeconds(child.pid) - before });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const profile = mkdtempSync(join(tmpdir(), "tacit-chromium-"));
  const flags = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--window-size=1200,900",
    `--user-data-dir=${profile}`,
  ];
  child = spawn(values.chromium, [...flags, `http://127.0.0.1:${server.address().port}/`], {
    stdio: "ignore",
    detached: true,
  });
  try {
    const late = setTimeout(1000 * LONGEST_SECONDS, undefined, { ref: false }).then(() => {
      throw new Error(`no result within ${LONGEST_SECONDS} s`);
    });
    const failed = once(child, "error").then(([error]) => {
      throw error;
    });
    return await Promise.race([told, late, failed]);
  } finally {
    server.closeAllConnections();
    server.close();
    if (child.pid !== undefined) {
      process.kill(-child.pid); // with its children
      await once(child, "exit");
    }
    rmSync(profile, { recursive: true, force: true });
  }
}
