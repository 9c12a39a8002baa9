/** The scale of the map at a place: metres to a pixel, and a round length for the bar. */

/** The equator in metres, as the tiles' spherical Mercator has it. */
const EQUATOR_M = 40_075_016.686;
/** MapLibre's world is this many pixels wide at zoom 0. */
const WORLD_PX = 512;

export function metresPerPixel(lat: number, zoom: number): number {
  return (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (WORLD_PX * 2 ** zoom);
}

/** The longest of 1, 2, 5, 10 ... metres that fits into `most_px`, and its length. */
export function scaleBar(lat: number, zoom: number, most_px: number): { length_m: number; length_px: number } {
  const perPixel = metresPerPixel(lat, zoom);
  const most_m = perPixel * most_px;
  const ten = 10 ** Math.floor(Math.log10(most_m));
  const length_m = ([5, 2].find((n) => n * ten <= most_m) ?? 1) * ten;
  return { length_m, length_px: length_m / perPixel };
}
