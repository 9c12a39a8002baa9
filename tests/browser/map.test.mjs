// The map as a person sees it: real pixels of the real service, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";

test("Chromium draws with WebGL here", async (t) => {
  const browser = await chromium.launch({
    executablePath: process.env.GRIDATLAS_TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const drawer = await page.evaluate(() => document.createElement("canvas").getContext("webgl2")?.getParameter(0x1f01) ?? null);
  assert.ok(drawer, "no WebGL 2: the map could not draw");
});
