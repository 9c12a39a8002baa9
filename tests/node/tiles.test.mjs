// The tiles, TileJSON and styles of a served city, read by the libraries that maps use.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { VectorTile } from "@mapbox/vector-tile";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { PbfReader } from "pbf";
import { openCity } from "../browser/city.mjs";

let city;
before(async () => {
  city = await openCity();
});
after(() => city?.stop());

async function tileAt(layers, z, x, y) {
  const answer = await fetch(new URL(`tiles/${layers}/${z}/${x}/${y}`, city.url));
  if (answer.status === 204) return null;
  assert.equal(answer.status, 200, await (answer.ok ? "" : answer.text()));
  return new VectorTile(new PbfReader(new Uint8Array(await answer.arrayBuffer())));
}

/** Column and row of the tile at a place. */
function addressOf([lon, lat], z) {
  const n = 2 ** z;
  const phi = (lat * Math.PI) / 180;
  return [Math.floor(((lon + 180) / 360) * n), Math.floor(((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * n)];
}

/** Features of a layer, of the nine tiles around a place. */
async function around(layers, place, z) {
  const [x, y] = addressOf(place, z);
  const found = [];
  for (let dx = -1; dx <= 1; dx++) {
    for (let dy = -1; dy <= 1; dy++) {
      const tile = await tileAt(layers, z, x + dx, y + dy);
      if (tile) found.push({ tile, z, x: x + dx, y: y + dy });
    }
  }
  return found;
}

test("a reader of maps finds in a tile what the service says of the areas", async () => {
  const document = await city.get("tiles/grid,label_grid");
  assert.equal(document.tilejson, "3.0.0");
  assert.deepEqual(document.vector_layers.map((layer) => layer.id), ["grid", "label_grid"]);
  const middle = [document.center[0], document.center[1]];

  let compared = 0;
  let named = 0;
  for (const { tile, z, x, y } of await around("grid,label_grid", middle, 13)) {
    const grid = tile.layers.grid;
    for (let i = 0; i < (grid?.length ?? 0); i++) {
      const feature = grid.feature(i);
      assert.equal(feature.type, 3);
      assert.equal(feature.extent, 4096);
      assert.ok(Number.isInteger(feature.id));
      const geojson = feature.toGeoJSON(x, y, z);
      assert.match(geojson.geometry.type, /^(Multi)?Polygon$/);
      for (const ring of feature.loadGeometry()) {
        for (const p of ring) assert.ok(p.x >= -64 && p.x <= 4160 && p.y >= -64 && p.y <= 4160, `${p.x} ${p.y}`);
      }
      if (compared < 40) {
        const area = await city.get(`areas/${encodeURIComponent(feature.properties.code)}`);
        for (const key of ["code", "name", "parent", "kind"]) assert.equal(feature.properties[key], area.properties[key], key);
        compared += 1;
      }
    }
    const labels = tile.layers.label_grid;
    for (let i = 0; i < (labels?.length ?? 0) && named < 40; i++) {
      const feature = labels.feature(i);
      const [lon, lat] = feature.toGeoJSON(x, y, z).geometry.coordinates;
      const place = await city.get(`locate?lon=${lon}&lat=${lat}`);
      assert.equal(place.owners[0].code, feature.properties.code, "a name stands in its area");
      named += 1;
    }
  }
  assert.ok(compared > 0 && named > 0, `${compared} areas and ${named} names compared`);
});

test("the layers that were asked for are there under their names, and no others", async () => {
  const { center } = await city.get("tiles/grid");
  const [x, y] = addressOf(center, 14);
  const tile = await tileAt("community,building,label_street,grid", 14, x, y);
  for (const name of Object.keys(tile.layers)) assert.ok(["community", "building", "label_street", "grid"].includes(name), name);
  assert.ok(tile.layers.grid && tile.layers.community);
});

test("a worker is drawn where he reported from, soon after", async () => {
  const { features } = await city.get("layers/worker/features?limit=1");
  const [{ id, geometry }] = features;
  const place = [geometry.coordinates[0] + 0.02, geometry.coordinates[1]];
  // Ahead of whatever else moves him, by as much as clocks may differ.
  const time = new Date(Date.now() + 200_000).toISOString();
  const answer = await fetch(new URL("workers/positions", city.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ id, lon: place[0], lat: place[1], time }]),
  });
  assert.equal((await answer.json()).accepted, 1);

  const z = 14;
  const [x, y] = addressOf(place, z);
  const drawn = async () => {
    const layer = (await tileAt("worker", z, x, y))?.layers.worker;
    for (let i = 0; i < (layer?.length ?? 0); i++) {
      if (layer.feature(i).properties.id === id) return layer.feature(i).toGeoJSON(x, y, z).geometry.coordinates;
    }
    return null;
  };
  const until = Date.now() + 30_000;
  let seen = await drawn();
  while (!seen && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    seen = await drawn();
  }
  assert.ok(seen, "the worker's tile never showed the report");
  for (const i of [0, 1]) assert.ok(Math.abs(seen[i] - place[i]) < 2e-5, `${seen} is not ${place}`);
});

test("there is no tile far from the city, and that is said without a body", async () => {
  const answer = await fetch(new URL("tiles/grid/10/0/0", city.url));
  assert.equal(answer.status, 204);
  assert.equal((await answer.arrayBuffer()).byteLength, 0);
});

/** The attributes that an expression reads of a feature. */
function attributesOf(expression, found = new Set()) {
  if (!Array.isArray(expression)) {
    if (expression && typeof expression === "object") Object.values(expression).forEach((one) => attributesOf(one, found));
    return found;
  }
  if (["get", "has"].includes(expression[0]) && typeof expression[1] === "string") found.add(expression[1]);
  expression.forEach((one) => attributesOf(one, found));
  return found;
}

/** The layers of a source with the attributes of their features, of tiles around the city's middle at many zooms. */
async function drawnBy(source, center) {
  const found = new Map();
  for (let z = source.minzoom; z <= source.maxzoom; z++) {
    const [cx, cy] = addressOf(center, z);
    for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [2, 1], [-2, -1]]) {
      const answer = await fetch(source.tiles[0].replace("{z}", z).replace("{x}", cx + dx).replace("{y}", cy + dy));
      if (answer.status === 204) continue;
      assert.equal(answer.status, 200, answer.url);
      const { layers } = new VectorTile(new PbfReader(new Uint8Array(await answer.arrayBuffer())));
      for (const [name, layer] of Object.entries(layers)) {
        const keys = found.get(name) ?? new Set();
        for (let i = 0; i < layer.length; i++) Object.keys(layer.feature(i).properties).forEach((key) => keys.add(key));
        found.set(name, keys);
      }
    }
  }
  return found;
}

test("every style is valid, and the layers and attributes that it names are in real tiles", async () => {
  const { styles } = await city.get("styles");
  const maps = ["atlas", "portraits", "dispatch", "planning"];
  assert.deepEqual(styles, maps.flatMap((map) => [map, `${map}-dark`]));
  const { center } = await city.get("tiles/grid");
  const drawn = new Map();
  for (const name of styles) {
    for (const lang of ["zh-CN", "en"]) {
      const style = await city.get(`styles/${name}?lang=${lang}`);
      assert.deepEqual(validateStyleMin(style).map((error) => error.message), [], name);
      assert.equal(style.glyphs, undefined);
      const levels = style.metadata["gridatlas:levels"];
      assert.ok(style.layers.some((layer) => layer["source-layer"] === levels.at(-1)));
      for (const layer of style.layers.filter((one) => one.source)) {
        const source = style.sources[layer.source];
        const url = source.tiles[0];
        if (!drawn.has(url)) drawn.set(url, await drawnBy(source, center));
        const layers = drawn.get(url);
        assert.ok(layers.has(layer["source-layer"]), `${name} draws ${layer["source-layer"]}, which no tile has`);
        // What the levels have in common is asked of the topmost as well, which has no parent.
        const keys = new Set([...layers.values()].flatMap((some) => [...some]));
        for (const attribute of attributesOf([layer.filter, layer.paint, layer.layout])) {
          assert.ok(keys.has(attribute), `${name}: ${layer.id} reads ${attribute} of ${[...keys]}`);
        }
      }
    }
  }
});

test("areas are called by their names, or in English by level and code", async () => {
  const text = (style) => JSON.stringify(style.layers.find((layer) => layer.id === "grid-name").layout["text-field"]);
  assert.match(text(await city.get("styles/dispatch")), /"name"/);
  assert.match(text(await city.get("styles/dispatch?lang=en")), /"Grid "/);
  assert.equal((await fetch(new URL("styles/dispatch?lang=fr", city.url))).status, 400);
});
