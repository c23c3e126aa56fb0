/** Why a recording cannot be read: what follows `FILE:LINE: `, or `FILE: ` where it is of no line. */
export type Trouble = { trouble: string; line?: number | undefined };

export const trouble = (what: string, line?: number): Trouble => ({ trouble: what, line });

export const isTrouble = (value: unknown): value is Trouble =>
  typeof value === "object" && value !== null && "trouble" in value;

/** What somebody else wrote, short enough for a sentence. */
export const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
