/** The page: reads the state from the URL, then draws the map and the panel. */

import { render } from "preact";

const root = document.getElementById("app");
if (root) render(<main>Gridatlas</main>, root);
