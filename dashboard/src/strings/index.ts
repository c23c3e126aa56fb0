/** The language in which the page speaks: the visitor's, where there are strings in it. */
import { computed, effect, signal } from "@preact/signals";
import { de } from "./de.ts";
import { en, type Strings } from "./en.ts";

export const LANGUAGES = { en, de } as const satisfies Record<string, Strings>;
export type Language = keyof typeof LANGUAGES;

const KEY = "language";
const isLanguage = (text: string | null | undefined): text is Language => text != null && text in LANGUAGES;

function first(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    if (isLanguage(kept)) return kept;
  } catch {}
  return navigator.languages.map((tag) => tag.split("-")[0]).find(isLanguage) ?? "en";
}

export const language = signal(first());
export const strings = computed<Strings>(() => LANGUAGES[language.value]);
/** Of numbers and dates: the visitor's own where it is of this language. */
export const locale = computed(
  () => navigator.languages.find((tag) => tag.split("-")[0] === language.value) ?? language.value,
);

export function speak(chosen: Language): void {
  language.value = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {}
}

effect(() => {
  document.documentElement.lang = language.value;
});
