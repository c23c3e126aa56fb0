import assert from "node:assert/strict";
import fc from "fast-check";
import type { PowerAt } from "../meter.ts";
import { type Generation, type Shelly, startShelly, thousandthsOf } from "../shelly.ts";

const START = 1_773_964_800;

/** What a Shelly says of its first channel, the numbers as they stand in the text. */
type Seen = { power: string; total: string; returned: string; valid: boolean; mac: string };

async function textOf({ url }: Shelly, path: string): Promise<string> {
  const response = await fetch(url + path);
  assert.equal(response.status, 200);
  return response.text();
}

const match = (text: string, pattern: RegExp): string => text.match(pattern)?.[1] ?? assert.fail(`${pattern} ${text}`);

const LOOK: Record<Generation, (shelly: Shelly) => Promise<Seen>> = {
  async 1(shelly) {
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
  async 2(shelly) {
    const text = await textOf(shelly, "/rpc/Shelly.GetStatus");
    const status = JSON.parse(text);
    assert.equal(status["em1data:1"].total_act_ret_energy, 0);
    return {
      power: match(text, /"act_power":(-?[\d.]+)/),
      total: match(text, /"total_act_energy":(-?[\d.]+)/),
      returned: match(text, /"total_act_ret_energy":(-?[\d.]+)/),
      valid: status["em1:0"].errors === undefined,
      mac: status.sys.mac,
    };
  },
};

for (const generation of [1, 2] as const) {
  describe(`a Shelly of generation ${generation}`, () => {
    const look = LOOK[generation];
    const started: Shelly[] = [];
    const start = async (powerAt: PowerAt, options: { step?: number } = {}) => {
      const shelly = await startShelly({ powerAt, start: START, generation, ...options });
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
      assert.equal(identity.gen, generation === 1 ? undefined : 2);
      assert.equal(identity.type, generation === 1 ? "SHEM" : undefined);
    });

    it("counts production into the export register, to the mWh", async () => {
      const shelly = await start(() => 3_600_123n);
      shelly.advance(START + 3600);
      assert.deepEqual(await look(shelly), {
        ...{ power: "-3600.123", total: "0.0", returned: "3600.123" },
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
