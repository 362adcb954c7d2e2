import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { installationChecks, installScriptCheck, shippedCheck } from "./installation.js";
import { machineChecks, memoryCheck, nodeCheck } from "./machine.js";

const folder = mkdtempSync(join(tmpdir(), "tacit-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("checks", () => {
  it("Node: 20.19 is the oldest", () => {
    expect(["20.18.9", "18.20.0", "20.19.0", "24.0.1"].map((version) => nodeCheck(version).status)).toEqual([
      "fail",
      "fail",
      "ok",
      "ok",
    ]);
    expect(nodeCheck("18.20.0").remedy).toBe("install Node 20.19 or newer");
  });

  it("memory: says what can be tuned, at 20 bytes a parameter, and warns below 2 GB", () => {
    expect(memoryCheck({ total: 16e9, free: 12e9, limit: "machine" })).toEqual({
      name: "memory",
      status: "ok",
      detail: "12.0 GB free of 16.0 GB (limit of the machine): room to tune about 600 million parameters in full",
    });
    expect(memoryCheck({ total: 2e9, free: 1e9, limit: "control group" }).status).toBe("warn");
  });

  it("install script: silent where nothing was downloaded, else how much it was", () => {
    expect(installScriptCheck(folder).status).toBe("ok");
    writeFileSync(join(folder, "libonnxruntime_providers_cuda.so"), new Uint8Array(3000));
    expect(installScriptCheck(folder)).toMatchObject({ status: "warn", detail: expect.stringContaining("3.00 kB") });
  });

  it("shipped files: names every one that is missing", () => {
    expect(shippedCheck(folder)).toMatchObject({ status: "fail", detail: expect.stringContaining("rules/paper.yaml") });
  });

  it("a status other than ok comes with a remedy, and names are unique", async () => {
    const checks = [...(await machineChecks()), ...(await installationChecks())];
    expect(checks.filter((check) => (check.status === "ok") === (check.remedy !== undefined))).toEqual([]);
    expect(new Set(checks.map((check) => check.name)).size).toBe(checks.length);
  });
});
