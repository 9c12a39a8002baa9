/** What the map shows: the level in front and the layers over it. */

import { named, words } from "../i18n";
import { city, levelInView, swatches } from "../state/city";
import { hidden, level, toggleLayer } from "../state/screen";
import { Choice, LayerSwitch } from "../ui/controls";

const AUTO = "auto";

export function Levels() {
  const w = words.value;
  const { levels } = city.value;
  if (levels.length === 0) return null;
  const inView = levelInView.value;
  const options = [
    { value: AUTO, text: w.levelAuto, ...(inView ? { hint: named(w.levelNames, inView) } : {}) },
    ...levels.map((value) => ({ value, text: named(w.levelNames, value) })),
  ];
  const value = level.value && levels.includes(level.value) ? level.value : AUTO;
  return <Choice label={w.level} name="level" options={options} value={value} onChange={(to) => (level.value = to === AUTO ? null : to)} />;
}

export function Layers() {
  const w = words.value;
  if (city.value.layers.length === 0) return null;
  return (
    <fieldset class="layers">
      <legend class="unseen">{w.layers}</legend>
      {city.value.layers.map((name) => (
        <LayerSwitch
          key={name}
          text={named(w.layerNames, name)}
          swatch={swatches.value.get(name) ?? null}
          isOn={!hidden.value.has(name)}
          onToggle={() => toggleLayer(name)}
        />
      ))}
    </fieldset>
  );
}
