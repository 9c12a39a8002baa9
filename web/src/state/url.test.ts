import { expect, test } from "vitest";
import { readFragment, type Screen, START, writeFragment } from "./url";

const full: Screen = {
  view: { centre: [120.38, 36.06], zoom: 12.25 },
  level: "community",
  selection: [120.3812345, 36.0654321],
  hidden: new Set(["building", "worker"]),
  language: "en",
  theme: "dark",
};

test("a screen comes back from its fragment", () => {
  expect(readFragment(writeFragment(full))).toEqual(full);
});

test("the screen at its start has no fragment", () => {
  expect(writeFragment(START)).toBe("");
  expect(readFragment("")).toEqual(START);
});

test("a fragment reads the same in any order", () => {
  const parts = writeFragment(full).slice(1).split("&");
  expect(readFragment(`#${parts.reverse().join("&")}`)).toEqual(full);
});

test.each([
  "#c=200,10&z=3",
  "#c=10,91&z=3",
  "#c=,&z=3",
  "#c=120,36",
  "#c=120,36&z=99",
  "#c=120,36&z=x",
  "#at=1",
  "#at=a,b",
  "#at=1,2,3",
  "#level=<script>",
  "#level=",
  "#lang=fr",
  "#theme=pink",
  "#off=,,",
  "#%%%",
])("what can't be read is taken as the start: %s", (fragment) => {
  expect(readFragment(fragment)).toEqual(START);
});

test("a selection is kept to the lattice of 1e-7 degree", () => {
  expect(writeFragment({ ...START, selection: [120.12345678, 36] })).toBe("#at=120.1234568,36");
});
