/**
 * GET /api/v1/stream: server-sent events. Who was away says what it saw last (Last-Event-ID) and goes on from there, or is
 * told that something is missing. Nobody is waited for: who reads slower than things happen is dropped, and may come back.
 */
import { Readable } from "node:stream";
import Type from "typebox";
import { refusal } from "../../accepting/refusal.ts";
import type { OracleEvent } from "../../serving/events.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import { refusals } from "../schemas.ts";

export type StreamLimits = {
  /** streams at once */
  streams: number;
  /** bytes that wait for a reader at most */
  behind: number;
};
/** The ring of a thousand events fits a reader's buffer with room. */
export const DEFAULT_STREAM_LIMITS: StreamLimits = { streams: 500, behind: 1_000_000 };

/** ms between words that keep the connection open where nothing happens */
const HEARTBEAT = 15_000;
/** ms after which a reader that was dropped comes back */
const RETRY = 3000;

const answer = {
  description:
    "Events: reading, settlement, attestation, equivocation, refusal; missed, where some that came after the last are gone",
  content: { "text/event-stream": { schema: Type.String() } },
};

const lineOf = ({ id, kind, data }: OracleEvent): string =>
  `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;

export function streamRoutes(app: App, { oracle: { events }, streamLimits }: Face): void {
  const open = new Set<Readable>();
  app.addHook("preClose", async () => {
    for (const stream of open) stream.push(null);
  });

  app.get(
    "/api/v1/stream",
    {
      schema: {
        summary: "What happens, as it happens (server-sent events)",
        tags: ["node"],
        headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ maxLength: 64 })) }),
        response: refusals({ 200: answer }, 400, 503),
      },
    },
    async (request, reply) => {
      if (open.size >= streamLimits.streams) {
        reply.header("retry-after", RETRY / 1000);
        return refuse(reply, refusal("too many streams", "too many listen already"));
      }
      const stream = listen(request.headers["last-event-id"]);
      return (
        reply
          .type("text/event-stream")
          .header("cache-control", "no-store")
          .header("x-accel-buffering", "no")
          // a stream that ends when the oracle closes shall not hold it up with an idle connection
          .header("connection", "close")
          .send(stream as never)
      );
    },
  );

  function listen(lastId: string | undefined): Readable {
    const stream = new Readable({ read() {}, highWaterMark: 1 });
    const tell = (text: string) => {
      if (stream.readableLength + text.length > streamLimits.behind) stream.destroy(new Error("reads too slowly"));
      else stream.push(text);
    };
    const { events: missed, complete } = events.since(lastId);
    tell(`retry: ${RETRY}\n\n`);
    if (!complete) tell("event: missed\ndata: {}\n\n");
    for (const event of missed) tell(lineOf(event));
    const stop = events.subscribe((event) => tell(lineOf(event)));
    const heartbeat = setInterval(() => tell(":\n\n"), HEARTBEAT).unref();
    open.add(stream);
    stream.once("close", () => {
      stop();
      clearInterval(heartbeat);
      open.delete(stream);
    });
    return stream;
  }
}
