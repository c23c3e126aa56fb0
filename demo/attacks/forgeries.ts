/** Ways to forge a reading, each tried for real at the oracle, over HTTP. */
import type { Post } from "../../meter/device.ts";
import {
  createLog,
  decodeReading,
  domain,
  encodeHead,
  encodeReading,
  fromHex,
  generatePrivateKey,
  type Head,
  keyIdOf,
  ORDER,
  publicKeyOf,
  type Reading,
  sign,
  toHex,
} from "../../protocol/index.ts";
import type { Roof } from "../roof.ts";
import type { World } from "../world.ts";

export type Attempt = {
  /** who said no */
  by: "oracle" | "contract";
  /** the rule that refused it; undefined = it was accepted */
  rule: string | undefined;
  message: string;
};

export type Forgery = { title: string; attempt: (world: World, roof: Roof) => Promise<Attempt> };

/** What the next honest post could be: one reading more than the oracle has, signed by the device's own key or another. */
function nextPost({ place }: World, roof: Roof, forge: Forge): Post {
  const { device } = roof;
  const readings = device.readings.slice(0, device.acknowledged);
  const last = decodeReading(readings.at(-1) as Uint8Array);
  if (!last.ok) throw new Error("the device's own reading cannot be read");
  const honest: Reading = { ...last.value, timestamp: last.value.timestamp + device.interval };
  const reading = encodeReading({ ...honest, ...forge.reading?.(honest) });
  const log = createLog([...readings, reading]);
  const head: Head = { epoch: device.epoch, size: log.size, reading, root: log.root() };
  const headDomain = domain("head", forge.place ?? place);
  const signature = sign(encodeHead(headDomain, head), forge.privateKey ?? roof.privateKey);
  const shown = forge.shown?.(honest) ?? honest;
  return {
    keyId: toHex(forge.publicKey ? keyIdOf(forge.publicKey) : device.keyId),
    epoch: device.epoch,
    size: log.size,
    readings: [toHex(forge.shown ? encodeReading(shown) : reading)],
    signature: toHex(forge.signature?.(signature) ?? signature),
  };
}

type Forge = {
  /** what the signed reading says instead */
  reading?: (honest: Reading) => Partial<Reading>;
  /** what is shown in place of the signed reading */
  shown?: (honest: Reading) => Reading;
  privateKey?: Uint8Array;
  publicKey?: Uint8Array;
  place?: World["place"];
  signature?: (signature: Uint8Array) => Uint8Array;
};

async function postTo({ oracle }: World, post: Post): Promise<Attempt> {
  const response = await fetch(new URL("/readings", oracle.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(post),
  });
  const body = (await response.json()) as { rule?: string; detail?: string };
  return { by: "oracle", rule: body.rule, message: body.detail ?? "accepted" };
}

const atOracle = (title: string, forge: Forge | (() => Forge)): Forgery => ({
  title,
  attempt: (world, roof) => postTo(world, nextPost(world, roof, typeof forge === "function" ? forge() : forge)),
});

export const FORGERIES: Forgery[] = [
  atOracle("one mWh more than was signed", {
    shown: (honest) => ({ ...honest, energy: honest.energy + 1n }),
  }),
  atOracle("a reading signed by another key", () => ({ privateKey: generatePrivateKey() })),
  atOracle("a meter that nobody registered", () => {
    const privateKey = generatePrivateKey();
    return { privateKey, publicKey: publicKeyOf(privateKey) };
  }),
  atOracle("the other form of a signature (a high s)", {
    signature: (signature) => {
      const s = ORDER - BigInt(toHex(signature.subarray(32)));
      return Uint8Array.of(...signature.subarray(0, 32), ...fromHex(s.toString(16).padStart(64, "0")));
    },
  }),
  atOracle("a signature for another chain", () => ({ place: { chainId: 1, registry: `0x${"00".repeat(20)}` } })),
  atOracle("a moment that has a reading already, signed by the device", {
    reading: ({ timestamp }) => ({ timestamp: timestamp - 10 }),
  }),
  atOracle("a register turned back, signed by the device", {
    reading: ({ energy }) => ({ energy: energy - 1n }),
  }),
  atOracle("more than the roof can produce, signed by the device", {
    reading: ({ energy }) => ({ energy: energy + 1_000_000_000n }),
  }),
  atOracle("consumption instead of production, signed by the device", { reading: () => ({ source: 0 }) }),
  atOracle("a reading of tomorrow, signed by the device", {
    reading: ({ timestamp }) => ({ timestamp: timestamp + 86_400 }),
  }),
  {
    title: "another reading in the place of one that was signed",
    attempt: (world, roof) => {
      const { device } = roof;
      const index = Math.floor(device.acknowledged / 2);
      const other = Uint8Array.from(device.readings[index] as Uint8Array);
      other[31] = (other[31] as number) ^ 0x02;
      const post = nextPost(world, roof, {});
      const rest = device.readings.slice(index + 1, device.acknowledged).map(toHex);
      return postTo(world, { ...post, readings: [toHex(other), ...rest, ...post.readings] });
    },
  },
  {
    title: "a log with a reading left out",
    attempt: (world, roof) => {
      const post = nextPost(world, roof, {});
      return postTo(world, { ...post, size: post.size + 1 });
    },
  },
];
