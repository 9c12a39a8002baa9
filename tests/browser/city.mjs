// A small seeded city, served by the real program on a free port until `stop`.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Enough grids for every level to have several areas, few enough to be made in a moment. */
const GRIDS = process.env.GRIDATLAS_PROOF ? "1700" : "300";
const PATIENCE_MS = 120_000;

export async function openCity() {
  const program = process.env.GRIDATLAS_BIN;
  if (!program) throw new Error("GRIDATLAS_BIN does not name the program: run `make test-browser`");
  const folder = mkdtempSync(join(tmpdir(), "gridatlas-browser-"));
  const city = spawn(program, ["demo", "--size", GRIDS, "--seed", "7", "--store", join(folder, "city.gpkg"), "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((done) => {
    city.once("exit", (code, signal) => done(`it ended with ${code ?? signal}`));
    city.once("error", (cause) => done(`${program}: ${cause.message}`));
  });
  let said = "";
  const url = await new Promise((found, failed) => {
    const late = setTimeout(() => (city.kill(), failed(new Error(`no address after ${PATIENCE_MS} ms; it said:\n${said}`))), PATIENCE_MS);
    const read = (text) => {
      said += text;
      const [address] = /http:\/\/127\.0\.0\.1:\d+[^\s]*/.exec(said) ?? [];
      if (address) {
        clearTimeout(late);
        found(new URL("/", address).href);
      }
    };
    city.stdout.setEncoding("utf8").on("data", read);
    city.stderr.setEncoding("utf8").on("data", read);
    void ended.then((how) => failed(new Error(`${how}; it said:\n${said}`)));
  });
  return {
    url,
    async get(path) {
      const answer = await fetch(new URL(path, url));
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    async stop() {
      city.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
