// What a visitor downloads, gzipped, against the budget; over it the build fails.
// Everything but MapLibre (its module, its worker, its stylesheet) is our own code.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const TOTAL_KB = 520;
const OWN_KB = 60;

const files = readdirSync("dist", { recursive: true })
  .map((name) => join("dist", String(name)))
  .filter((path) => statSync(path).isFile())
  .map((path) => ({ path, bytes: gzipSync(readFileSync(path), { level: 9 }).length }));

const kb = (list) => list.reduce((sum, file) => sum + file.bytes, 0) / 1000;
const own = kb(files.filter((file) => !/maplibre/.test(file.path)));
const total = kb(files);
console.log(`front-end, gzipped: ${total.toFixed(1)} kB of ${TOTAL_KB}, own code ${own.toFixed(1)} kB of ${OWN_KB}`);
if (total > TOTAL_KB || own > OWN_KB) {
  console.error("The front-end is over its budget.");
  process.exit(1);
}
