/**
 * Meters as Home Assistant finds them by itself: its MQTT discovery, one message for a device and all of its sensors, and
 * one of what they show.
 */
import type { Place } from "../../protocol/index.ts";

/** What Home Assistant listens to unless it was told otherwise. */
const DISCOVERY = "homeassistant";

/** Topics of one registry's meters; `meter` is the first key's id. */
export type Topics = { status: string; stateOf(meter: string): string; discoveryOf(meter: string): string };

export function topicsOf({ chainId, registry }: Place): Topics {
  const base = `wattwitness/${chainId}/${registry.toLowerCase()}`;
  return {
    status: `${base}/status`,
    stateOf: (meter) => `${base}/${meter}`,
    discoveryOf: (meter) => `${DISCOVERY}/device/wattwitness_${meter}/config`,
  };
}

/** What a meter's sensors show. What was never read is not there. */
export type ShownMeter = {
  /** W */
  power?: number;
  /** kWh, the register of the device */
  energy?: number;
  /** tokens, 1 a kWh, minted under all of its keys */
  minted: number;
  /** of its newest key, in the registry's words */
  state: string;
  /** of the last reading, ISO 8601 */
  read_at?: string;
};

/** That there is such a device. `name` is what its owner calls it. */
export function discoveryOf(topics: Topics, meter: string, name: string): object {
  const sensor = (id: keyof ShownMeter, shown: string, more: object) => ({
    [id]: {
      platform: "sensor",
      name: shown,
      unique_id: `wattwitness_${meter}_${id}`,
      value_template: `{{ value_json.${id} | default(none) }}`,
      ...more,
    },
  });
  return {
    device: { identifiers: [`wattwitness_${meter}`], name, manufacturer: "WattWitness", serial_number: meter },
    origin: { name: "WattWitness" },
    availability_topic: topics.status,
    state_topic: topics.stateOf(meter),
    components: {
      ...sensor("power", "Power", { device_class: "power", state_class: "measurement", unit_of_measurement: "W" }),
      ...sensor("energy", "Energy", {
        ...{ device_class: "energy", state_class: "total_increasing", unit_of_measurement: "kWh" },
      }),
      // a reorganisation can take some back
      ...sensor("minted", "Tokens minted", { state_class: "total", unit_of_measurement: "tokens" }),
      ...sensor("state", "State", { entity_category: "diagnostic" }),
      ...sensor("read_at", "Last reading", { device_class: "timestamp", entity_category: "diagnostic" }),
    },
  };
}
