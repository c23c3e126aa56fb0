/** Light or dark: as the system has it, until the visitor says otherwise. */
import { computed, effect, signal } from "@preact/signals";

type Theme = "light" | "dark";
const KEY = "theme";

const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  isDark.value = matches;
});

/** A host may forbid to keep anything. */
function kept(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}

const chosen = signal(kept());
export const theme = computed<Theme>(() => chosen.value ?? (isDark.value ? "dark" : "light"));

export function switchTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen.value);
  } catch {}
}

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});
