// Pictures as numbers: what colours lie where. Positions are pixels of the page.

import { PNG } from "pngjs";

export class Picture {
  /** `left`, `top`: where on the page the picture's corner lies. */
  constructor(png, left = 0, top = 0) {
    this.png = PNG.sync.read(png);
    this.left = left;
    this.top = top;
  }

  /** The colour at a place of the page; null outside of the picture. */
  at(x, y) {
    const column = Math.round(x) - this.left;
    const row = Math.round(y) - this.top;
    if (column < 0 || row < 0 || column >= this.png.width || row >= this.png.height) return null;
    const start = (row * this.png.width + column) * 4;
    return [...this.png.data.subarray(start, start + 3)];
  }

  /** Every colour within `radius` of a place. */
  around(x, y, radius) {
    const found = [];
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const colour = this.at(x + dx, y + dy);
        if (colour) found.push(colour);
      }
    }
    return found;
  }

  /** How many colours there are, told apart in steps of 8, and the share of the commonest. */
  colours() {
    const seen = new Map();
    const { data } = this.png;
    for (let at = 0; at < data.length; at += 4) {
      const key = ((data[at] >> 3) << 10) | ((data[at + 1] >> 3) << 5) | (data[at + 2] >> 3);
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return { count: seen.size, commonest: Math.max(...seen.values()) / (data.length / 4) };
  }

  /** The share of pixels that differ from another picture of the same place. */
  difference(other) {
    let differing = 0;
    const pixels = this.png.width * this.png.height;
    for (let at = 0; at < pixels * 4; at += 4) {
      if (apart(this.png.data.subarray(at, at + 3), other.png.data.subarray(at, at + 3)) > 24) differing++;
    }
    return differing / pixels;
  }
}

/** How far two colours are apart, in steps of their furthest channel. */
export function apart(a, b) {
  return Math.max(Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]), Math.abs(a[2] - b[2]));
}

/** Web Mercator as the map draws it: a place to a pixel of a map of this size and view. */
export function project([lon, lat], { centre, zoom, left, top, width, height }) {
  const world = 512 * 2 ** zoom;
  const mercator = ([x, y]) => [
    ((x + 180) / 360) * world,
    (0.5 - Math.log(Math.tan(Math.PI / 4 + (y * Math.PI) / 360)) / (2 * Math.PI)) * world,
  ];
  const [x, y] = mercator([lon, lat]);
  const [centreX, centreY] = mercator(centre);
  return [left + width / 2 + x - centreX, top + height / 2 + y - centreY];
}
