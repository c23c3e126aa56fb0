/** What is typed in, as a transaction needs it. Refused rather than guessed at. */
import { type Address, formatUnits, getAddress, isAddress, parseUnits, zeroAddress } from "viem";
import { power } from "../model/format.ts";
import { locale } from "../strings/index.ts";
import { words } from "./strings/index.ts";

export type Typed<T> = { ok: true; value: T } | { ok: false; problem: string };
const no = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

/** Of a token, which is a kWh. */
const DECIMALS = 18;
const KILO = 3;

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

/** As the visitor's locale writes it, exactly, times ten to the power of `decimals`; undefined where it is no such number. */
function decimalIn(text: string, decimals: number): bigint | undefined {
  const [whole = "", fraction = "", ...more] = text.trim().split(point());
  const areDigits = /^\d+$/.test(whole) && /^\d*$/.test(fraction) && more.length === 0;
  return areDigits && fraction.length <= decimals ? parseUnits(`${whole}.${fraction || "0"}`, decimals) : undefined;
}

/** kWh in units of the token, at most `most`. */
export function amountIn(text: string, most: bigint): Typed<bigint> {
  const { typed } = words.value;
  const units = decimalIn(text, DECIMALS);
  if (units === undefined) return no(typed.noAmount(`12${point()}5`));
  if (units === 0n) return no(typed.nothing);
  return units > most ? no(typed.tooMuch(exact(most))) : { ok: true, value: units };
}

/** kW in W, at most `most`. */
export function capacityIn(text: string, most: number): Typed<number> {
  const { typed } = words.value;
  const watts = decimalIn(text, KILO);
  if (watts === undefined) return no(typed.noCapacity(`12${point()}5`));
  return watts === 0n || watts > BigInt(most)
    ? no(typed.capacityRange(power(most)))
    : { ok: true, value: Number(watts) };
}

/** Units in kWh, all digits, as it is typed in. */
export const plain = (units: bigint, decimals = DECIMALS): string => formatUnits(units, decimals).replace(".", point());
/** W in kW, likewise. */
export const plainCapacity = (watts: number): string => plain(BigInt(watts), KILO);

/** Units in kWh, all digits, as it is read. */
export const exact = (units: bigint): string =>
  new Intl.NumberFormat(locale.value, { maximumFractionDigits: DECIMALS }).format(
    formatUnits(units, DECIMALS) as `${number}`,
  );
