/** Applications for registration, which wait for the registrar. */
import { askerOf } from "../addresses.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function registrationRoutes(app: App, { oracle: { registrations } }: Face): void {
  app.post(
    "/registrations",
    {
      schema: {
        summary: "Apply to have a meter registered",
        tags: ["registrations"],
        body: schemas.RegistrationBody,
        response: schemas.answers(schemas.ApplicationBody, 400, 409, 413, 415, 422, 425, 503),
      },
    },
    async (request, reply) => {
      const answer = await registrations.apply(request.body, askerOf(request.ip));
      return answer.ok ? answer.value : refuse(reply, answer.refusal);
    },
  );

  app.get(
    "/registrations",
    {
      schema: {
        summary: "Applications that wait for the registrar, and those the chain knows by now",
        tags: ["registrations"],
        response: schemas.answers(schemas.ApplicationsAnswer),
      },
    },
    async () => ({ registrations: await registrations.list() }),
  );
}
