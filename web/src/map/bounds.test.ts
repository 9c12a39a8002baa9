import { expect, test } from "vitest";
import { boundsOf } from "./bounds";

test("the box holds every part", () => {
  expect(
    boundsOf({
      type: "MultiPolygon",
      coordinates: [[[[1, 2], [3, 2], [3, 5], [1, 2]]], [[[-4, 0], [0, 0], [0, 1], [-4, 0]]]],
    }),
  ).toEqual([-4, 0, 3, 5]);
});
