/** The panel beside the map: what is shown, and what the service says of a place. */

import { words } from "../i18n";
import { mapTrouble } from "../state/city";
import { chosenLanguage, language, revision, selection, theme } from "../state/screen";
import { LANGUAGES, THEMES } from "../state/url";
import { Notice } from "../ui/controls";
import { Icon } from "../ui/icons";
import { AskByCoordinates } from "./AskByCoordinates";
import { Nearest } from "./Nearest";
import { Place, PlaceHead } from "./Place";
import { Layers, Levels } from "./Shown";

export function Panel() {
  const w = words.value;
  const at = selection.value;
  return (
    <aside class="panel" id="panel" aria-label={w.panel} tabIndex={-1}>
      <Head />
      <div class="shown">
        <Levels />
        <Layers />
      </div>
      {mapTrouble.value === "webgl" && <AskByCoordinates />}
      {at ? (
        <>
          <PlaceHead at={at} />
          <Place at={at} />
          <Nearest at={at} />
        </>
      ) : (
        <div class="empty">
          <Notice title={w.emptyTitle} text={w.emptyText} />
          <p class="empty-keys">{w.emptyKeys}</p>
        </div>
      )}
      <footer class="foot">{revision.value !== null && <span>{w.revision(String(revision.value))}</span>}</footer>
    </aside>
  );
}

function Head() {
  const w = words.value;
  const nextLanguage = LANGUAGES.find((one) => one !== language.value) ?? LANGUAGES[0];
  const nextTheme = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  return (
    <header class="head">
      <div>
        <h1>{w.title}</h1>
        <p>{w.subtitle}</p>
      </div>
      <div class="head-buttons">
        <button
          type="button"
          class="icon-button"
          lang={nextLanguage}
          aria-label={`${w.language}: ${w.languageNames[nextLanguage]}`}
          title={w.languageNames[nextLanguage]}
          onClick={() => (chosenLanguage.value = nextLanguage)}
        >
          {w.languageMarks[nextLanguage]}
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={`${w.theme}: ${w.themeNames[theme.value]}`}
          title={`${w.theme}: ${w.themeNames[theme.value]}`}
          onClick={() => (theme.value = nextTheme)}
        >
          <Icon name={theme.value} />
        </button>
      </div>
    </header>
  );
}
