/**
 * The service's style, dressed for the state of the screen: a pure function from one
 * style to another. MapLibre is given the result whole and works out what changed, so
 * nothing on the map is switched anywhere else, and no tile is fetched again.
 *
 * What belongs to what is read off the style itself: a style layer drawn from the tile
 * layer `grid` or `label_grid` belongs to the level `grid`, one drawn from `worker` to
 * the layer `worker`, and a raster to the base map.
 */

import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Position } from "../api/types";
import type { City } from "../state/city";

/** Topmost first; a level that the style names and this list doesn't comes last. */
const KNOWN_LEVELS = ["province", "city", "county", "district", "town", "street", "community", "village", "grid"];

export const BASE = "base";

/** Beyond every zoom. */
const ENDLESS = 24;

function tileLayer(layer: LayerSpecification): string | null {
  return "source-layer" in layer && layer["source-layer"] ? layer["source-layer"] : null;
}

const withoutLabel = (name: string) => name.replace(/^label_/, "");

/** The levels and layers that a style has something to draw for. */
export function cityOf(style: StyleSpecification): City {
  const stated = (style.metadata as Record<string, unknown> | undefined)?.["gridatlas:levels"];
  const names = new Set(style.layers.map(tileLayer).filter((name) => name !== null));
  const levels = Array.isArray(stated)
    ? stated.filter((name): name is string => typeof name === "string")
    : [...new Set([...names].filter((name) => name.startsWith("label_") || KNOWN_LEVELS.includes(name)).map(withoutLabel))].sort(
        (a, b) => (KNOWN_LEVELS.indexOf(a) + 1 || 99) - (KNOWN_LEVELS.indexOf(b) + 1 || 99),
      );
  const layers = [...names].filter((name) => !levels.includes(withoutLabel(name)));
  if (style.layers.some((layer) => layer.type === "raster")) layers.push(BASE);
  return { levels, layers };
}

/** The level or layer that a style layer belongs to; null for the ground it lies on. */
export function belongsTo(layer: LayerSpecification): string | null {
  if (layer.type === "raster") return BASE;
  const name = tileLayer(layer);
  return name === null ? null : withoutLabel(name);
}

/** The finest level that the style shows at a zoom. */
export function levelAt(style: StyleSpecification, levels: string[], zoom: number): string | null {
  const shown = (level: string) =>
    style.layers.some(
      (layer) =>
        (layer.type === "line" || layer.type === "fill") &&
        belongsTo(layer) === level &&
        (layer.minzoom ?? 0) <= zoom &&
        zoom < (layer.maxzoom ?? 25),
    );
  return levels.findLast(shown) ?? levels[0] ?? null;
}

export interface Wish {
  /** Null: what suits the zoom. */
  level: string | null;
  hidden: ReadonlySet<string>;
  isDark: boolean;
  /** The selected place and who is near it. */
  reach: Reach | null;
}

export interface Reach {
  from: Position;
  to: Position[];
}

/** The style with the wished level in front, and what is switched off left out. */
export function dress(style: StyleSpecification, city: City, wish: Wish): StyleSpecification {
  const chosen = wish.level === null ? -1 : city.levels.indexOf(wish.level);
  const layers = style.layers.map((layer): LayerSpecification => {
    const name = belongsTo(layer);
    if (name === null) return layer;
    if (wish.hidden.has(name)) return without(layer);
    const rank = city.levels.indexOf(name);
    if (chosen < 0 || rank < 0) return layer;
    if (rank > chosen) return without(layer);
    // The chosen level is drawn at every zoom. Those above it stay as its frame, without
    // the tints and names that the style itself ends at some zoom in favour of finer ones.
    if (rank === chosen) return { ...layer, minzoom: 0, maxzoom: ENDLESS };
    const gives_way = (layer.type === "fill" || layer.type === "symbol") && (layer.maxzoom ?? ENDLESS) < ENDLESS;
    return gives_way ? without(layer) : layer;
  });
  const colour = wish.isDark ? "#ffd27a" : "#b3541e";
  // What is picked lies under the names, which stay to be read.
  const names = layers.findIndex((layer) => layer.type === "symbol");
  layers.splice(names < 0 ? layers.length : names, 0, ...highlights(style, city, colour), ...reachLayers(colour));
  return {
    ...style,
    sources: { ...keyedByCode(style, city), [REACH]: { type: "geojson", data: lines(wish.reach) } },
    layers,
  };
}

function without(layer: LayerSpecification): LayerSpecification {
  return { ...layer, layout: { ...layer.layout, visibility: "none" } } as LayerSpecification;
}

/** Area features are known by their code, so that their state can be set by it. */
function keyedByCode(style: StyleSpecification, city: City): StyleSpecification["sources"] {
  const sources = { ...style.sources };
  for (const layer of style.layers) {
    const name = tileLayer(layer);
    if (name === null || !city.levels.includes(name) || !("source" in layer)) continue;
    const source = sources[layer.source as string];
    if (source?.type !== "vector") continue;
    const before = typeof source.promoteId === "object" ? source.promoteId : {};
    sources[layer.source as string] = { ...source, promoteId: { ...before, [name]: "code" } };
  }
  return sources;
}

/** Where the areas of each level come from. */
export function areaSources(style: StyleSpecification, city: City): Map<string, string> {
  const found = new Map<string, string>();
  for (const layer of style.layers) {
    const name = tileLayer(layer);
    if (name !== null && city.levels.includes(name) && "source" in layer && typeof layer.source === "string") {
      found.set(name, layer.source);
    }
  }
  return found;
}

/** Two layers a level that show only the area whose state is `picked`. */
function highlights(style: StyleSpecification, city: City, colour: string): LayerSpecification[] {
  const picked = (value: number) => ["case", ["boolean", ["feature-state", "picked"], false], value, 0];
  return [...areaSources(style, city)].flatMap(([level, source]): LayerSpecification[] => [
    {
      id: `picked-ground-${level}`,
      type: "fill",
      source,
      "source-layer": level,
      paint: { "fill-color": colour, "fill-opacity": picked(0.16) as unknown as number, "fill-antialias": false },
    },
    {
      id: `picked-border-${level}`,
      type: "line",
      source,
      "source-layer": level,
      layout: { "line-join": "round" },
      paint: { "line-color": colour, "line-width": 2.5, "line-opacity": picked(1) as unknown as number },
    },
  ]);
}

const REACH = "reach";

/** A line from the place to each of those who are near. */
function lines(reach: Reach | null): { type: "MultiLineString"; coordinates: Position[][] } {
  return { type: "MultiLineString", coordinates: reach?.to.map((to) => [reach.from, to]) ?? [] };
}

function reachLayers(colour: string): LayerSpecification[] {
  return [
    {
      id: REACH,
      type: "line",
      source: REACH,
      paint: { "line-color": colour, "line-width": 1.5, "line-dasharray": [2, 2], "line-opacity": 0.8 },
    },
  ];
}

/**
 * A colour that stands for a layer in the list of layers: the most colourful one that the
 * style draws it in, for the grey ones are of what is off duty or closed. Null where the
 * style has no plain colour.
 */
export function swatch(style: StyleSpecification, name: string): string | null {
  for (const layer of style.layers) {
    if (belongsTo(layer) !== name) continue;
    const paint = (layer.paint ?? {}) as Record<string, unknown>;
    for (const property of ["circle-color", "icon-color", "fill-color", "line-color"]) {
      const [first, ...others] = colours(paint[property]);
      if (first) return others.reduce((best, one) => (colourfulness(one) > colourfulness(best) ? one : best), first);
    }
  }
  return null;
}

/** Every #rrggbb in an expression, but for what depends on a state such as hovering. */
function colours(value: unknown): string[] {
  if (typeof value === "string") return /^#[0-9a-f]{6}$/i.test(value) ? [value] : [];
  if (!Array.isArray(value)) return [];
  if (value[0] !== "case") return value.flatMap(colours);
  return value.slice(1).flatMap((part, at, parts) => {
    const condition = at % 2 === 1 ? JSON.stringify(parts[at - 1]) : "";
    return condition.includes("feature-state") ? [] : colours(part);
  });
}

/** How far a colour is from grey: the span of its channels. */
function colourfulness(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return Math.max(...channels) - Math.min(...channels);
}
