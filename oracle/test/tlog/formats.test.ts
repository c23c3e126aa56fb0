import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { checkpointOf, checkpointText, deviceKeyOf, oracleKeyOf, originOf, saidIn } from "../../tlog/checkpoint.ts";
import { ED25519, generateKeptKey, noteKeyFrom, signatureLine, signedNote, vkeyOf } from "../../tlog/note.ts";
import { tlogProof } from "../../tlog/proof.ts";
import { parseTilePath, type TileSpan, tilePath, tilesBetween } from "../../tlog/tiles.ts";

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const base64 = (value: Uint8Array): string => Buffer.from(value).toString("base64");
const KEY_ID = `0x${"ab".repeat(32)}`;
const ORIGIN = originOf({ chainId: 1, registry: `0x${"Cd".repeat(20)}` }, KEY_ID, 3);

describe("a signed note", () => {
  // the example of signed-note, "Verifier keys"
  const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  const SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
  const key = {
    name: "example.com/foo",
    type: ED25519,
    publicKey: Buffer.from(VKEY.split("+")[2] as string, "base64").subarray(1),
  };

  it("has no key whose name cannot be told from what follows it", () => {
    for (const name of ["", "a b", "a+b", "a\nb", "a\u00a0b"]) {
      assert.throws(() => vkeyOf({ ...key, name }), /cannot name a key/, JSON.stringify(name));
    }
  });

  it("has no text that does not end in a newline", () => {
    assert.throws(() => signedNote("text", []), /ends in a newline/);
  });

  it("is written as the specification's example", () => {
    assert.equal(vkeyOf(key), VKEY);
    const line = signatureLine(key, Buffer.from(SIGNATURE, "base64").subarray(4));
    assert.equal(line, `— example.com/foo ${SIGNATURE}\n`);
    assert.equal(
      signedNote("This is an example message.\n", [line]),
      `This is an example message.\n\n— example.com/foo ${SIGNATURE}\n`,
    );
  });

  it("is signed by the key that was kept", () => {
    const kept = JSON.parse(JSON.stringify(generateKeptKey()));
    const { publicKey, sign } = noteKeyFrom(kept);
    const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") };
    const verifier = createPublicKey({ key: jwk, format: "jwk" });
    assert.ok(verify(null, Buffer.from("text\n"), verifier, sign("text\n")));
    assert.ok(!verify(null, Buffer.from("texT\n"), verifier, sign("text\n")));
    assert.throws(() => noteKeyFrom({ jwk: { ...kept.jwk, crv: "P-256" } }));
  });
});

describe("a checkpoint", () => {
  const oracleKey = noteKeyFrom(generateKeptKey());
  const root = bytes(32, 7);
  const head = { size: 42, root, reading: bytes(32, 8), signature: bytes(64, 9) };
  const checkpoint = checkpointOf(ORIGIN, head, bytes(64, 5), oracleKey);

  it("is of a log that its origin names on chain, registry, key and epoch", () => {
    assert.equal(ORIGIN, `wattwitness/1/0x${"cd".repeat(20)}/${KEY_ID}/3`);
  });

  it("says size and root, signed by device and oracle under the origin's name", () => {
    const [origin, size, rootLine, empty, device = "", oracle = "", end] = checkpoint.split("\n");
    assert.deepEqual([origin, size, rootLine, empty, end], [ORIGIN, "42", base64(root), "", ""]);
    const signatureIn = (line: string) => Buffer.from(line.replace(`— ${ORIGIN} `, ""), "base64");
    const identifier = Buffer.concat([Uint8Array.of(0xff), Buffer.from("WattWitness/1 head"), bytes(64, 5)]);
    const keyId = createHash("sha256").update(`${ORIGIN}\n`).update(identifier).digest().subarray(0, 4);
    assert.deepEqual(signatureIn(device), Buffer.concat([keyId, head.reading, head.signature]));
    assert.equal(vkeyOf(deviceKeyOf(ORIGIN, bytes(64, 5))), `${ORIGIN}+${keyId.toString("hex")}+${base64(identifier)}`);
    assert.deepEqual(signatureIn(oracle).subarray(4), Buffer.from(oracleKey.sign(checkpointText(ORIGIN, 42, root))));
    assert.ok(vkeyOf(oracleKeyOf(ORIGIN, oracleKey)).includes(`+${signatureIn(oracle).toString("hex", 0, 4)}+`));
  });

  it("says nothing where it is another log's, or not written so", () => {
    assert.equal(saidIn(checkpoint, `${ORIGIN}0`), undefined);
    const changed = (from: string, to: string) => saidIn(checkpoint.replace(from, to), ORIGIN);
    assert.equal(changed("\n42\n", "\n042\n"), undefined);
    assert.equal(changed("\n42\n", "\n0\n"), undefined);
    assert.equal(changed("\n42\n", "\n4e1\n"), undefined);
    assert.equal(changed("BwcH", "Bwc"), undefined);
    assert.equal(changed("\n\n", "\nmore\n\n"), undefined);
    assert.equal(saidIn("", ORIGIN), undefined);
    assert.deepEqual(saidIn(checkpoint, ORIGIN), { size: 42, root });
  });
});

describe("a reading's proof as a file", () => {
  it("has reading, index and hashes before the checkpoint", () => {
    assert.equal(
      tlogProof(bytes(32, 1), 5, [bytes(32, 2), bytes(32, 3)], "checkpoint\n"),
      [
        "c2sp.org/tlog-proof@v1",
        `extra ${base64(bytes(32, 1))}`,
        "index 5",
        base64(bytes(32, 2)),
        base64(bytes(32, 3)),
        "",
        "checkpoint\n",
      ].join("\n"),
    );
  });

  it("has no hash where the log has one reading", () => {
    assert.match(tlogProof(bytes(32, 1), 0, [], "checkpoint\n"), /\nindex 0\n\ncheckpoint\n$/);
  });
});

describe("a tile's path", () => {
  it("is refused where it is not exactly as it is written", () => {
    const wrong: [string, string][] = [
      ["00", "000"],
      ["64", "000"],
      ["-1", "000"],
      ["entry", "000"],
      ["", "000"],
      ["0", ""],
      ["0", "0"],
      ["0", "0000"],
      ["0", "x000"],
      ["0", "x000/000"],
      ["0", "000/000"],
      ["0", "x001/x000"],
      ["0", "001/067"],
      ["0", "X001/067"],
      ["0", "x1/067"],
      ["0", "x009/x999/x999/999"], // beyond any log
      ["0", "000.p/0"],
      ["0", "000.p/01"],
      ["0", "000.p/256"],
      ["0", "000.p/300"],
      ["0", "000.p/"],
      ["0", "000.p"],
      ["0", "000.P/1"],
      ["0", "000/"],
      ["0", " 000"],
      ["0", "٠٠٠"],
    ];
    for (const [level, name] of wrong) assert.equal(parseTilePath(level, name), undefined, `${level}/${name}`);
  });

  it("is in groups of three digits", () => {
    assert.deepEqual(parseTilePath("1", "x001/x234/067"), { kind: 1, index: 1_234_067, width: 256 });
    assert.deepEqual(parseTilePath("entries", "000.p/255"), { kind: "entries", index: 0, width: 255 });
    assert.equal(tilePath({ kind: 63, index: 1000, width: 12 }), "tile/63/x001/000.p/12");
  });

  it("is read as it was written", () => {
    const kind = fc.oneof(fc.constant("entries" as const), fc.integer({ min: 0, max: 63 }));
    const span: fc.Arbitrary<TileSpan> = fc.record(
      {
        kind,
        index: fc.nat(2 ** 32 - 1),
        width: fc.integer({ min: 1, max: 256 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(span, (given) => {
        const [, level = "", ...name] = tilePath(given).split("/");
        assert.deepEqual(parseTilePath(level, name.join("/")), given);
      }),
    );
  });
});

describe("the tiles of a log", () => {
  const told = (from: number, size: number) => tilesBetween(from, size).map(tilePath);

  it("are none of an empty one, and none where it did not grow", () => {
    assert.deepEqual(told(0, 0), []);
    assert.deepEqual(told(70_000, 70_000), []);
  });

  it("are as many as the specification's example says", () => {
    const all = told(0, 70_000);
    const of = (start: string, isPartial: boolean) =>
      all.filter((path) => path.startsWith(`tile/${start}/`) && path.includes(".p/") === isPartial);
    assert.equal(of("0", false).length, 273);
    assert.deepEqual(of("0", true), ["tile/0/273.p/112"]);
    assert.deepEqual(of("1", false), ["tile/1/000"]);
    assert.deepEqual(of("1", true), ["tile/1/001.p/17"]);
    assert.deepEqual(of("2", true), ["tile/2/000.p/1"]);
    assert.equal(of("entries", false).length, 273);
    assert.equal(all.length, 273 + 1 + 2 + 1 + 274);
    assert.deepEqual(told(0, 256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
  });

  it("are full ones once, and partial ones anew, however it grew", () => {
    assert.deepEqual(told(500, 600), [
      "tile/entries/001",
      "tile/entries/002.p/88",
      "tile/0/001",
      "tile/0/002.p/88",
      "tile/1/000.p/2",
    ]);
    const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, (given) => {
        const steps = [0, ...given.sort((a, b) => a - b)];
        const grown = steps.slice(1).flatMap((size, i) => told(steps[i] as number, size));
        assert.equal(new Set(grown).size, grown.length);
        const isFull = (path: string) => !path.includes(".p/");
        const atOnce = told(0, steps.at(-1) as number);
        assert.deepEqual(grown.filter(isFull).sort(), atOnce.filter(isFull).sort());
        for (const path of atOnce) assert.ok(grown.includes(path), path);
      }),
      { numRuns: 30 },
    );
  });
});
