import type { StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import { liveSources } from "./live";

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
});
