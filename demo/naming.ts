/** Tells the oracle what a roof is called, as its device would: signed with its key, over a head that nobody has seen yet. */
import { createLog, domain, encodeHead, type Place, sign, toHex } from "../protocol/index.ts";
import type { Roof } from "./roof.ts";

/** `number`: of the meter beside it, which has no other name here; `bootedAt`: Unix time, s. */
export async function announce(
  { name, device, privateKey }: Roof,
  { place, oracleUrl, number, bootedAt }: { place: Place; oracleUrl: string; number: number; bootedAt: number },
): Promise<void> {
  const { epoch, readings } = device;
  const reading = readings.at(-1) as Uint8Array;
  const root = createLog(readings).root();
  const statement = encodeHead(domain("head", place), { epoch, size: readings.length, reading, root });
  const mac = `02${number.toString(16).padStart(10, "0")}`;
  const response = await fetch(new URL("/api/v1/installations", oracleUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ name, public_key: toHex(device.publicKey), boot_timestamp: bootedAt },
      shelly_payload: Buffer.from(JSON.stringify({ mac })).toString("base64"),
      head: { epoch, size: readings.length, reading: toHex(reading), root: toHex(root) },
      signature: toHex(sign(statement, privateKey)),
    }),
  });
  if (!response.ok) throw new Error(`the oracle refused the name of ${name}: ${await response.text()}`);
}
