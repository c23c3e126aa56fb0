/** The original's way in. A reading is accepted for its device's signature, whatever else is claimed. */

import { keyIdOf, toHex } from "../../../../protocol/index.ts";
import type { Post } from "../../../accepting/readings.ts";
import { refusal } from "../../../accepting/refusal.ts";
import { postOf, publicKeyIn } from "../../../serving/original.ts";
import type { App, Face } from "../../app.ts";
import { limitOfPosts } from "../../limits.ts";
import { refuse } from "../../refusing.ts";
import { answers, ProblemBody, refusals } from "../../schemas.ts";
import { takePost } from "../readings.ts";
import * as original from "./schemas.ts";

const tags = ["readings"];

export function postingRoutes(app: App, face: Face): void {
  const { oracle, limits, meters, history } = face;
  const sourceOf = (keyId: string) => oracle.follower.meterOf(keyId)?.source;

  app.post(
    "/readings",
    {
      helmet: false,
      config: limitOfPosts(limits, meters, keyIdIn),
      schema: {
        summary: "Post readings under one signed head, or one reading in watts and watt-hours",
        tags,
        body: original.ReadingsBody,
        response: answers(original.AcceptedAnswer, 400, 404, 409, 410, 413, 415, 422, 425),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const post: Post | undefined = "readings" in body ? body : postOf(body, sourceOf);
      if (!post) return refuse(reply, refusal("malformed", "these values are no reading of a device"));
      const answer = await takePost(face, request, post);
      if (!answer.ok) return refuse(reply, answer.refusal);
      if ("readings" in body) return answer.value;
      const number = (await oracle.installations.get(post.keyId))?.id ?? null;
      const cursor = { epoch: post.epoch, index: post.size };
      const [row] = await history.newest(post.keyId, number, 1, { cursor });
      return { ...answer.value, ...row };
    },
  );

  app.post(
    "/readings/mark-on-chain",
    {
      schema: {
        summary: "Gone: the chain decides what is on it",
        tags,
        response: refusals(
          { 410: { description: "Gone", content: { "application/problem+json": { schema: ProblemBody } } } },
          400,
          413,
          415,
        ),
      },
    },
    async (_request, reply) =>
      refuse(
        reply,
        refusal("decided by the chain", "the oracle marks what the chain says is settled, and nobody else does", {
          see: "/api/v1/readings/{installation_id}, /api/v1/readings/pending, /meters/{key id}",
        }),
      ),
  );
}

function keyIdIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if ("keyId" in body) return typeof body.keyId === "string" ? body.keyId.toLowerCase() : undefined;
  const publicKey =
    "public_key" in body && typeof body.public_key === "string" ? publicKeyIn(body.public_key) : undefined;
  return publicKey && toHex(keyIdOf(publicKey));
}
