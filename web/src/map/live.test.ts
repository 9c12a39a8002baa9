import type { StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import { liveSources, sourcesOf, tilesOf } from "./live";

test("a source is live when it draws nothing but workers and events", () => {
  const layer = (source: string, tileLayer: string): StyleSpecification["layers"][number] => ({
    id: `${source}-${tileLayer}`,
    type: "circle",
    source,
    "source-layer": tileLayer,
  });
  const vector = { type: "vector" as const, url: "" };
  const style: StyleSpecification = {
    version: 8,
    sources: { moving: vector, mixed: vector, still: vector, unused: vector },
    layers: [layer("moving", "worker"), layer("moving", "event"), layer("mixed", "worker"), layer("mixed", "building"), layer("still", "grid")],
  };
  expect(liveSources(style)).toEqual(["moving"]);
  expect(sourcesOf(style, "worker")).toEqual(["moving", "mixed"]);
});

test("the tiles of a box are those that draw it, with what they draw beside themselves", () => {
  const world: [number, number, number, number] = [-180, -85, 180, 85];
  expect(tilesOf([[10, 10, 20, 20]], world, [0, 1])).toEqual([
    { z: 0, x: 0, y: 0 },
    { z: 1, x: 1, y: 0 },
  ]);
  // A box that touches the middle is in the buffers of all four.
  expect(tilesOf([[0, 0, 1, 1]], world, [1, 1])).toHaveLength(4);
  expect(tilesOf([[10, 10, 20, 20]], [30, 30, 40, 40], [0, 5])).toEqual([]);
  // What two boxes share is named once.
  expect(tilesOf([[10, 10, 20, 20], [15, 15, 25, 25]], world, [0, 0])).toHaveLength(1);
});
