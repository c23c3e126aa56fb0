/** Whether the visitor asked for a wallet. All else about one is below wallet/, and loaded only then. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";

export const isWalletAsked = signal(false);

/** What a wallet shows in the header of every view: whose it is, and what it is sending. */
export const Corner = signal<ComponentType | undefined>(undefined);
