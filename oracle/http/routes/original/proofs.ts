/** One reading with everything that `verifyReading`, `verifySigned` and an auditor need. */
import { domain, toHex } from "../../../../protocol/index.ts";
import { refusal } from "../../../accepting/refusal.ts";
import { provenReading } from "../../../serving/proofs.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { installationOf } from "./asking.ts";
import * as original from "./schemas.ts";

export function proofRoutes(app: App, { oracle, chain, wattWitness }: Face): void {
  const headDomain = toHex(domain("head", chain));

  app.get(
    "/readings/:installation_id/:epoch/:index/proof",
    {
      schema: {
        summary: "One reading with its proofs, key and contracts",
        tags: ["readings"],
        params: original.ProofParams,
        response: answers(original.ProofAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const { installation_id, epoch, index } = request.params;
      const asked = await installationOf(oracle, installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const meter = oracle.follower.meterOf(asked.value.keyId);
      if (!meter) return refuse(reply, refusal("unknown meter", "the chain knows no meter with this key"));
      const proven = await provenReading(oracle, meter.keyId, epoch, index);
      if (!proven.ok) return refuse(reply, proven.refusal);
      const { chainId: chain_id, registry } = chain;
      return {
        ...proven.value,
        ...{ chain_id, registry, watt_witness: wattWitness ?? null, head_domain: headDomain },
        public_key: meter.publicKey,
      };
    },
  );
}
