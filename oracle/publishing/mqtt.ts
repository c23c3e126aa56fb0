/**
 * Tells an MQTT broker of the meters, as Home Assistant wants to be told: all that is told is retained, and that the oracle
 * is away is told by its last will. Nothing is queued for a broker that is away: when it is back it is told what is then.
 */
import { connect } from "mqtt";
import type { Logger } from "pino";
import { decodeReading, type Place } from "../../protocol/index.ts";
import type { Follower } from "../chain/follower.ts";
import type { Meter } from "../chain/view.ts";
import type { Events } from "../serving/events.ts";
import type { Installations } from "../serving/installations.ts";
import type { Store } from "../store/store.ts";
import { discoveryOf, type ShownMeter, topicsOf } from "./home-assistant.ts";

/** ms between attempts to connect */
const RECONNECT_EVERY = 5000;
/** ms between looks at what no event tells of: a meter that is new, frozen, or has another key */
const LOOK_EVERY = 30_000;
/** ms that a broker has to hear that the oracle ends */
const FAREWELL = 1000;

export type MqttOptions = {
  /** mqtt://, mqtts://, ws:// or wss://, with name and password if they are needed */
  url: string;
  oracle: {
    follower: Pick<Follower, "meters" | "meterOf" | "marksOf">;
    store: Pick<Store, "logs">;
    installations: Pick<Installations, "get">;
    events: Pick<Events, "subscribe">;
  };
  place: Place;
  logger: Pick<Logger, "info" | "warn">;
  reconnectEvery?: number;
  lookEvery?: number;
};

/** Returns how to end it. */
export function tellByMqtt({ url, oracle, place, logger, ...every }: MqttOptions): () => Promise<void> {
  const { follower, store, installations, events } = oracle;
  const topics = topicsOf(place);
  /** what the broker was told last, by topic */
  const told = new Map<string, string>();
  /** tokens, in mWh, by meter; forgotten when something settles */
  const minted = new Map<string, bigint>();

  const client = connect(url, {
    reconnectPeriod: every.reconnectEvery ?? RECONNECT_EVERY,
    queueQoSZero: false,
    will: { topic: topics.status, payload: Buffer.from("offline"), qos: 1, retain: true },
  });
  client.on("connect", () => {
    isAway = false;
    logger.info("the MQTT broker is connected");
    // a broker that was started anew knows nothing
    told.clear();
    tell(topics.status, "online");
    lookAtAll();
  });
  let isAway = false;
  const away = (reason: string) => {
    if (!isAway && !client.disconnecting) logger.warn({ reason }, "the MQTT broker is away; trying again");
    isAway = true;
  };
  // the message of an error may have the URL in it
  client.on("error", (error) => away("code" in error ? String(error.code) : error.name));
  client.on("close", () => away("the connection was closed"));

  function tell(topic: string, text: string): void {
    if (!client.connected || told.get(topic) === text) return;
    told.set(topic, text);
    client.publish(topic, text, { qos: 1, retain: true }, (error) => {
      if (error) told.delete(topic);
    });
  }

  async function tellOf(keys: readonly Meter[]): Promise<void> {
    // the last of its keys to be registered is the one that it has
    const newest = keys.find(({ successor }) => successor === undefined) ?? (keys.at(-1) as Meter);
    const name = (await installations.get(newest.keyId))?.name ?? `Meter ${newest.meter.slice(0, 10)}`;
    tell(topics.discoveryOf(newest.meter), JSON.stringify(discoveryOf(topics, newest.meter, name)));
    tell(topics.stateOf(newest.meter), JSON.stringify(await shown(newest, keys)));
  }

  async function shown(newest: Meter, keys: readonly Meter[]): Promise<ShownMeter> {
    const mWh = minted.get(newest.meter) ?? (await mintedUnder(keys));
    minted.set(newest.meter, mWh);
    const last = (await store.logs.of(newest.keyId)).at(-1)?.last;
    const reading = last && decodeReading(last);
    return {
      ...(reading?.ok && {
        power: Number(reading.value.power) / 1000,
        energy: Number(reading.value.energy) / 1_000_000,
        read_at: new Date(reading.value.timestamp * 1000).toISOString(),
      }),
      minted: Number(mWh) / 1_000_000,
      state: newest.status,
    };
  }

  async function mintedUnder(keys: readonly Meter[]): Promise<bigint> {
    let sum = 0n;
    for (const { keyId, logs } of keys) {
      for (const epoch of Object.keys(logs)) {
        for (const { produced } of await follower.marksOf(keyId, Number(epoch))) sum += BigInt(produced);
      }
    }
    return sum;
  }

  /** One look after the other, so that nothing older is told after something newer. */
  let looking: Promise<void> = Promise.resolve();
  const inTurn = (look: () => Promise<void>) => {
    looking = looking.then(look).catch((error: Error) => logger.warn({ reason: error.message }, "MQTT was not told"));
  };
  const keysOf = (meter: string) => follower.meters().filter((key) => key.meter === meter);

  function lookAtAll(): void {
    inTurn(async () => {
      for (const meter of new Set(follower.meters().map((key) => key.meter))) await tellOf(keysOf(meter));
    });
  }

  const stop = events.subscribe(({ kind, data }) => {
    const meter = follower.meterOf(String(data["key_id"]))?.meter;
    if (meter === undefined || (kind !== "reading" && kind !== "settlement")) return;
    if (kind === "settlement") minted.delete(meter);
    inTurn(() => tellOf(keysOf(meter)));
  });
  const timer = setInterval(lookAtAll, every.lookEvery ?? LOOK_EVERY);

  return async () => {
    stop();
    clearInterval(timer);
    await looking;
    if (client.connected) {
      const farewell = client.publishAsync(topics.status, "offline", { qos: 1, retain: true }).catch(() => {});
      await Promise.race([farewell, new Promise((resolve) => setTimeout(resolve, FAREWELL).unref())]);
    }
    await client.endAsync(true);
  };
}
