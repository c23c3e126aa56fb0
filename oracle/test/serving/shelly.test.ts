import assert from "node:assert/strict";
import { macIn } from "../../serving/shelly.ts";

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

describe("a Shelly's payload", () => {
  it("has no MAC where it is no base64, no JSON, or says none", () => {
    const wrong = [
      "",
      "a",
      "{}",
      Buffer.from("{").toString("base64"),
      base64(null),
      base64([]),
      base64("mac"),
      base64({}),
    ];
    const macs = [{ mac: 1 }, { mac: "EC64C9C05E9" }, { mac: "EC64C9C05E9G" }, { sys: null }, { sys: { mac: null } }];
    for (const payload of [...wrong, ...macs.map(base64)]) assert.equal(macIn(payload), undefined, payload);
    assert.equal(macIn(base64({ mac: "EC64C9C05E97", padding: "a".repeat(20_000) })), undefined);
  });

  it("has it at the top of a Gen1's answer and in sys of a Gen2's", () => {
    assert.equal(macIn(base64({ time: "16:25", mac: "EC64C9C05E97", emeters: [] })), "EC64C9C05E97");
    assert.equal(macIn(base64({ "em1:0": {}, sys: { mac: "08F9E0E67204" } })), "08F9E0E67204");
    assert.equal(macIn(base64({ mac: "ec:64:c9:c0:5e:97" })), "EC64C9C05E97");
  });
});
