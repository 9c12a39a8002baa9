import { expect, test } from "vitest";
import { metresPerPixel, scaleBar } from "./scale";

test("the whole equator is 512 pixels at zoom 0", () => {
  expect(metresPerPixel(0, 0) * 512).toBeCloseTo(40_075_016.686, 3);
});

test("at 60 degrees a pixel is half as long", () => {
  expect(metresPerPixel(60, 10) / metresPerPixel(0, 10)).toBeCloseTo(0.5, 12);
});

test("the bar is a round length that fits, and more than two fifths of the room", () => {
  for (let zoom = 0; zoom <= 22; zoom += 0.37) {
    const { length_m, length_px } = scaleBar(36, zoom, 100);
    expect([1, 2, 5]).toContain(Math.round(length_m / 10 ** Math.floor(Math.log10(length_m) + 1e-9)));
    expect(length_px).toBeLessThanOrEqual(100.001);
    expect(length_px).toBeGreaterThan(39.9);
  }
});
