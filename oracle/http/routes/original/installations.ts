/** Devices announce themselves, and are listed with what the chain says of them. */

import Type from "typebox";
import { fromHex } from "../../../../protocol/index.ts";
import { refusal } from "../../../accepting/refusal.ts";
import type { Installation } from "../../../serving/installations.ts";
import { bytesIn, publicKeyIn } from "../../../serving/original.ts";
import { askerOf } from "../../addresses.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import * as original from "./schemas.ts";

const tags = ["installations"];

export function installationRoutes(app: App, { oracle, chain, wattWitness }: Face): void {
  const { installations, follower } = oracle;

  app.post(
    "/installations",
    {
      schema: {
        summary: "A device announces itself, or its new name and boot, by a signed head that was not posted yet",
        tags,
        body: original.AnnounceBody,
        response: answers(original.InstallationBody, 400, 413, 415, 422, 503),
      },
    },
    async (request, reply) => {
      const { name, public_key, shelly_payload, boot_timestamp, head, signature } = request.body;
      const [publicKey, signed] = [publicKeyIn(public_key), bytesIn(signature, 64)];
      if (!publicKey || !signed) {
        return refuse(reply, refusal("malformed", "public_key and signature are 64 bytes, hexadecimal or base64"));
      }
      const announcement = {
        ...{ name, publicKey, shellyPayload: shelly_payload, bootTimestamp: boot_timestamp, signature: signed },
        head: { ...head, reading: fromHex(head.reading), root: fromHex(head.root) },
      };
      const answer = await installations.announce(announcement, askerOf(request.ip));
      return answer.ok ? told(answer.value) : refuse(reply, answer.refusal);
    },
  );

  app.get(
    "/installations",
    {
      schema: {
        summary: "Every installation that was announced, in the order of announcing",
        tags,
        response: answers(Type.Array(original.InstallationBody)),
      },
    },
    async () => Promise.all((await installations.list()).map(told)),
  );

  app.get(
    "/installations/:installation_id",
    {
      schema: {
        summary: "One of them, by its number or its key id",
        tags,
        params: original.InstallationParams,
        response: answers(original.InstallationBody, 400, 404),
      },
    },
    async (request, reply) => {
      const installation = await installations.get(request.params.installation_id);
      if (installation) return told(installation);
      return refuse(reply, refusal("unknown installation", "no installation of this number or key announced itself"));
    },
  );

  async function told({ id, keyId, publicKey, name, shellyMac, bootTimestamp, createdAt }: Installation) {
    const meter = follower.meterOf(keyId);
    const [first] = Object.keys(meter?.logs ?? {}).map(Number);
    // the baseline is settled by the transaction that registers or rotates
    const [mark] = first === undefined ? [] : await follower.marksOf(keyId, first);
    return {
      ...{ id, name, shelly_mac: shellyMac, public_key: publicKey, key_id: keyId },
      last_boot_timestamp: bootTimestamp ?? null,
      created_at: new Date(createdAt * 1000).toISOString(),
      is_active: meter?.status === "active",
      status: meter?.status ?? ("pending" as const),
      ...{ meter_id: meter?.meter ?? null, owner: meter?.owner ?? null, capacity: meter?.capacity ?? null },
      ...{ chain_id: chain.chainId, registry: chain.registry, watt_witness: wattWitness ?? null },
      registration_tx_hash: mark?.transaction ?? null,
    };
  }
}
