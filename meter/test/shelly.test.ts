import assert from "node:assert/strict";
import fc from "fast-check";
import type { PowerAt } from "../meter.ts";
import { type Model, type Shelly, startShelly, thousandthsOf } from "../shelly.ts";

const START = 1_773_964_800;

/** What a Shelly says of its first channel, the numbers as they stand in the text. */
type Seen = { power: string; total: string; returned: string; valid: boolean; mac: string };

async function textOf({ url }: Shelly, path: string): Promise<string> {
  const response = await fetch(url + path);
  assert.equal(response.status, 200);
  return response.text();
}

const match = (text: string, pattern: RegExp): string => text.match(pattern)?.[1] ?? assert.fail(`${pattern} ${text}`);

/** Of the second generation: what is live, what counted production and what consumption, by the names of their fields. */
const look2 =
  (component: string, power: string, counted: RegExp, consumed: RegExp) =>
  async (shelly: Shelly): Promise<Seen> => {
    const text = await textOf(shelly, "/rpc/Shelly.GetStatus");
    const status = JSON.parse(text);
    return {
      power: match(text, new RegExp(`"${power}":(-?[\\d.]+)`)),
      total: match(text, consumed),
      returned: match(text, counted),
      valid: status[component].errors === undefined,
      mac: status.sys.mac,
    };
  };

const LOOK: Record<Model, { generation: 1 | 2; look: (shelly: Shelly) => Promise<Seen> }> = {
  em: {
    generation: 1,
    async look(shelly) {
      const text = await textOf(shelly, "/status");
      const { mac, emeters } = JSON.parse(text);
      assert.equal(emeters.length, 2);
      return {
        power: match(text, /"power":(-?[\d.]+)/),
        total: match(text, /"total":(-?[\d.]+)/),
        returned: match(text, /"total_returned":(-?[\d.]+)/),
        valid: emeters[0].is_valid,
        mac,
      };
    },
  },
  "pro-em": {
    generation: 2,
    look: look2("em1:0", "act_power", /"total_act_ret_energy":(-?[\d.]+)/, /"total_act_energy":(-?[\d.]+)/),
  },
  plug: {
    generation: 1,
    /** It knows one direction, and Watt-minutes: shown as if it knew two, and Wh. */
    async look(shelly) {
      const text = await textOf(shelly, "/status");
      const { mac, meters } = JSON.parse(text);
      assert.equal(meters.length, 1);
      assert.ok(Number.isInteger(meters[0].total));
      const milliwattHours = BigInt(meters[0].total * 1000) / 60n;
      return {
        power: `-${match(text, /"power":([\d.]+)/)}`,
        ...{ total: "0.0", returned: thousandthsOf(milliwattHours), valid: meters[0].is_valid, mac },
      };
    },
  },
  "plug-s": {
    generation: 2,
    look: look2("switch:0", "apower", /"ret_aenergy":{"total":(-?[\d.]+)/, /"aenergy":{"total":(-?[\d.]+)/),
  },
  "pm-mini": {
    generation: 2,
    look: look2("pm1:0", "apower", /"ret_aenergy":{"total":(-?[\d.]+)/, /"aenergy":{"total":(-?[\d.]+)/),
  },
};

/** What shows as consumed while all flows back: PM models count in their first counter what flows either way. */
const CONSUMED: Record<Model, string> = {
  ...{ em: "0.0", "pro-em": "0.0", plug: "0.0", "plug-s": "3600.123", "pm-mini": "3600.123" },
};
/** What each shows of 3,600.123 Wh: a Watt-minute is 16.7 mWh. */
const COUNTED: Record<Model, string> = {
  ...{ em: "3600.123", "pro-em": "3600.123", plug: "3600.116", "plug-s": "3600.123", "pm-mini": "3600.123" },
};

for (const [model, { generation, look }] of Object.entries(LOOK) as [Model, (typeof LOOK)[Model]][]) {
  describe(`a Shelly, model ${model}`, () => {
    const started: Shelly[] = [];
    const start = async (powerAt: PowerAt, options: { step?: number } = {}) => {
      const shelly = await startShelly({ powerAt, start: START, model, ...options });
      started.push(shelly);
      return shelly;
    };
    afterEach(async () => {
      for (const shelly of started.splice(0)) await shelly.stop();
    });

    it("does not know the path of the other generation", async () => {
      const { url } = await start(() => 0n);
      const response = await fetch(url + (generation === 1 ? "/rpc/Shelly.GetStatus" : "/status"));
      assert.equal(response.status, 404);
    });

    it("hangs up while it is silent, and while its power is not known", async () => {
      let power: bigint | undefined = 1n;
      const shelly = await start(() => power);
      shelly.setSilent(true);
      await assert.rejects(fetch(`${shelly.url}/shelly`));
      shelly.setSilent(false);
      power = undefined;
      await assert.rejects(look(shelly));
      power = 1n;
      assert.equal((await look(shelly)).power, "-0.001");
    });

    it("tells its generation", async () => {
      const identity = JSON.parse(await textOf(await start(() => 0n), "/shelly"));
      assert.equal(identity.gen >= 2, generation === 2);
      assert.equal(typeof identity.type, generation === 1 ? "string" : "undefined");
    });

    it("counts production into the export register, as exactly as it tells it", async () => {
      const shelly = await start(() => 3_600_123n);
      shelly.advance(START + 3600);
      assert.deepEqual(await look(shelly), {
        ...{ power: "-3600.123", total: CONSUMED[model], returned: COUNTED[model] },
        ...{ valid: true, mac: shelly.mac },
      });
      assert.equal(shelly.now, START + 3600);
      assert.equal(shelly.asked, 1);
    });

    it("counts the same in whatever steps time goes on by", async () => {
      const powerAt: PowerAt = (time) => BigInt(time % 1009) * 1000n;
      const [once, often] = [await start(powerAt), await start(powerAt)];
      once.advance(START + 3600);
      for (let time = START; time < START + 3600; time += 7) often.advance(time);
      often.advance(START + 3600);
      assert.equal(once.register.energy, often.register.energy);
      assert.ok(once.register.energy > 0n);
    });

    it("can be reset, swapped, and become invalid", async () => {
      const shelly = await start(() => 1_000_000n);
      const { mac } = shelly;
      shelly.advance(START + 3600);
      shelly.reset();
      assert.equal((await look(shelly)).returned, "0.0");
      shelly.advance(START + 7200);
      shelly.swap();
      const swapped = await look(shelly);
      assert.notEqual(swapped.mac, mac);
      assert.match(swapped.mac, /^[0-9A-F]{12}$/);
      assert.equal(swapped.returned, "0.0");
      shelly.setValid(false);
      assert.equal((await look(shelly)).valid, false);
      shelly.setValid(true);
      assert.equal((await look(shelly)).valid, true);
    });
  });
}

describe("thousandths of a unit", () => {
  it("are written exactly, with at most three decimals and at least one", () => {
    assert.equal(thousandthsOf(4_311_237_300n), "4311237.3");
    assert.equal(thousandthsOf(-1n), "-0.001");
    assert.equal(thousandthsOf(0n), "0.0");
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (value) => {
        const [, sign, whole = "", fraction = ""] = thousandthsOf(value).match(/^(-?)(\d+)\.(\d{1,3})$/) ?? [];
        const size = BigInt(whole) * 1000n + BigInt(fraction.padEnd(3, "0"));
        assert.equal(sign ? -size : size, value);
      }),
    );
  });
});
