/**
 * The state of the screen as the fragment of its URL, and back. Pure. What is at its
 * default is left out; what can't be read is taken as the default, never as an error,
 * because people edit and cut URLs.
 */

import type { Position } from "../api/types";

export const LANGUAGES = ["zh-CN", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export interface View {
  centre: Position;
  zoom: number;
}

export interface Screen {
  /** Null until the map has been moved: the style says where the city is. */
  view: View | null;
  /** Null: the level that suits the zoom. */
  level: string | null;
  /** The place that was asked about. */
  selection: Position | null;
  /** Names of the layers that are switched off. */
  hidden: ReadonlySet<string>;
  /** Null: as the browser prefers. */
  language: Language | null;
  theme: Theme;
}

export const START: Screen = {
  view: null,
  level: null,
  selection: null,
  hidden: new Set(),
  language: null,
  theme: "system",
};

const NAME = /^[\p{L}\p{N}_-]{1,64}$/u;

/** A position written "lon, lat"; null for anything else. */
export function readPosition(text: string | null): Position | null {
  const parts = text?.split(",") ?? [];
  if (parts.length !== 2 || parts.some((part) => part.trim() === "")) return null;
  const [lon, lat] = parts.map(Number) as [number, number];
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : null;
}

function oneOf<T extends string>(all: readonly T[], text: string | null): T | null {
  return all.find((one) => one === text) ?? null;
}

export function readFragment(fragment: string): Screen {
  const params = new URLSearchParams(fragment.replace(/^#/, ""));
  const centre = readPosition(params.get("c"));
  const zoom = Number(params.get("z") ?? Number.NaN);
  const level = params.get("level");
  return {
    view: centre && zoom >= 0 && zoom <= 24 ? { centre, zoom } : null,
    level: level && NAME.test(level) ? level : null,
    selection: readPosition(params.get("at")),
    hidden: new Set((params.get("off") ?? "").split(",").filter((name) => NAME.test(name))),
    language: oneOf(LANGUAGES, params.get("lang")),
    theme: oneOf(THEMES, params.get("theme")) ?? "system",
  };
}

export function writeFragment(screen: Screen): string {
  const parts: string[] = [];
  const put = (name: string, value: string) => parts.push(`${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
  if (screen.view) {
    const [lon, lat] = screen.view.centre;
    // Five decimals are a metre: finer than a screen shows.
    put("c", `${lon.toFixed(5)},${lat.toFixed(5)}`);
    put("z", screen.view.zoom.toFixed(2));
  }
  if (screen.level) put("level", screen.level);
  // A place is kept to the lattice, so that a shared link asks about the same point.
  if (screen.selection) put("at", screen.selection.map((degrees) => Number(degrees.toFixed(7))).join(","));
  if (screen.hidden.size > 0) put("off", [...screen.hidden].sort().join(","));
  if (screen.language) put("lang", screen.language);
  if (screen.theme !== "system") put("theme", screen.theme);
  return parts.length > 0 ? `#${parts.join("&")}` : "";
}
