/** The way to ask where no map can be drawn: a place typed as numbers. */

import { useState } from "preact/hooks";
import { words } from "../i18n";
import { selection } from "../state/screen";
import { readPosition } from "../state/url";

export function AskByCoordinates() {
  const w = words.value;
  const [text, setText] = useState("");
  const [isBad, setBad] = useState(false);
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        const place = readPosition(text);
        setBad(place === null);
        if (place) selection.value = place;
      }}
    >
      <label for="coordinates">{w.coordinates}</label>
      <div>
        <input id="coordinates" inputMode="decimal" autocomplete="off" value={text} aria-invalid={isBad} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" class="button">
          {w.find}
        </button>
      </div>
      {isBad && <p role="alert">{w.badCoordinates}</p>}
    </form>
  );
}
