/**
 * Every route is asked many times with what it does not expect, and with much that it does. Each answer must be one that the
 * route declares, in the shape that it declares, and none may be a failure of the oracle's own.
 */
import assert from "node:assert/strict";
import { toHex } from "../../../protocol/index.ts";
import { newWorld, removeDirectories, START, type World } from "../support.ts";

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
};
type Operation = {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
  responses: Record<string, { content?: Record<string, unknown> }>;
};

/** Requests of each route; all of one run are made from its seed. */
const REQUESTS = 300;

/** Numbers from 0 to 1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("every route of the oracle", () => {
  let world: World;
  let keyId: string;
  before(async () => {
    world = await newWorld({ confirmations: 1 });
    const meter = await world.newMeter();
    await world.live(meter, START + 4000);
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    keyId = toHex(meter.device.keyId);
  });
  after(async () => {
    await world.app.close();
    await removeDirectories();
  });

  function generator(seed: number) {
    const random = randomOf(seed);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const hex = (bytes: number) => `0x${Array.from({ length: bytes }, () => pick(["00", "ff", "7a", "80"])).join("")}`;
    const texts = () => [
      ...[keyId, keyId.toUpperCase().replace("X", "x"), keyId.slice(0, -1), hex(32), hex(64), hex(31), `${keyId}00`],
      ...[
        "",
        " ",
        "0",
        "1",
        "-1",
        "01",
        "1.5",
        "1e3",
        "+1",
        "0x",
        "256",
        "399",
        "400",
        "9007199254740992",
        "1".repeat(90),
      ],
      ...[
        "true",
        "null",
        "NaN",
        "Infinity",
        "undefined",
        "__proto__",
        "constructor",
        "toString",
        "..",
        "../..",
        "%2e%2e",
      ],
      ...["ü", "\u0000", "\uffff", "😀", "٣", "\u202e", "'; drop table logs; --", "{{7*7}}", "a".repeat(99)],
      ...["Europe/Berlin", "Pacific/Apia", "day", "year", "2026-03-20", "2026-13-45T99:99:99Z", "checkpoint", "key"],
    ];
    const numbers = () => [0, 1, -1, 1.5, 255, 256, 2 ** 31, 2 ** 40, 2 ** 53, -0, 1e308, START, START + 4000];

    function anything(depth = 0): unknown {
      const kinds: (() => unknown)[] = [() => pick(texts()), () => pick(numbers()), () => pick([true, false, null])];
      if (depth < 3) {
        kinds.push(
          () => Array.from({ length: Math.floor(random() * 4) }, () => anything(depth + 1)),
          () =>
            JSON.parse(
              `{"${pick(["a", "__proto__", "constructor", "length", "then"])}":${JSON.stringify(anything(depth + 1))}}`,
            ),
        );
      }
      return pick(kinds)();
    }

    /** What a schema describes, more or less. */
    function like(schema: Schema, depth = 0): unknown {
      if (random() < 0.08) return anything(depth);
      if (schema.anyOf) return like(pick(schema.anyOf), depth);
      if (schema.enum) return pick(schema.enum);
      if (schema.type === "object") {
        const properties = Object.entries(schema.properties ?? {}).filter(() => random() < 0.95);
        const made = properties.map(([name, property]) => [name, like(property, depth + 1)]);
        if (random() < 0.05) made.push([pick(["more", "__proto__", "hasOwnProperty"]), anything(depth)]);
        return Object.fromEntries(made);
      }
      if (schema.type === "array")
        return Array.from({ length: Math.floor(random() * 3) }, () => like(schema.items ?? {}, depth + 1));
      if (schema.type === "integer" || schema.type === "number") return pick(numbers());
      return pick(texts());
    }
    return { random, pick, texts, like };
  }

  type Asked = { method: "GET" | "POST"; url: string; payload?: string; headers?: Record<string, string> };

  function requestOf(method: string, path: string, operation: Operation, seed: number): Asked {
    const { random, pick, texts, like } = generator(seed);
    const text = (schema: Schema) => {
      const value = like(schema);
      return encodeURIComponent(
        (typeof value === "string" || typeof value === "number" ? String(value) : pick(texts())).toWellFormed(),
      );
    };
    const parameters = operation.parameters ?? [];
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const parameter = parameters.find((other) => other.in === "path" && other.name === name);
      const known = name === "keyId" || name === "id" ? 0.5 : 0;
      return random() < known ? pick([keyId, "1"]) : text(parameter?.schema ?? {});
    });
    const query = parameters
      .filter((parameter) => parameter.in === "query" && random() < 0.6)
      .map(({ name, schema }) => `${name}=${text(schema)}`);
    const url = [filled, ...(query.length > 0 ? [query.join("&")] : [])].join("?");
    if (method === "get") return { method: "GET", url };
    const schema = operation.requestBody?.content["application/json"].schema ?? {};
    const body = JSON.stringify(like(schema));
    const payload = random() < 0.05 ? body.slice(0, -1) : body;
    return { method: "POST", url, payload, headers: { "content-type": "application/json" } };
  }

  /** Of one that goes on for ever only the beginning would be told. */
  const isEndless = (path: string) => path === "/api/v1/stream";

  it("answers as it declares, whatever it is asked", async function () {
    this.timeout(120_000);
    await world.app.ready();
    const { paths } = world.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
    let asked = 0;
    const answered = new Map<number, number>();
    for (const [path, operations] of Object.entries(paths)) {
      if (isEndless(path)) continue;
      for (const [method, operation] of Object.entries(operations)) {
        for (let i = 0; i < REQUESTS; i++) {
          const request = requestOf(method, path, operation, 1000 * asked + i);
          const shown = `${JSON.stringify(request).slice(0, 2000)} of ${path}`;
          const response = await world.app.inject({ ...request, remoteAddress: `10.0.${i % 250}.${asked % 250}` });
          const { statusCode: status } = response;
          answered.set(status, (answered.get(status) ?? 0) + 1);
          assert.ok(status < 500 || status === 503, `${status} ${response.body} to ${shown}`);
          // a path of another shape is another route's, or nobody's
          const isOther = status === 404 && response.json().rule === "unknown route";
          if (!isOther)
            assert.ok(String(status) in operation.responses || status === 304, `${status} is not declared: ${shown}`);
          if (status >= 400) {
            assert.match(String(response.headers["content-type"]), /^application\/problem\+json/, shown);
            assert.ok(response.json().rule && response.json().detail, shown);
          }
        }
        asked += 1;
      }
    }
    // it is asked what it knows, too
    assert.ok((answered.get(200) ?? 0) > 100 && (answered.get(404) ?? 0) > 100, JSON.stringify([...answered]));
  });
});
