/** Where meters post what they signed. */
import type { App, AppOptions } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function readingRoutes(app: App, { oracle }: AppOptions): void {
  app.post(
    "/readings",
    {
      schema: {
        summary: "Post a meter's readings under one signed head",
        tags: ["meters"],
        body: schemas.PostBody,
        response: schemas.answers(schemas.PostAnswer, 400, 404, 409, 410, 413, 415, 422, 425),
      },
    },
    async (request, reply) => {
      const answer = await oracle.accept(request.body);
      if (!answer.ok) {
        request.log.info({ keyId: request.body.keyId, ...answer.refusal.body }, "post refused");
        return refuse(reply, answer.refusal);
      }
      return answer.value;
    },
  );
}
