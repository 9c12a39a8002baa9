/** The page: the state is read from the URL, then the map and the panel are drawn from it. */

import { effect } from "@preact/signals";
import { render } from "preact";
import "maplibre-gl/dist/maplibre-gl.css";
import "./ui/style.css";
import { words } from "./i18n";
import { MapView } from "./map/MapView";
import { Panel } from "./panel/Panel";
import { followSelection } from "./state/answer";
import { followUrl, isDark, language, selection } from "./state/screen";

function Page() {
  return (
    <>
      <a class="skip" href="#panel" onClick={skip}>
        {words.value.skipToPanel}
      </a>
      <Panel />
      <MapView />
    </>
  );
}

/** Moves the focus by hand: the fragment belongs to the state of the screen. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("panel")?.focus();
}

followUrl();
followSelection();
effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset["theme"] = isDark.value ? "dark" : "light";
  document.title = words.value.title;
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") selection.value = null;
});

const root = document.getElementById("app");
if (root) render(<Page />, root);
