// A real nested coverage, from the package registry to the answer of a locate.

import assert from "node:assert/strict";
import { test } from "node:test";
import { villages } from "./taiwan.mjs";

test("the package holds 7,701 villages, each with a code of its own", () => {
  const codes = villages().features.map((village) => village.properties.VILLCODE);
  assert.equal(codes.length, 7701);
  assert.equal(new Set(codes).size, 7701);
});
