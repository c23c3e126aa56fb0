/** What is said where a wallet is, loaded with it. */
import { computed } from "@preact/signals";
import { language } from "../../strings/index.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";

const SPOKEN = { en, de };
export const words = computed(() => SPOKEN[language.value]);
