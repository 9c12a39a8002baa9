/**
 * The wire as this page reads it. Positions are [lon, lat] in degrees of WGS-84,
 * distances metres (`_m`), ages seconds (`_s`), codes and ids strings.
 */

export type Position = [lon: number, lat: number];

export interface ChainLink {
  level: string;
  code: string;
  name: string;
}

/** Who owns a place in one coverage; `code` is null outside of it. */
export interface Owner {
  coverage: string;
  code: string | null;
  level?: string;
  name?: string;
  /** Topmost first; the last is the owner itself. */
  chain?: ChainLink[];
  on_border?: boolean;
  border_distance_m?: number;
  touching?: string[];
  nearest?: { code: string; name: string; distance_m: number };
}

export interface Building {
  id: string;
  name?: string;
  address?: string;
  households?: number;
  residents?: number;
  kind?: string;
}

export interface Located {
  revision: number;
  /** The lattice point that was asked about. */
  point: Position;
  /** One for each coverage, the default one first. */
  owners: Owner[];
  building?: Building | null;
}

export interface Worker {
  id: string;
  name: string;
  role: string;
  grid: string | null;
  distance_m: number;
  age_s: number | null;
  load: number;
  why: string;
  point: Position;
}

type Ring = Position[];

/** An area as a GeoJSON Feature. */
export interface Area {
  type: "Feature";
  geometry: { type: "Polygon"; coordinates: Ring[] } | { type: "MultiPolygon"; coordinates: Ring[][] };
  properties: { code: string; name: string; level: string; parent: string | null; kind: string | null };
}

/** RFC 9457, with a stable `code`. */
export interface Problem {
  title?: string;
  detail?: string;
  status?: number;
  code?: string;
}
