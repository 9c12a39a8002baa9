/** The one client of the page, at the place the page was served from. */

import { Client } from "../api/client";
import { revision } from "./screen";

export const service = new Client(new URL(".", document.baseURI).href, (n) => (revision.value = n));
