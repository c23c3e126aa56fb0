/** Where meters post what they signed. */
import type { FastifyRequest } from "fastify";
import type { Post } from "../../accepting/readings.ts";
import type { App, Face } from "../app.ts";
import { limitOfPosts } from "../limits.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function readingRoutes(app: App, face: Face): void {
  app.post(
    "/readings",
    {
      // a meter is no browser, and its answer no page: what is told to those takes a tenth of the time of a post
      helmet: false,
      config: limitOfPosts(face.limits, face.meters, keyIdIn),
      schema: {
        summary: "Post a meter's readings under one signed head",
        tags: ["meters"],
        body: schemas.PostBody,
        response: schemas.answers(schemas.PostAnswer, 400, 404, 409, 410, 413, 415, 422, 425),
      },
    },
    async (request, reply) => {
      const answer = await takePost(face, request, request.body);
      return answer.ok ? answer.value : refuse(reply, answer.refusal);
    },
  );
}

/** Takes a post, from whichever route, and remembers where the meter is that made it. */
export async function takePost({ oracle, meters }: Face, request: FastifyRequest, post: Post) {
  const { keyId, epoch } = post;
  const before = (await oracle.store.logs.get(keyId, epoch))?.size ?? 0;
  const answer = await oracle.accept(post);
  if (!answer.ok) request.log.info({ keyId, ...answer.refusal.body }, "post refused");
  // what is known already is answered without a look at its signature
  else if (answer.value.size > before) meters.add(keyId, request.ip);
  return answer;
}

function keyIdIn(body: unknown): string | undefined {
  const keyId = typeof body === "object" && body !== null && "keyId" in body ? body.keyId : undefined;
  return typeof keyId === "string" ? keyId.toLowerCase() : undefined;
}
