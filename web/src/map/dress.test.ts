import type { StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import { areaSources, cityOf, dress, levelAt, swatch, type Wish } from "./dress";

const hovered = ["boolean", ["feature-state", "hover"], false];
const paint = ["case", hovered, "#ff0000", ["get", "closed"], "#999999", ["get", "on_duty"], "#105060", "#a0a8a9"] as unknown as string;

const style: StyleSpecification = {
  version: 8,
  sources: {
    areas: { type: "vector", url: "/tiles/district,grid" },
    things: { type: "vector", url: "/tiles/worker" },
  },
  layers: [
    { id: "ground", type: "background" },
    { id: "land", type: "fill", source: "areas", "source-layer": "district" },
    { id: "grid-fill", type: "fill", source: "areas", "source-layer": "grid", minzoom: 12 },
    { id: "grid-line", type: "line", source: "areas", "source-layer": "grid", minzoom: 12 },
    { id: "district-fill", type: "fill", source: "areas", "source-layer": "district", maxzoom: 11 },
    { id: "district-line", type: "line", source: "areas", "source-layer": "district" },
    { id: "worker", type: "circle", source: "things", "source-layer": "worker", paint: { "circle-color": paint } },
    { id: "grid-name", type: "symbol", source: "areas", "source-layer": "label_grid", minzoom: 13 },
    { id: "district-name", type: "symbol", source: "areas", "source-layer": "label_district", maxzoom: 12 },
  ],
};
const city = cityOf(style);
const plain: Wish = { level: null, hidden: new Set(), isDark: false, reach: null };

const shown = (dressed: StyleSpecification) =>
  dressed.layers.filter((layer) => layer.layout?.visibility !== "none" && !/^(picked|reach)/.test(layer.id)).map((layer) => layer.id);

test("levels and layers are read off the style, the levels topmost first", () => {
  expect(city).toEqual({ levels: ["district", "grid"], layers: ["worker"] });
});

test("levels that the style states are taken in its order", () => {
  expect(cityOf({ ...style, metadata: { "gridatlas:levels": ["zone", "grid"] } }).levels).toEqual(["zone", "grid"]);
});

test("without a wish the style is drawn as it came", () => {
  expect(shown(dress(style, city, plain))).toEqual(style.layers.map((layer) => layer.id));
});

test("a chosen level hides the finer ones and is drawn at every zoom", () => {
  const dressed = dress(style, city, { ...plain, level: "district" });
  expect(shown(dressed)).toEqual(["ground", "land", "district-fill", "district-line", "worker", "district-name"]);
  expect(dressed.layers.find((layer) => layer.id === "district-fill")).toMatchObject({ minzoom: 0, maxzoom: 24 });
});

test("the levels above a chosen one keep what the style doesn't end in favour of finer ones", () => {
  expect(shown(dress(style, city, { ...plain, level: "grid" }))).toEqual([
    "ground",
    "land",
    "grid-fill",
    "grid-line",
    "district-line",
    "worker",
    "grid-name",
  ]);
});

test("a level that this city lacks changes nothing", () => {
  expect(shown(dress(style, city, { ...plain, level: "province" }))).toEqual(shown(dress(style, city, plain)));
});

test("a hidden layer is hidden and nothing else is", () => {
  expect(shown(dress(style, city, { ...plain, hidden: new Set(["worker"]) }))).toEqual(
    style.layers.map((layer) => layer.id).filter((id) => id !== "worker"),
  );
});

test("areas are known by their code, and what is not an area by its own id", () => {
  const { sources } = dress(style, city, plain);
  expect(sources["areas"]).toMatchObject({ promoteId: { district: "code", grid: "code" } });
  expect(sources["things"]).toEqual(style.sources["things"]);
});

test("dressing leaves the style that came as it was", () => {
  const before = structuredClone(style);
  dress(style, city, { level: "grid", hidden: new Set(["worker", "district"]), isDark: true, reach: { from: [1, 2], to: [[3, 4]] } });
  expect(style).toEqual(before);
});

test("a line runs from the place to each of those who are near", () => {
  const { sources } = dress(style, city, { ...plain, reach: { from: [1, 2], to: [[3, 4], [5, 6]] } });
  expect(sources["reach"]).toEqual({
    type: "geojson",
    data: { type: "MultiLineString", coordinates: [[[1, 2], [3, 4]], [[1, 2], [5, 6]]] },
  });
});

test("the level in view is the finest that the style shows there", () => {
  expect(levelAt(style, city.levels, 9)).toBe("district");
  expect(levelAt(style, city.levels, 12)).toBe("grid");
});

test("each level knows its source", () => {
  expect([...areaSources(style, city)]).toEqual([
    ["district", "areas"],
    ["grid", "areas"],
  ]);
});

test("a layer is known by its most colourful colour, hovering aside", () => {
  expect(swatch(style, "worker")).toBe("#105060");
  expect(swatch(style, "nothing")).toBe(null);
});
