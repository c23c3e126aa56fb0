/** What is typed in, as a transaction needs it. Refused rather than guessed at. */
import { type Address, formatUnits, getAddress, isAddress, parseUnits, zeroAddress } from "viem";
import { locale } from "../strings/index.ts";
import { words } from "./strings/index.ts";

export type Typed<T> = { ok: true; value: T } | { ok: false; problem: string };
const no = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

/** Of a token, which is a kWh. */
const DECIMALS = 18;

/** With its checksum (EIP-55), or without one in small letters. */
export function addressIn(text: string): Typed<Address> {
  const { typed } = words.value;
  const trimmed = text.trim();
  if (!/^0x[0-9a-fA-F]{40}$/.test(trimmed)) return no(typed.noAddress);
  if (!isAddress(trimmed)) return no(typed.badChecksum);
  const address = getAddress(trimmed);
  return address === zeroAddress ? no(typed.nobody) : { ok: true, value: address };
}

const point = (): string =>
  new Intl.NumberFormat(locale.value).formatToParts(1.5).find(({ type }) => type === "decimal")?.value ?? ".";

/** kWh, as the visitor's locale writes them, in units of the token: exactly, and at most `most`. */
export function amountIn(text: string, most: bigint): Typed<bigint> {
  const { typed } = words.value;
  const [whole = "", fraction = "", ...more] = text.trim().split(point());
  const areDigits = /^\d+$/.test(whole) && /^\d*$/.test(fraction) && more.length === 0;
  if (!areDigits || fraction.length > DECIMALS) return no(typed.noAmount(`12${point()}5`));
  const units = parseUnits(`${whole}.${fraction || "0"}`, DECIMALS);
  if (units === 0n) return no(typed.nothing);
  return units > most ? no(typed.tooMuch(exact(most))) : { ok: true, value: units };
}

/** Units in kWh, all digits, as it is typed in. */
export const plain = (units: bigint): string => formatUnits(units, DECIMALS).replace(".", point());

/** Units in kWh, all digits, as it is read. */
export const exact = (units: bigint): string =>
  new Intl.NumberFormat(locale.value, { maximumFractionDigits: DECIMALS }).format(
    formatUnits(units, DECIMALS) as `${number}`,
  );
