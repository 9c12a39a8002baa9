// The map as a person sees it: real pixels of the real service in Chromium, and what a
// click answers, against what the service says when it is asked directly.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { openCity } from "./city.mjs";
import { apart, Picture, project } from "./pixels.mjs";

const SCREENS = process.env.GRIDATLAS_TEST_SCREENS;
const PATIENCE_MS = 60_000;

let city;
let browser;

before(async () => {
  city = await openCity();
  browser = await chromium.launch({
    executablePath: process.env.GRIDATLAS_TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--enable-unsafe-swiftshader",
      "--use-angle=swiftshader",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
});

after(async () => {
  await browser?.close();
  await city?.stop();
});

/** Opens the page and waits until the map is at rest. */
async function open(t, fragment = "", { width = 1280, height = 800, locale = "zh-CN" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(city.url + fragment);
  await atRest(page);
  return { page, errors };
}

/** Two pictures of the map that are the same, half a second apart, with something on them. */
async function atRest(page) {
  await page.waitForFunction(() => location.hash.includes("z="), null, { timeout: PATIENCE_MS });
  const deadline = Date.now() + PATIENCE_MS;
  let earlier = await picture(page);
  while (Date.now() < deadline) {
    await page.waitForTimeout(500);
    const later = await picture(page);
    // Workers move: a few pixels may.
    if (later.difference(earlier) < 0.002 && later.colours().count > 1) return;
    earlier = later;
  }
  assert.fail("the map never came to rest");
}

async function picture(page, name) {
  const box = await page.locator(".map-canvas").boundingBox();
  const png = await page.locator(".map-canvas").screenshot();
  if (name) keep(name, await page.screenshot());
  return new Picture(png, Math.round(box.x), Math.round(box.y));
}

/** Screens are kept for people to look at. */
function keep(name, png) {
  if (!SCREENS) return;
  mkdirSync(SCREENS, { recursive: true });
  writeFileSync(join(SCREENS, `${name}.png`), png);
}

/** The view that the URL says, with the place of the map on the page. */
async function viewOf(page) {
  const fragment = new URLSearchParams(new URL(page.url()).hash.slice(1));
  const { x, y, width, height } = await page.locator(".map-canvas").boundingBox();
  return { centre: fragment.get("c").split(",").map(Number), zoom: Number(fragment.get("z")), left: x, top: y, width, height };
}

/** The place of the URL's selection, as the page asks about it. */
function placeOf(page) {
  const [lon, lat] = new URLSearchParams(new URL(page.url()).hash.slice(1)).get("at").split(",");
  return `lon=${lon}&lat=${lat}`;
}

const levelsOf = (located) => located.owners[0].chain.map((link) => link.level);

describe("the map", () => {
  test("is drawn: the city is many colours, not one", async (t) => {
    const { page, errors } = await open(t);
    const { count, commonest } = (await picture(page, "city-light")).colours();
    assert.ok(count > 40, `${count} colours`);
    assert.ok(commonest < 0.9, `one colour covers ${commonest}`);
    assert.deepEqual(errors, []);
  });

  test("shows every border where the service says it lies", async (t) => {
    const start = await open(t);
    const centre = (await viewOf(start.page)).centre;
    const located = await city.get(`/locate?lon=${centre[0]}&lat=${centre[1]}`);
    const level = levelsOf(located).at(-1);
    // Only the borders of the finest level, on their ground: what else is drawn is off.
    const { page } = await open(t, `#c=${centre}&z=15&level=${level}&off=building,party_unit,worker,event`);
    const view = await viewOf(page);
    const shot = await picture(page, "borders");
    const grids = await city.get(`/areas/${located.owners[0].code}/neighbours`);
    const codes = [located.owners[0].code, ...(grids.neighbours ?? grids).map((one) => one.code)];
    let seen = 0;
    let asked = 0;
    for (const code of codes) {
      const { geometry } = await city.get(`/areas/${encodeURIComponent(code)}`);
      const rings = geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
      for (const ring of rings) {
        for (let at = 0; at + 1 < ring.length; at += 5) {
          const middle = [(ring[at][0] + ring[at + 1][0]) / 2, (ring[at][1] + ring[at + 1][1]) / 2];
          const [x, y] = project(middle, view);
          const inside = x > view.left + 20 && y > view.top + 20 && x < view.left + view.width - 20 && y < view.top + view.height - 40;
          if (!inside) continue;
          asked++;
          // A line is a few pixels that differ from the ground on both of its sides.
          const near = shot.around(x, y, 2);
          const ground = shot.around(x, y, 9);
          const common = ground.toSorted((a, b) => a[0] + a[1] + a[2] - (b[0] + b[1] + b[2]))[ground.length >> 1];
          if (near.some((colour) => apart(colour, common) > 10)) seen++;
        }
      }
    }
    assert.ok(asked >= 20, `only ${asked} places on borders were in view`);
    assert.ok(seen / asked > 0.9, `${seen} of ${asked} places on borders differ from their ground`);
  });

  test("writes Chinese names with glyphs, not boxes", async (t) => {
    const { page } = await open(t);
    // Boxes are the same for every letter.
    const letters = await page.evaluate(() => {
      const draw = (letter) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
        const pen = canvas.getContext("2d");
        pen.font = "28px sans-serif";
        pen.fillText(letter, 4, 32);
        return canvas.toDataURL();
      };
      return new Set([..."市街道社区网格"].map(draw)).size;
    });
    assert.equal(letters, 7, "the machine has no Chinese font");

    // Names are the only thing on the map in the colour that the style gives them.
    const style = await city.get("/styles/atlas");
    const inks = style.layers
      .filter((layer) => layer.type === "symbol" && layer["source-layer"]?.startsWith("label_"))
      .map((layer) => layer.paint?.["text-color"])
      .filter((colour) => /^#[0-9a-f]{6}$/i.test(colour))
      .map((colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)));
    assert.ok(inks.length > 0, "no style layer writes names in a plain colour");
    const shot = await picture(page);
    let inked = 0;
    for (let y = shot.top; y < shot.top + shot.png.height; y++) {
      for (let x = shot.left; x < shot.left + shot.png.width; x++) {
        const colour = shot.at(x, y);
        if (inks.some((ink) => apart(ink, colour) < 24)) inked++;
      }
    }
    assert.ok(inked > 300, `${inked} pixels have the colour of names`);
  });

  test("draws a boundary that was published anew, without a reload, and asks only for tiles around it", async (t) => {
    const start = await open(t);
    const [lon, lat] = (await viewOf(start.page)).centre;
    const { code } = (await city.get(`/locate?lon=${lon}&lat=${lat}`)).owners[0];
    const { geometry } = await city.get(`/areas/${code}`);
    const points = geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2);
    const [lons, lats] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
    const line = [
      [west - 1e-4, (south + north) / 2],
      [east + 1e-4, (south + north) / 2],
    ];
    const { page, errors } = await open(t, `#c=${(west + east) / 2},${(south + north) / 2}&z=15&off=building,party_unit,worker,event`);
    await page.evaluate(() => (window.isTheSamePage = true));
    const before = await picture(page, "before-publishing");

    const send = async (path, body, from = "planner") => {
      const headers = { "content-type": "application/json", "if-match": "*" };
      const answer = await fetch(new URL(path, city.url), { method: "POST", headers, body: JSON.stringify({ author: from, ...body }) });
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
      return answer.json();
    };
    const { id } = await send("/plans", { name: "one split" });
    const edit = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ op: "split", code, line }) };
    const edited = await fetch(new URL(`/plans/${id}/edits`, city.url), edit);
    assert.equal(edited.status, 201, await edited.text());
    await send(`/plans/${id}/submit`, {});
    await send(`/plans/${id}/approve`, {}, "somebody else");
    const asked = [];
    page.on("request", (request) => {
      const tile = /\/tiles\/([^/]+)\/(\d+)\/(\d+)\/(\d+)/.exec(request.url());
      if (tile) asked.push({ layers: decodeURIComponent(tile[1]), z: Number(tile[2]), x: Number(tile[3]), y: Number(tile[4]) });
    });
    const { touched } = await send(`/plans/${id}/publish`, {});
    const published = Date.now();
    let share = 0;
    while (share < 0.0005 && Date.now() < published + PATIENCE_MS) share = (await picture(page)).difference(before);
    t.diagnostic(`seen ${Date.now() - published} ms after publishing`);
    assert.ok(share >= 0.0005, "nothing changed on the map");
    await atRest(page);
    await picture(page, "after-publishing");
    assert.ok(await page.evaluate(() => window.isTheSamePage), "the page was loaded again");

    const areas = asked.filter(({ layers }) => !/worker|event/.test(layers));
    assert.ok(areas.length > 0, "no tile was asked for again");
    const corners = [];
    for (const one of touched) {
      const { geometry } = await city.get(`/areas/${one}`);
      corners.push(...geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2));
    }
    const column = (degrees, z) => ((degrees + 180) / 360) * 2 ** z;
    const row = (degrees, z) => (0.5 - Math.asinh(Math.tan((degrees * Math.PI) / 180)) / (2 * Math.PI)) * 2 ** z;
    for (const { z, x, y } of areas) {
      const columns = corners.map((corner) => column(corner[0], z));
      const rows = corners.map((corner) => row(corner[1], z));
      const isNear =
        Math.min(...columns) < x + 1.1 && Math.max(...columns) > x - 0.1 && Math.min(...rows) < y + 1.1 && Math.max(...rows) > y - 0.1;
      assert.ok(isNear, `${z}/${x}/${y} was asked for, where nothing changed`);
    }
    assert.deepEqual(errors, []);
  });

  test("hides a layer that is switched off, and the URL says so", async (t) => {
    const [building] = (await city.get("/layers/building/features?limit=1")).features;
    const [lon, lat] = building.geometry.coordinates.flat(3);
    const { page } = await open(t, `#c=${lon},${lat}&z=16&off=event,party_unit,worker`);
    const before = await picture(page, "buildings");
    await page.getByText("楼栋", { exact: true }).click();
    await atRest(page);
    assert.match(page.url(), /off=building,event,party_unit,worker/);
    const share = (await picture(page)).difference(before);
    assert.ok(share > 0.001, `${share} of the map changed`);
  });

  test("takes its whole state from the URL", async (t) => {
    const first = await open(t, "#theme=dark&lang=en");
    await first.page.mouse.click(800, 400);
    await first.page.locator(".chain li").first().waitFor();
    await first.page.getByRole("radio").nth(1).check({ force: true });
    await atRest(first.page);
    const second = await open(t, new URL(first.page.url()).hash);
    await second.page.locator(".chain li").first().waitFor();
    assert.equal(second.page.url(), first.page.url());
    // All but the workers, who walk meanwhile.
    for (const part of [".head", ".shown", ".place-head", ".chain", ".foot"]) {
      assert.equal(await second.page.locator(part).innerText(), await first.page.locator(part).innerText());
    }
    const share = (await picture(second.page)).difference(await picture(first.page));
    assert.ok(share < 0.02, `${share} of the map differs`);
  });
});

describe("a click", () => {
  test("answers with the owner chain that GET /locate gives, and the nearest workers", async (t) => {
    const { page, errors } = await open(t);
    await page.mouse.click(800, 380);
    await page.locator(".chain li").first().waitFor();
    await page.locator(".worker").first().waitFor();
    const place = placeOf(page);
    const located = await city.get(`/locate?${place}`);
    const shown = await page.locator(".chain .link-code").allInnerTexts();
    assert.deepEqual(shown, located.owners[0].chain.map((link) => link.code));
    const names = await page.locator(".chain .link-name").allInnerTexts();
    assert.deepEqual(names, located.owners[0].chain.map((link) => link.name));

    // Workers move between one question and the next: those who stand are the same, in order.
    const workers = await city.get(`/workers/nearest?${place}&k=20`);
    const known = new Set(workers.map((worker) => worker.name));
    const listed = await page.locator(".worker-name").allInnerTexts();
    assert.equal(listed.length, 5);
    assert.ok(listed.filter((name) => known.has(name)).length >= 3, `${listed} of ${[...known]}`);
    assert.match(await page.locator(".foot").innerText(), new RegExp(`${located.revision}`));
    await atRest(page);
    await picture(page, "click-light");
    assert.deepEqual(errors, []);
  });

  test("colours the area that owns the place", async (t) => {
    const { page } = await open(t);
    const before = await picture(page);
    await page.mouse.click(800, 380);
    await page.locator(".chain li").first().waitFor();
    await atRest(page);
    assert.ok((await picture(page)).difference(before) > 0.001, "nothing on the map changed");
  });

  test("outside the city says which area is nearest and how far", async (t) => {
    const { page } = await open(t, "#at=100.5,20.5");
    const outside = page.locator(".outside");
    await outside.waitFor();
    const located = await city.get(`/locate?${placeOf(page)}`);
    assert.equal(located.owners[0].code, null);
    assert.ok((await outside.innerText()).includes(located.owners[0].nearest.name));
  });

  test("can be made by keys alone, and unmade by Escape", async (t) => {
    const { page } = await open(t);
    await page.locator("canvas.maplibregl-canvas").focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(600);
    await page.keyboard.press("Enter");
    await page.locator(".chain li").first().waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".chain").waitFor({ state: "detached" });
    assert.doesNotMatch(page.url(), /at=/);
  });
});

describe("the page", () => {
  test("says in both languages what it can't find out when the service is gone", async (t) => {
    for (const [locale, words] of [["zh-CN", "服务没有应答"], ["en", "did not answer"]]) {
      const { page } = await open(t, "", { locale });
      await page.route("**/locate?*", (route) => route.abort());
      await page.mouse.click(800, 380);
      const alert = page.locator(".notice-problem").first();
      await alert.waitFor();
      assert.ok((await alert.innerText()).includes(words));
      await page.unroute("**/locate?*");
      await alert.getByRole("button").click();
      await page.locator(".chain li").first().waitFor();
    }
  });

  test("fits a telephone, a tablet and a desk, light and dark", async (t) => {
    for (const [name, width, height] of [["phone", 390, 844], ["tablet", 820, 1180], ["desk", 1440, 900]]) {
      for (const theme of ["light", "dark"]) {
        const { page } = await open(t, `#theme=${theme}`, { width, height });
        const map = await page.locator(".map-canvas").boundingBox();
        await page.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
        await page.locator(".chain li").first().waitFor();
        await atRest(page);
        await picture(page, `${name}-${theme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
        const [red, green, blue] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
        assert.equal(red + green + blue < 384, theme === "dark");
      }
    }
  });
});
