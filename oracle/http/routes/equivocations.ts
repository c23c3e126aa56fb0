/** Devices that told two stories of one log, with what the contract takes for proof of it. */
import { encodeEquivocation } from "../../../contracts/equivocation.ts";
import type { KeptEquivocation } from "../../accepting/equivocations.ts";
import { refusal } from "../../accepting/refusal.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

const tags = ["logs"];

export function equivocationRoutes(app: App, { oracle: { equivocations, follower }, wattWitness }: Face): void {
  const told = ({ keyId, epoch, seenAt }: KeptEquivocation) => ({
    ...{ keyId, epoch, seenAt, status: follower.meterOf(keyId)?.status ?? ("none" as const) },
  });

  app.get(
    "/equivocations",
    {
      schema: {
        summary: "Logs of which a device told two stories",
        tags,
        response: schemas.answers(schemas.EquivocationsAnswer),
      },
    },
    async () => ({ equivocations: (await equivocations.list()).map(told) }),
  );

  app.get(
    "/equivocations/:keyId/:epoch",
    {
      schema: {
        summary: "Both heads and what proves that they contradict, as proveEquivocation takes it",
        tags,
        params: schemas.LogParams,
        response: schemas.answers(schemas.EquivocationAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const kept = await equivocations.get(request.params.keyId, request.params.epoch);
      if (!kept) return refuse(reply, refusal("unknown equivocation", "no two stories of this log are known here"));
      const { equivocation } = kept;
      const data = encodeEquivocation(equivocation);
      const call = { data, ...(wattWitness !== undefined && { to: wattWitness }) };
      return { ...told(kept), equivocation, call };
    },
  );
}
