/** The language in which the page speaks: the visitor's, where there are strings in it. Each is loaded when it is spoken. */
import { computed, effect, signal } from "@preact/signals";
import type { Strings } from "./en.ts";

/** What each calls itself. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const LOAD: Record<Language, () => Promise<Strings>> = {
  en: async () => (await import("./en.ts")).en,
  de: async () => (await import("./de.ts")).de,
};

const KEY = "language";
const isLanguage = (text: string | null | undefined): text is Language => text != null && text in LANGUAGES;

function first(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    if (isLanguage(kept)) return kept;
  } catch {}
  return navigator.languages.map((tag) => tag.split("-")[0]).find(isLanguage) ?? "en";
}

const spoken = signal<{ language: Language; strings: Strings } | undefined>(undefined);
/** Of what is said now. Nothing is shown before there is something to say it in. */
export const language = computed<Language>(() => spoken.value?.language ?? "en");
export const strings = computed<Strings>(() => {
  if (!spoken.value) throw new Error("no language was loaded");
  return spoken.value.strings;
});
/** Of numbers and dates: the visitor's own where it is of this language. */
export const locale = computed(
  () => navigator.languages.find((tag) => tag.split("-")[0] === language.value) ?? language.value,
);

/** Begins to speak the visitor's language. */
export const speakFirst = async (): Promise<void> => {
  const chosen = first();
  spoken.value = { language: chosen, strings: await LOAD[chosen]() };
};

export async function speak(chosen: Language): Promise<void> {
  spoken.value = { language: chosen, strings: await LOAD[chosen]() };
  try {
    localStorage.setItem(KEY, chosen);
  } catch {}
}

effect(() => {
  document.documentElement.lang = language.value;
});
