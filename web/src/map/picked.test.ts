import type { StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import type { Located } from "../api/types";
import { areaToPick } from "./picked";

const style: StyleSpecification = {
  version: 8,
  sources: { areas: { type: "vector", url: "/tiles/street,grid" } },
  layers: ["street", "grid"].map((level) => ({ id: level, type: "line", source: "areas", "source-layer": level })),
};
const city = { levels: ["street", "grid"], layers: [] };
const located = (...levels: string[]): Located => ({
  revision: 1,
  point: [120, 36],
  owners: [{ coverage: "responsibility", code: levels.at(-1) ?? null, chain: levels.map((level) => ({ level, code: `c-${level}`, name: "" })) }],
});

test("the ancestor at the level on show is picked", () => {
  expect(areaToPick(style, city, located("street", "grid"), "street")).toEqual({ source: "areas", sourceLayer: "street", id: "c-street" });
});

test("ground without an area at that level is picked with its owner", () => {
  expect(areaToPick(style, city, located("street"), "grid")).toEqual({ source: "areas", sourceLayer: "street", id: "c-street" });
});

test("outside of everything nothing is picked", () => {
  expect(areaToPick(style, city, located(), "grid")).toBe(null);
  expect(areaToPick(style, city, null, "grid")).toBe(null);
});

test("a level that the style doesn't draw is not picked", () => {
  expect(areaToPick(style, city, located("province"), "province")).toBe(null);
});
