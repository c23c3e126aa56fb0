/** What strangers do to an oracle: floods, connections that say nothing, requests that never end, with a meter beside them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { type Node, until } from "../scene/node.ts";
import type { Known, Scene } from "../scene/scene.ts";

/** Where strangers are; a meter is at 127.0.0.1. */
const STRANGER = "127.0.0.2";
/** Connections of a flood. */
const FLOODING = 32;
/** Posts by which a meter's latency is told. */
const MEASURED = 300;

export type Latencies = { p50_ms: number; p99_ms: number; posts: number };

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Posts one reading after the other, all of which must be taken. */
export async function postAll(scene: Scene, node: Node, one: Known, most: number): Promise<Latencies> {
  const took: number[] = [];
  while (took.length < most) {
    const post = scene.nextPost(one, 1);
    assert.ok(post, "the meter has no more readings");
    const began = performance.now();
    assert.equal(await scene.post(node, one, post), 200);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return { p50_ms: quantile(took, 0.5), p99_ms: quantile(took, 0.99), posts: took.length };
}

/** Asks as fast as it is answered, over connections of its own, until it is ended: what the answers were. */
export function flood(node: Node, body: string, from = STRANGER) {
  const statuses = new Map<number, number>();
  const retryAfter = new Set<string>();
  let isOver = false;
  const { port } = new URL(node.url);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const ask = async () => {
    const sent = request({ port, host: "127.0.0.1", localAddress: from, method: "POST", path: "/readings", headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
    if (response.statusCode === 429) retryAfter.add(String(response.headers["retry-after"]));
  };
  const asking = Array.from({ length: FLOODING }, async () => {
    try {
      while (!isOver) await ask();
    } catch {
      // the oracle has ended, and the flood with it
    }
  });
  return {
    statuses,
    retryAfter,
    async end() {
      isOver = true;
      await Promise.all(asking);
    },
  };
}

/** Opens connections, says `first` on each, and nothing more. */
export async function openSilent(port: number, count: number, first = ""): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    sockets.push(socket);
    if (first !== "") socket.write(first);
    // as many as a listener's queue takes at once
    if (i % 100 === 99) await Promise.race([once(socket, "connect"), once(socket, "close")]);
  }
  await until(() => sockets.every(({ connecting }) => !connecting), "connections are not taken");
  return sockets;
}

/** Resolves with how many of them were closed, once all are. */
export async function untilClosed(sockets: readonly Socket[]): Promise<number> {
  for (const socket of sockets) socket.resume();
  const open = () => sockets.filter(({ closed }) => !closed).length;
  await until(
    () => open() === 0,
    () => `${open()} of ${sockets.length} connections stay open`,
  );
  return sockets.length;
}

/** How many connections can be silent at once: of what a process may have open, with room for all else. */
export function silentLimit(wanted: number): number {
  const { userLimits } = process.report.getReport() as { userLimits: { open_files: { soft: number | "unlimited" } } };
  const { soft } = userLimits.open_files;
  return soft === "unlimited" ? wanted : Math.min(wanted, soft - 500);
}

/** What a post in a meter's name by somebody else looks like. */
export const forgedPost = ({ keyId, device }: Known): string =>
  JSON.stringify({
    ...{ keyId, epoch: device.epoch, size: device.size, readings: [`0x${"00".repeat(32)}`] },
    signature: `0x${"01".repeat(64)}`,
  });

/** A meter posts alone, beside a flood of strangers, and beside connections that say nothing, until those are closed. */
export async function amongStrangers(scene: Scene, node: Node, silent: number) {
  const one = scene.known[0] as Known;
  await scene.live(60_000);
  await scene.seen(node);
  assert.equal(await scene.post(node, one, scene.nextPost(one, 1)), 200);
  await postAll(scene, node, one, MEASURED);
  const alone = await postAll(scene, node, one, MEASURED);
  const flooding = flood(node, forgedPost(one));
  await until(() => flooding.statuses.has(429), "the flood is never refused");
  const flooded = await postAll(scene, node, one, MEASURED);
  await flooding.end();
  const sockets = await openSilent(Number(new URL(node.url).port), silentLimit(silent));
  const besideSilent = await postAll(scene, node, one, MEASURED);
  const closed = await untilClosed(sockets);
  const refused = flooding.statuses.get(429) ?? 0;
  return { alone, flooded, besideSilent, refused, closed };
}
