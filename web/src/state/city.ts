/**
 * What this city has to show: its levels and its layers, as the map's style names them.
 * Filled once the style has come; the same for every theme.
 */

import { signal } from "@preact/signals";

export interface City {
  /** Topmost first. */
  levels: string[];
  layers: string[];
}

export const city = signal<City>({ levels: [], layers: [] });

/** A colour for each layer, from the style on show. */
export const swatches = signal<ReadonlyMap<string, string | null>>(new Map());

/** The level that the map shows at this zoom when none is chosen. */
export const levelInView = signal<string | null>(null);

export type MapTrouble = "style" | "tiles" | "webgl" | null;

export const mapTrouble = signal<MapTrouble>(null);
