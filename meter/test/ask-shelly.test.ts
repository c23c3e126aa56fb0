import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createShellyReader, measurementIn } from "../ask-shelly.ts";
import { startShelly } from "../shelly.ts";

const EXPORT = 0x10;
const ALL = 0x0f;

/** What Shellys have answered, as the firmware's fuzzers begin with; a byte of source stands before each. */
async function recorded(name: string): Promise<string> {
  const file = new URL(`../../firmware/fuzz/corpus/shelly/${name}`, import.meta.url);
  return (await readFile(file, "utf8")).slice(1);
}

const measured = async (name: string, source: number) => {
  const asked = measurementIn(JSON.parse(await recorded(name)), source);
  assert.ok(asked.ok);
  return asked.measurement;
};

describe("what a Shelly answers", () => {
  const refuses = (answer: unknown, why: RegExp, source = 0) => {
    const asked = measurementIn(answer, source);
    assert.ok(!asked.ok);
    assert.match(asked.problem, why);
  };
  const em1 = (live: object, counted: object, more: object = { sys: { mac: "08F9E0E67204" } }) => ({
    ...{ "em1:0": { act_power: 1, ...live }, "em1data:0": { total_act_energy: 1, ...counted }, ...more },
  });

  it("is no measurement where it is no meter's answer", () => {
    for (const answer of [undefined, null, 12, "text"]) refuses(answer, /does not answer as a Shelly/);
    for (const answer of [[], {}, { emeters: 12 }, { meters: 12 }, { "pm1:0": null }])
      refuses(answer, /tells of no channel/);
  });

  it("is no measurement of a channel that there is not", async () => {
    refuses(JSON.parse(await recorded("em")), /has no channel 2/, 2);
    refuses(JSON.parse(await recorded("pro-em")), /has no channel 2/, 2);
  });

  it("is no measurement without power, register or MAC address, or with what is none", () => {
    refuses(em1({ act_power: null }, {}), /does not tell what its channel measures/);
    refuses(em1({ act_power: "1" }, {}), /does not tell what its channel measures/);
    refuses(em1({}, { total_act_energy: null }), /does not tell what its channel measures/);
    refuses(em1({}, { total_act_energy: -1 }), /does not tell what its channel measures/);
    refuses(em1({}, {}, {}), /does not tell its MAC address/);
    refuses(em1({}, {}, { sys: { mac: "EC:64" } }), /does not tell its MAC address/);
  });

  it("is no measurement beyond what any installation makes", () => {
    refuses(em1({ act_power: 1e30 }, {}), /no installation makes/);
    refuses(em1({ act_power: -(2 ** 50) }, {}), /no installation makes/);
    refuses(em1({}, { total_act_energy: 2 ** 50 / 1000 }), /no installation makes/);
  });

  it("is no sum where a phase does not tell its register", async () => {
    const answer = JSON.parse(await recorded("pro-3em-all"));
    delete answer["emdata:0"].b_total_act_energy;
    refuses(answer, /does not tell what its channel measures/, ALL);
  });

  const plug = (fields: object) => ({ "switch:0": { apower: 1, ...fields }, sys: { mac: "08F9E0E67204" } });

  it("is no export of what does not tell directions apart, and nothing of a switch that does not measure", async () => {
    for (const name of ["plug-gen1", "plus-1pm"]) {
      refuses(JSON.parse(await recorded(name)), /does not tell what its channel measures/, EXPORT);
    }
    refuses({ "switch:0": { output: true }, sys: { mac: "08F9E0E67204" } }, /does not tell what its channel measures/);
    refuses(plug({ aenergy: { by_minute: [1] } }), /does not tell what its channel measures/);
    refuses(plug({ aenergy: { total: 1 }, ret_aenergy: { total: 2 } }), /does not tell what its channel measures/);
  });

  it("is no sum of switches of which one does not tell the directions apart", () => {
    const answer = { ...plug({ aenergy: { total: 2 }, ret_aenergy: { total: 1 } }), "switch:1": { apower: 1 } };
    refuses(answer, /does not tell what its channel measures/, ALL);
    const other = { ...answer, "switch:1": { apower: 1, aenergy: { total: 1 } } };
    refuses(other, /not all its channels tell the same/, ALL);
  });

  it("is read exactly, of a plug of the first generation, in Watt-minutes", async () => {
    assert.deepEqual(await measured("plug-gen1", 0), {
      ...{ power: 455_850n, register: 2_430_450n, voltage: undefined, current: undefined },
      ...{ valid: true, meter: "A8032AB1C2D3 meter 1" },
    });
    assert.equal((await measured("plug-gen1-two-all", ALL)).register, 10_983n);
  });

  it("is read exactly, of PM models, each direction for itself", async () => {
    const exported = await measured("pm-mini", EXPORT);
    assert.deepEqual([exported.power, exported.register, exported.current], [63_100n, 128_950n, 477]);
    const imported = await measured("pm-mini", 0);
    assert.deepEqual([imported.power, imported.register], [-63_100n, 201_523n]);
    assert.deepEqual((await measured("plus-1pm", 0)).register, 687_882_498n);
    assert.equal((await measured("pro-2pm-all", ALL | EXPORT)).register, 1_400_250n);
  });

  it("tells a register of both directions from one of one", async () => {
    const kinds = ["pm-mini", "1pm-mini", "plus-1pm"].map(
      async (name) => (await measured(name, 0)).meter?.split(" ")[1],
    );
    assert.deepEqual(await Promise.all(kinds), ["pm1-separated", "switch-separated", "switch"]);
  });

  it("is of the clamps where there is a relay, too", async () => {
    assert.equal((await measured("em-gen3", EXPORT)).register, 2_000n);
  });

  it("is read exactly, of an EM", async () => {
    assert.deepEqual(await measured("em", 0), {
      ...{ power: 20_640n, register: 4_311_237_300n, voltage: 231_020, current: undefined },
      ...{ valid: true, meter: "EC64C9C05E97 gen1 1" },
    });
    const exported = await measured("em", EXPORT);
    assert.deepEqual([exported.power, exported.register], [-20_640n, 7_102_900n]);
  });

  it("is read exactly, of a Pro EM", async () => {
    assert.deepEqual(await measured("pro-em", 1), {
      ...{ power: 5_080_300n, register: 6_644_900n, voltage: 224_600, current: 22_780 },
      ...{ valid: true, meter: "08F9E0E67204 em1 1" },
    });
    assert.equal((await measured("pro-em", ALL)).register, 16_410n + 6_644_900n);
  });

  it("is read of a 3EM's phase, and is the sum of all, with the mean of their voltages", async () => {
    assert.equal((await measured("3em", 2)).power, 1_160n);
    const all = await measured("3em", ALL | EXPORT);
    assert.deepEqual([all.power, all.register, all.voltage], [2_190_000n, 424_865_400n, 229_823]);
    const pro = await measured("pro-3em-all", ALL | EXPORT);
    assert.deepEqual([pro.power, pro.register, pro.current], [2_617_700n, 119_878_250n, 11_086]);
  });

  it("says that it is invalid, of all phases if of one, and blames no other phase", async () => {
    const old = await recorded("em-old-firmware-invalid");
    const valid = (source: number, answer: unknown = JSON.parse(old)) => {
      const asked = measurementIn(answer, source);
      assert.ok(asked.ok);
      return asked.measurement.valid;
    };
    assert.deepEqual([valid(0), valid(1), valid(ALL)], [true, false, false]);
    assert.equal(valid(0, em1({ errors: ["power_meter_failure"] }, {})), false);
    assert.equal(valid(0, em1({}, { errors: ["database_error"] })), false);
    assert.equal(valid(0, em1({ errors: ["phase_sequence"] }, { errors: [] })), true);
  });

  it("is cut off beyond a thousandth, toward zero", () => {
    const asked = measurementIn(em1({ act_power: -1.2349 }, { total_act_energy: 0.0009 }), 0);
    assert.ok(asked.ok);
    assert.deepEqual([asked.measurement.power, asked.measurement.register], [-1_234n, 0n]);
  });
});

describe("a Shelly that is asked", () => {
  const started: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of started.splice(0)) await end();
  });

  for (const model of ["em", "pro-em", "plug", "plug-s", "pm-mini"] as const) {
    it(`is found out to be what it is: ${model}`, async () => {
      const shelly = await startShelly({ powerAt: () => 3_600_000n, start: 1_773_964_800, model });
      started.push(shelly.stop);
      shelly.advance(shelly.now + 60);
      const asked = await createShellyReader(shelly.url, model === "plug" ? 0 : EXPORT)();
      assert.ok(asked.ok);
      const { power, register, meter } = asked.measurement;
      assert.deepEqual([power, register], [3_600_000n, 60_000n]);
      assert.match(meter ?? "", new RegExp(`^${shelly.mac} `));
    });
  }

  async function answering(status: () => number, body: () => string): Promise<string> {
    const server: Server = createServer((_, response) => response.writeHead(status()).end(body()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    started.push(() => server.close());
    started.push(() => server.closeAllConnections());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  it("tells why there is no measurement", async () => {
    const ask = async (status: number, body = "") => {
      const asked = await createShellyReader(
        await answering(
          () => status,
          () => body,
        ),
        0,
      )();
      return asked.ok ? "" : asked.problem;
    };
    assert.match(await ask(404), /does not answer as a Shelly energy meter/);
    assert.match(await ask(200, "<html>"), /does not answer as a Shelly energy meter/);
    assert.match(await ask(302), /does not answer/);
    assert.match(await ask(401), /asks for a password/);
    assert.match(await ask(503), /HTTP 503/);
  });

  it("is not believed where a channel is missing that was there before: the sum of the others is no register", async () => {
    const whole = await recorded("3em");
    const { emeters, ...rest } = JSON.parse(whole);
    let body = whole;
    const url = await answering(
      () => 200,
      () => body,
    );
    const ask = createShellyReader(url, ALL);
    const first = await ask();
    assert.ok(first.ok);
    body = JSON.stringify({ ...rest, emeters: emeters.slice(0, 2) });
    for (const reader of [ask, createShellyReader(url, ALL, first.measurement.meter)]) {
      const asked = await reader();
      assert.ok(!asked.ok);
      assert.match(asked.problem, /a channel is missing/);
    }
  });
});
