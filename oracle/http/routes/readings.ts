/** Where meters post what they signed. */
import type { App, Face } from "../app.ts";
import { limitOfPosts } from "../limits.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function readingRoutes(app: App, { oracle, limits, meters }: Face): void {
  app.post(
    "/readings",
    {
      config: limitOfPosts(limits, meters, keyIdIn),
      schema: {
        summary: "Post a meter's readings under one signed head",
        tags: ["meters"],
        body: schemas.PostBody,
        response: schemas.answers(schemas.PostAnswer, 400, 404, 409, 410, 413, 415, 422, 425),
      },
    },
    async (request, reply) => {
      const { keyId, epoch } = request.body;
      const before = (await oracle.store.logs.get(keyId, epoch))?.size ?? 0;
      const answer = await oracle.accept(request.body);
      if (!answer.ok) {
        request.log.info({ keyId: request.body.keyId, ...answer.refusal.body }, "post refused");
        return refuse(reply, answer.refusal);
      }
      // what is known already is answered without a look at its signature
      if (answer.value.size > before) meters.add(keyId, request.ip);
      return answer.value;
    },
  );
}

function keyIdIn(body: unknown): string | undefined {
  const keyId = typeof body === "object" && body !== null && "keyId" in body ? body.keyId : undefined;
  return typeof keyId === "string" ? keyId.toLowerCase() : undefined;
}
