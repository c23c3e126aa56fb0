import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkReadings, generatePrivateKey } from "../../protocol/index.ts";
import { createDevice } from "../device.ts";
import { createMeter, type PowerAt } from "../meter.ts";
import { parseReplay, type Replay, readReplay } from "../replay.ts";

/** Two real days, beside a working copy where they are at hand. */
const REAL_DAYS = fileURLToPath(new URL("../../../shared/data/pv/nrel-serf-east-2022-03-18-1min.csv", import.meta.url));

/** Recordings as people have them: the formats are those of their makers, the figures are made up. */
const RECORDINGS = fileURLToPath(new URL("recordings/", import.meta.url));

/** Each recording's rows, first moment, end (UTC), energy in mWh, and what is said of it. */
const READ: Record<string, [rows: number, start: string, end: string, energy: bigint, ...remarks: string[]]> = {
  "carriage-returns.csv": [2, "2024-06-10 05:30", "2024-06-10 05:32", 30_000n, 'read: power in W, "power"'],
  "clocks-put-back.csv": [4, "2024-10-27 00:30", "2024-10-27 01:30", 60_000n, 'read: power in W, "power"'],
  "comments.csv": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in W, "power"'],
  "date-and-time-columns.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:30",
    850_000n,
    'read: power in W, "PV power (W)"',
    "its times name no zone: taken as UTC",
  ],
  "day-first.csv": [
    4,
    "2024-06-12 23:30",
    "2024-06-13 00:30",
    850_000n,
    'read: power in W, "Power (W)"',
    "its times name no zone: taken as UTC",
  ],
  "energy-and-power.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:15",
    1_300_000n,
    'read: energy in kWh, "energy total (kWh)"',
  ],
  "energy-of-each-hour.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 09:30",
    5_750_001n,
    'read: energy in kWh, "production per hour (kWh)"',
  ],
  "energy-untold.csv": [5, "2024-06-10 05:30", "2024-06-10 10:30", 5_850_000n, 'read: energy in Wh, "energy_wh"'],
  "excel-quotes.csv": [4, "2024-06-10 05:30", "2024-06-10 06:30", 3_552_875n, 'read: power in W, "power (W)"'],
  "excel-sep.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:30",
    3_552_937n,
    'read: power in W, "Leistung (W)"',
    "its times name no zone: taken as UTC",
  ],
  "excel-unicode-text.txt": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:30",
    1_552_750n,
    'read: power in kW, "Leistung (kW)"',
    "its times name no zone: taken as UTC",
  ],
  "gap.csv": [
    5,
    "2024-06-10 05:30",
    "2024-06-10 08:34",
    150_000n,
    'read: power in W, "power"',
    "left out: 1 gap, 2 h 59 min in all, 5.370 kWh had the power before held",
  ],
  "header-in-comment.dat": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in kW, "power_kW"'],
  "home-assistant-energy.csv": [
    6,
    "2024-06-10 05:30",
    "2024-06-10 08:00",
    1_600_000n,
    'read: energy in kWh, "sensor.roof_total_kwh"',
  ],
  "home-assistant-two-entities.csv": [
    3,
    "2024-06-10 05:30",
    "2024-06-10 05:33:01",
    120_000n,
    'read: power in kW, "sensor.pv_power_kw"',
  ],
  "home-assistant.csv": [
    9,
    "2024-06-10 05:30",
    "2024-06-10 12:01",
    105_613n,
    'read: power in W, "sensor.solar_power"',
    "left out: 1 gap, 1 h 13 min in all, 0.292 kWh had the power before held",
  ],
  "hourly.csv": [2, "2024-06-10 05:30", "2024-06-10 07:30", 8_000_000n, 'read: power in W, "power (W)"'],
  "influx-nanoseconds.csv": [3, "2024-06-10 06:13", "2024-06-10 06:16", 100_000n, 'read: power in W, "_value_power"'],
  "iso-milliseconds.csv": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in W, "power"'],
  "iso-with-offset.csv": [3, "2024-06-10 12:30", "2024-06-10 12:33", 10_208n, 'read: power in W, "ac_power__752"'],
  "kilowatts.csv": [4, "2024-06-10 05:30", "2024-06-10 06:30", 1_552_750n, 'read: power in kW, "power [kW]"'],
  "local-time.csv": [
    3,
    "2024-06-10 05:30",
    "2024-06-10 06:15",
    750_000n,
    'read: power in W, "power"',
    "its times name no zone: taken as UTC",
  ],
  "megawatts.csv": [4, "2024-06-10 05:30", "2024-06-10 06:30", 1_625_000n, 'read: power in MW, "P_MW"'],
  "month-first.csv": [
    4,
    "2024-06-13 11:30",
    "2024-06-13 12:30",
    850_000n,
    'read: power in W, "Power (W)"',
    "its times name no zone: taken as UTC",
  ],
  "newest-first.csv": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in W, "power"'],
  "night.csv": [8, "2024-12-21 00:00", "2024-12-21 02:00", 0n, 'read: power in W, "power"'],
  "offset-without-colon.csv": [3, "2024-06-10 03:30", "2024-06-10 03:33", 60_000n, 'read: power in W, "power"'],
  "pandas-index.csv": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in W, "power"'],
  "pipe.csv": [3, "2024-06-10 05:30", "2024-06-10 06:15", 750_100n, 'read: power in W, "power"'],
  "pvgis.csv": [10, "2020-06-10 00:10", "2020-06-10 10:10", 1_201_750n, 'read: power in W, "P"'],
  "pvoutput-batch.csv": [
    5,
    "2024-06-13 05:30",
    "2024-06-13 05:50",
    148_000n,
    'read: energy in Wh, "energy of the day (Wh)"',
    "its times name no zone: taken as UTC",
  ],
  "pvoutput-history.txt": [
    5,
    "2024-06-13 05:30",
    "2024-06-13 05:50",
    148_000n,
    'read: energy in Wh, "energy of the day (Wh)"',
    "its times name no zone: taken as UTC",
  ],
  "pvoutput-table.csv": [
    5,
    "2024-06-10 11:45",
    "2024-06-10 12:05",
    200_000n,
    'read: energy in kWh, "Energy of the day"',
    "its times name no zone: taken as UTC",
  ],
  "quarter-hours.csv": [96, "2024-06-10 00:00", "2024-06-11 00:00", 35_650_000n, 'read: power in W, "power"'],
  "register-of-the-day.csv": [
    15,
    "2024-06-10 17:00",
    "2024-06-11 07:00",
    4_000_000n,
    'read: energy in kWh, "energy today (kWh)"',
  ],
  "register-of-two-days-untold.csv": [
    78,
    "2024-06-10 05:30",
    "2024-06-13 10:30",
    12_125_000n,
    'read: energy in kWh, "Energy (kWh)"',
    "its register began anew once: counted on from there",
  ],
  "register-over-a-gap.csv": [5, "2024-06-10 05:30", "2024-06-10 08:55", 3_100_000n, 'read: energy in Wh, "total_wh"'],
  "register-reset.csv": [
    8,
    "2024-06-10 05:30",
    "2024-06-10 06:05",
    600_000n,
    'read: energy in Wh, "total_wh"',
    "its register began anew once: counted on from there",
  ],
  "register-with-a-channel-missing.csv": [
    6,
    "2024-06-10 05:30",
    "2024-06-10 05:30:50",
    3_000n,
    'read: energy in Wh, "total Wh"',
    "its register was lower for a while once: nothing counted of that",
  ],
  "register-with-a-dip.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 05:30:30",
    2_780n,
    'read: energy in Wh, "total_act_ret_energy_Wh"',
    "its register was lower for a while once: nothing counted of that",
  ],
  "register.csv": [4, "2024-06-10 05:30", "2024-06-10 05:33", 43_250n, 'read: energy in Wh, "total (Wh)"'],
  "semicolon-decimal-comma.csv": [3, "2024-06-10 05:30", "2024-06-10 06:15", 750_100n, 'read: power in W, "power"'],
  "shelly-em-clamp-turned.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:10",
    543_630n,
    'read: energy in Wh, "Active energy Wh (1)"',
  ],
  "shelly-em.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:10",
    543_630n,
    'read: energy in Wh, "Returned energy Wh (1)"',
  ],
  "shelly-pro-3em.csv": [
    2,
    "2024-06-10 06:13",
    "2024-06-10 06:15",
    123_500n,
    'read: energy in Wh, "a_total_act_ret_energy + b_total_act_ret…"',
  ],
  "shelly-pro-em.csv": [
    4,
    "2024-06-10 06:13",
    "2024-06-10 06:17",
    66_123n,
    'read: energy in Wh, "total_act_ret_energy"',
  ],
  "sma.csv": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 05:45",
    151_000n,
    'read: energy in kWh, "SN: 2100123456 SB 4000TL-21 2100123456 T…"',
    "its times name no zone: taken as UTC",
  ],
  "tab.tsv": [3, "2024-06-10 05:30", "2024-06-10 06:15", 750_100n, 'read: power in W, "power"'],
  "title-and-totals.csv": [2, "2024-06-10 05:30", "2024-06-10 05:32", 30_000n, 'read: power in W, "power"'],
  "trailing-separators.csv": [3, "2024-06-10 05:30", "2024-06-10 05:33", 60_000n, 'read: power in W, "power"'],
  "two-kinds-of-step.csv": [50, "2024-06-10 05:30", "2024-06-10 11:00", 5_500_000n, 'read: power in W, "power"'],
  "unix-milliseconds.csv": [3, "2024-06-10 06:13", "2024-06-10 06:16", 100_000n, 'read: power in W, "power_w"'],
  "unix-seconds-with-fraction.csv": [
    3,
    "2024-06-10 06:13",
    "2024-06-10 06:16:01",
    100_000n,
    'read: power in W, "power"',
  ],
  "unix-seconds.csv": [4, "2024-06-10 06:13", "2024-06-10 06:17", 100_008n, 'read: power in W, "power"'],
  "until-midnight.csv": [
    3,
    "2024-06-10 23:30",
    "2024-06-11 00:15",
    350_000n,
    'read: power in W, "power"',
    "its times name no zone: taken as UTC",
  ],
  "utf-16-big-endian.txt": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:30",
    1_552_750n,
    'read: power in kW, "Leistung (kW)"',
    "its times name no zone: taken as UTC",
  ],
  "utf-16-without-mark.txt": [
    4,
    "2024-06-10 05:30",
    "2024-06-10 06:30",
    1_552_750n,
    'read: power in kW, "Leistung (kW)"',
    "its times name no zone: taken as UTC",
  ],
  "values-missing.csv": [
    7,
    "2024-06-10 05:30",
    "2024-06-10 05:37",
    120_000n,
    'read: power in W, "power"',
    "left out: 2 gaps, 3 min in all, 0.080 kWh had the power before held",
  ],
  "windows-1252.csv": [3, "2024-06-10 05:30", "2024-06-10 06:15", 750_100n, 'read: power in W, "Erzeugung in W"'],
};

/** What follows the name of each recording that is refused. */
const REFUSED: Record<string, string> = {
  "pvgis-without-power.csv": ": has no column that is called a power or an energy: call one power (W)",
  "refused-13th-month.csv": ':2: "2022-13-18 04:33:00Z" is no timestamp: there is no such day',
  "refused-1965.csv": ':2: "1965-06-10T05:30:00Z" is before 1970, where the time of readings begins',
  "refused-2200.csv": ':3: "2200-06-10T05:31:00Z" is after February 2106, where the time of readings ends',
  "refused-25-o-clock.csv": ':3: "2024-06-10 25:30:00Z" is no timestamp: there is no such time',
  "refused-30-february.csv": ':3: "2024-02-30T05:30:00Z" is no timestamp: there is no such day',
  "refused-all-unavailable.csv": ": has no entity with numbers for states",
  "refused-binary.csv": ": is no text: save it as CSV (UTF-8)",
  "refused-clocks-put-back.csv":
    ":5: 2024-10-27 02:00 is not later than the row before (clocks put back? save it in UTC or with the zone)",
  "refused-compressed.csv.gz": ": is compressed (gzip): unpack it first",
  "refused-consumption.csv": ': has only what was consumed, "House consumption (W)": call what was produced power (W)',
  "refused-date-20240610.csv": ":2: 20240610 may be a date or Unix seconds: write it like 2024-06-10T05:30:00Z",
  "refused-date-alone.csv": ':2: "2024-06-10" has no time of day: write it like 2024-06-10T05:30:00Z',
  "refused-day-and-month-first.csv": ": has dates with the day first and with the month first",
  "refused-day-or-month.csv":
    ':2: "10/06/2024 05:30" may have the day or the month first: write it like 2024-06-10 05:30',
  "refused-decimal-commas-between-commas.csv":
    ":2: expected timestamp,power but found 3 columns: where numbers have a comma, separate the columns by semicolons",
  "refused-empty.csv": ": has no rows",
  "refused-energy-of-what.csv":
    ': "energy_wh" may be of each row or a register: call it "energy per row" or "energy total"',
  "refused-energy-without-unit.csv": ': "energy" is an energy without a unit: call it energy_kWh or _Wh',
  "refused-excel-date.csv":
    ':2: "45453.2291666667" is no Unix time (a date of Excel\'s, perhaps): write it like 2024-06-10T05:30:00Z',
  "refused-first-row-no-number.csv": ':2: "many" is no power in W',
  "refused-first-row-no-time.csv": ':2: "yesterday" is no timestamp (Unix seconds, or like 2024-06-10T05:30:00Z)',
  "refused-header-only.csv": ": has no rows",
  "refused-hour-2024061005.csv":
    ":2: 2024061005 may be a date with its hour or Unix seconds: write it like 2024-06-10T05:30:00Z",
  "refused-index.csv":
    ':2: "0" is no Unix time of the years 2000 to 2106 (an index, perhaps): write it like 2024-06-10T05:30:00Z',
  "refused-json.csv": ": is JSON, not a table: save it as CSV (UTF-8)",
  "refused-milli-or-mega.csv": ': "power_mw" may be in milli or in mega: write mW or MW',
  "refused-month-by-name.csv": ':2: "10 Jun 2024 05:30" is no timestamp (Unix seconds, or like 2024-06-10T05:30:00Z)',
  "refused-negative-unix.csv": ':1: "-143231400" is before 1970, where the time of readings begins',
  "refused-no-number.csv": ':3: "many" is no power in W',
  "refused-not-forward.csv": ":4: 2024-06-10T05:31:00Z is not later than the row before",
  "refused-one-row.csv": ":2: is the only row: how long its power held is not known",
  "refused-page.csv": ": is a web page or XML, not a table: save it as CSV (UTF-8)",
  "refused-quote-left-open.csv": ":3: a quote is not closed",
  "refused-shelly-of-the-house.csv":
    ": has 0.200 kWh in Returned energy Wh (1), 0.600 kWh in Active energy Wh (1): leave out what is not the roof's",
  "refused-spaces.txt":
    ':2: "2024-06-10T05:30:00Z 600" is no row of a timestamp and a number, separated by a comma, a semicolon or a tab, and none follows',
  "refused-thousands-or-decimals-quoted.csv":
    ':2: "4,200" may have a decimal sign or a thousands separator: save it without the latter',
  "refused-thousands-or-decimals.csv":
    ':3: "1.031" may have a decimal sign or a thousands separator: save it without the latter',
  "refused-time-alone.csv": ':2: "05:30" is a time of day without a date: write it like 2024-06-10T05:30:00Z',
  "refused-too-much.csv": ':3: "5e9" is more power than a meter can be registered with',
  "refused-two-roofs.csv": ': has several columns that may be meant, "Roof east (W)", "Roof west (W)": leave one',
  "refused-unit-in-one-cell.csv": ':3: "12kW" is no power in W',
  "refused-workbook.xlsx":
    ": is a ZIP archive or a workbook (.xlsx, .ods): unpack it, or open it in its program and save it as CSV (UTF-8)",
  "refused-zone-by-name.csv":
    ':2: "2024-06-10 05:30 CEST" is no timestamp: write it like 2024-06-10T05:30:00Z, the zone as Z or +02:00',
};

const problemOf = (text: string | Uint8Array): string => {
  const result = parseReplay(text, "day.csv");
  return result.ok ? "no problem" : result.problem;
};

function replayOf(text: string): Replay {
  const result = parseReplay(text, "day.csv");
  assert.ok(result.ok, result.ok ? "" : result.problem);
  return result.replay;
}

/** mWh that a device counts beside a meter that looks every `interval` s, from before a recording until after it. */
function countedOf({ start, end, peak }: Replay, powerAt: PowerAt, interval: number) {
  const device = createDevice({
    privateKey: generatePrivateKey(),
    epoch: 1,
    interval,
    source: 0,
    place: { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" },
    capacity: Number(peak / 1000n) + 1,
  });
  const first = start - (start % interval);
  const meter = createMeter({
    device,
    powerAt: (timestamp) => (timestamp < start ? (powerAt(timestamp) ?? 0n) : powerAt(timestamp)),
    start: first - interval,
  });
  meter.advance(end + interval);
  assert.ok(checkReadings(device.readings, Number(peak / 1000n) + 1).ok);
  return device;
}

const at = (moment: string): number => Date.parse(`${moment.replace(" ", "T")}Z`) / 1000;

describe("a replay", () => {
  it("names a file that cannot be read", async () => {
    assert.deepEqual(await readReplay("no/such/day.csv"), {
      ok: false,
      problem: "no/such/day.csv: there is no such file",
    });
    assert.deepEqual(await readReplay(RECORDINGS), {
      ok: false,
      problem: `${RECORDINGS}: is a folder, not a file`,
    });
  });

  it("is refused above 128 MiB, wherever it comes from", async function () {
    this.timeout(30_000);
    if (!existsSync("/dev/zero")) this.skip();
    const result = await readReplay("/dev/zero");
    assert.ok(!result.ok && /is larger than 128 MiB/.test(result.problem));
  });

  for (const [name, problem] of Object.entries(REFUSED)) {
    it(`refuses ${name} in one sentence`, async () => {
      const result = await readReplay(`${RECORDINGS}${name}`);
      assert.deepEqual(result, { ok: false, problem: `${RECORDINGS}${name}${problem}` });
    });
  }

  for (const [name, [rows, start, end, energy, ...remarks]] of Object.entries(READ)) {
    it(`reads ${name}, to the mWh`, async () => {
      const result = await readReplay(`${RECORDINGS}${name}`);
      assert.ok(result.ok, result.ok ? "" : result.problem);
      const { replay } = result;
      const { rows: found, energy: of, remarks: said } = replay;
      assert.deepEqual([found, of, said], [rows, energy, remarks]);
      assert.deepEqual([replay.start, replay.end], [at(start), at(end)]);
      assert.equal(countedOf(replay, replay.meanPower(10), 10).energy, energy);
    });
  }

  it("has a table of every recording", () => {
    const files = readdirSync(RECORDINGS).filter((name) => !name.startsWith("."));
    assert.deepEqual(files.sort(), [...Object.keys(READ), ...Object.keys(REFUSED)].sort());
    assert.ok(files.length >= 40);
  });

  for (const [what, text, problem] of [
    ["a quote left open", '1,2\n"3,4', /^day\.csv:2: a quote is not closed$/],
    ["a row with too many columns", "t,p\n1,2\n3,4,5", /^day\.csv:3: expected timestamp,power but found 3 columns$/],
    ["a row with too few columns", "t,p\n1,2\n3", /^day\.csv:3: expected timestamp,power but found 1 columns$/],
    ["a day that is none", "t,p\n2022-13-18 04:33:00Z,1", /^day\.csv:2: "2022-13-18 04:33:00Z" is no timestamp/],
    ["power left out throughout", "1647603180,\n1647603240,", /^day\.csv: has no number but its times$/],
    ["a moment that is only as long as a date", "19991231,1\n20000101,1", /^day\.csv:1: 19991231 may be a date/],
    ["a sign without a number", "1647603180,1\n1647603240,+", /^day\.csv:2: "\+" is no power in W$/],
    ["a leap day of no leap year", "2023-02-29 00:00Z,1\n2023-03-01 00:00Z,1", /^day\.csv:1: .*no such day$/],
    ["half past 13 in the afternoon", "2023-02-28 13:30PM,1", /^day\.csv:1: .*no such time$/],
    ["an offset that no place has", "2023-02-28 13:30+25:00,1", /^day\.csv:1: .*no such time$/],
  ] as const) {
    it(`names the line of ${what}`, () => {
      assert.match(problemOf(text), problem);
    });
  }

  it("never throws, and never says nothing, whatever bytes it is given", () => {
    const [seeds, pieces] = [
      3000,
      ["2024-06-10T05:30Z", "1718000000", "45", "1,5", ",", ";", "\t", "\n", '"', "kWh", "-", "#", "e9"],
    ];
    let random = 1;
    const next = (below: number) => {
      random = (random * 48_271) % 2_147_483_647;
      return random % below;
    };
    for (let i = 0; i < seeds; i += 1) {
      const text = Array.from({ length: next(30) }, () => pieces[next(pieces.length)]).join("");
      const result = parseReplay(text, "day.csv");
      assert.ok(result.ok || /^day\.csv(:\d+)?: [^\n]+$/.test(result.problem), JSON.stringify(text));
    }
  });

  it("reads both kinds of timestamp, with a header or without", () => {
    const seconds = replayOf("1647603180,-2.7098\n1647603240,12.5\n");
    const local = replayOf("measured_on,ac_power\n2022-03-18 04:33:00-07:00,-2.7098\n2022-03-18T11:34:00Z,12.5\n");
    for (const replay of [seconds, local]) {
      assert.equal(replay.start, 1_647_603_180);
      assert.equal(replay.rows, 2);
      assert.equal(replay.powerAt(1_647_603_180), -2710n);
      assert.equal(replay.powerAt(1_647_603_240), 12_500n);
    }
  });

  it("holds a row's power until the next, for one usual step before a gap and at the end", () => {
    const { powerAt, end } = replayOf("1700001000,1\n1700001060,2\n1700005000,3\n");
    assert.equal(powerAt(1_700_000_999), undefined);
    assert.equal(powerAt(1_700_001_059), 1000n);
    assert.equal(powerAt(1_700_001_060), 2000n);
    assert.equal(powerAt(1_700_001_119), 2000n);
    assert.equal(powerAt(1_700_001_120), undefined);
    assert.equal(powerAt(1_700_005_000), 3000n);
    assert.equal(end, 1_700_005_060);
    assert.equal(powerAt(end), 0n);
    assert.equal(powerAt(end + 1), undefined);
  });

  it("holds a row over a few that are missing", () => {
    const rows = [0, 1, 2, 3, 8, 9, 10, 16, 17].map((minute) => `${1_700_000_000 + 60 * minute},60`);
    const { energy, remarks } = replayOf(rows.join("\n"));
    assert.equal(energy, 13_000n);
    assert.deepEqual(remarks.slice(1), ["left out: 1 gap, 5 min in all, 0.005 kWh had the power before held"]);
  });

  it("says what the peak is of all its rows, not of some", () => {
    const { peak } = replayOf("1700000000,1\n1700000001,2500\n1700000002,1\n1700000003,1\n");
    assert.equal(peak, 2_500_000n);
  });

  it("says when production goes on", () => {
    const { nextProduction, end } = replayOf("1700000000,0\n1700000060,5\n1700000120,-5\n1700000180,5\n");
    assert.equal(nextProduction(0), 1_700_000_060);
    assert.equal(nextProduction(1_700_000_100), 1_700_000_100);
    assert.equal(nextProduction(1_700_000_120), 1_700_000_180);
    assert.equal(nextProduction(end), undefined);
  });

  it("counts the same to a meter that looks seldom", () => {
    const rows = Array.from({ length: 500 }, (_, i) => `${1_700_000_003 + 7 * i},${(i * i) % 4001}.${i % 10}`);
    const replay = replayOf(rows.join("\n"));
    for (const interval of [1, 10, 60, 900]) {
      assert.equal(countedOf(replay, replay.meanPower(interval), interval).energy, replay.energy);
    }
  });

  it("reads a year of minutes in seconds", function () {
    this.timeout(60_000);
    const rows = Array.from({ length: 525_600 }, (_, i) => `${1_700_000_000 + 60 * i},${i % 4000}`);
    const began = performance.now();
    const { rows: count, energy } = replayOf(rows.join("\n"));
    assert.ok(performance.now() - began < 30_000);
    assert.equal(count, 525_600);
    assert.equal(energy, (rows.reduce((sum, _, i) => sum + BigInt(i % 4000), 0n) * 1000n) / 60n);
  });

  it("makes of two real days the energy that was measured", async function () {
    if (!existsSync(REAL_DAYS)) {
      console.log(`      skipped: ${REAL_DAYS} is not here`);
      this.skip();
    }
    const result = await readReplay(REAL_DAYS);
    assert.ok(result.ok);
    const device = countedOf(result.replay, result.replay.powerAt, 60);
    assert.equal(device.energy, result.replay.energy);
    assert.ok(Math.abs(Number(device.energy) - 69_280_000) < 1000, `${device.energy} mWh`);
    assert.ok(
      device.readings.some((reading) => reading[12] === 0xff),
      "a night's power is negative",
    );
  });
});
