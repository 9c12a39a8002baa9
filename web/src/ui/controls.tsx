/** The few controls of the page. Each is a native one underneath, so keys and readers work. */

import type { ComponentChildren } from "preact";

interface ChoiceProps<T extends string> {
  /** The accessible name of the group. */
  label: string;
  name: string;
  options: readonly { value: T; text: string; hint?: string }[];
  value: T;
  onChange(value: T): void;
}

/** One of a few, side by side. */
export function Choice<T extends string>({ label, name, options, value, onChange }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-one" title={option.hint}>
          <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>{option.text}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SwitchProps {
  text: string;
  swatch: string | null;
  isOn: boolean;
  onToggle(): void;
}

/** A layer that is on or off, with the colour it is drawn in. */
export function LayerSwitch({ text, swatch, isOn, onToggle }: SwitchProps) {
  return (
    <label class="layer">
      <input type="checkbox" checked={isOn} onChange={onToggle} />
      <span class="layer-swatch" style={swatch ? { background: swatch } : undefined} aria-hidden="true" />
      <span>{text}</span>
    </label>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What stands where there is nothing (yet), or where something went wrong. */
export function Notice({ title, text, action, isProblem = false }: NoticeProps) {
  return (
    <div class={isProblem ? "notice notice-problem" : "notice"} role={isProblem ? "alert" : undefined}>
      <strong>{title}</strong>
      {text && <p>{text}</p>}
      {action && (
        <button type="button" class="button" onClick={action.run}>
          {action.text}
        </button>
      )}
    </div>
  );
}

interface NoticeProps {
  title: string;
  text?: string;
  action?: { text: string; run(): void };
  isProblem?: boolean;
}

/** Grey bars in the place of lines that are on their way. */
export function Waiting({ label, lines }: { label: string; lines: number }) {
  return (
    <div class="waiting" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} />
      ))}
    </div>
  );
}
