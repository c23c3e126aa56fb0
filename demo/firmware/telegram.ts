/**
 * What a household's meter sends to an optical head: a telegram that a DZG DVS-7420 was recorded with while it exported
 * (github.com/devZer0/libsml-testing), with another register and power in it, and the CRCs that it has then.
 */
import { fromHex } from "../../protocol/index.ts";

const RECORDED = fromHex(
  "0x1b1b1b1b0101010176051338b301620062007263010176010102310b0a01445a4700039e2053726201649128386202632f2b0076051438b3016200" +
    "62007263070177010b0a01445a4700039e2053070100620affff726201649128387577070100603201010172620162006200520004445a470177" +
    "070100600100ff017262016200620052000b0a01445a4700039e20530177070100010800ff641c69047262016200621e52ff640204e901770701" +
    "00020800ff017262016200621e52ff64e4ee4d0177070100100700ff017262016200621b52fe53d6ca01010163a8900076051538b30162006200" +
    "7263020171016350c300001b1b1b1b1a010de3",
);
/** where the message with the values begins, and its CRC stands */
const MESSAGE = { from: 51, crc: 220 };
/** where three bytes of the register of export stand, in 0.1 Wh, and two of the power, in 0.01 W */
const REGISTER = 191;
const POWER = 214;

/** What it shows: 1-0:2.8.0 in 0.1 Wh. */
export const RECORDED_REGISTER = 0xe4ee4d;

/** where the unit of the register of export stands */
const UNIT = 187;

/** `register`: in 0.1 Wh, less than 2^24. `power`: of the export, in 0.01 W, at most 2^15 - 1. `unit`: 30 is Wh. */
export function telegramWith(register: number, power: number, unit = 30): Uint8Array {
  const telegram = RECORDED.slice();
  telegram[UNIT] = unit;
  const view = new DataView(telegram.buffer);
  view.setUint16(REGISTER, register >> 8);
  view.setUint8(REGISTER + 2, register & 0xff);
  view.setInt16(POWER, -power);
  view.setUint16(MESSAGE.crc, crcOf(telegram.subarray(MESSAGE.from, MESSAGE.crc - 1)), true);
  view.setUint16(telegram.length - 2, crcOf(telegram.subarray(0, -2)), true);
  return telegram;
}

/** CRC-16/X-25 */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  }
  return ~crc & 0xffff;
}
