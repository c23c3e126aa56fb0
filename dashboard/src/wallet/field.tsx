/** A field with its name, and what is wrong with what was typed in. */
import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Problem } from "./connected.tsx";

export function Field({
  label,
  text,
  problem,
  numeric,
}: {
  label: string;
  text: Signal<string>;
  problem?: string | undefined;
  numeric?: boolean;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode={numeric ? "decimal" : "text"}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem`}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <Problem id={`${id}-problem`} text={problem ?? ""} />
    </div>
  );
}
