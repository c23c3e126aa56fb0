import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";

const firmware = join(import.meta.dirname, "..");

/** C without comments, and without what is in quotes. */
const code = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (found, at: number) =>
    found.startsWith("/") ? " " : isIncluded(source, at) ? found : '""',
  );

const isIncluded = (source: string, at: number): boolean =>
  /^[ \t]*#[ \t]*include[ \t]*$/.test(source.slice(source.lastIndexOf("\n", at - 1) + 1, at));

interface Source {
  name: string;
  text: string;
}

const sourcesOf = (folder: string, extensions: string[]): Source[] =>
  readdirSync(join(firmware, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => extensions.includes(extname(name)))
    .map((name) => ({ name: join(folder, name), text: readFileSync(join(firmware, folder, name), "utf8") }));

const portable = ["core", "chip", "provisioning"].flatMap((folder) => sourcesOf(folder, [".c", ".h"]));

const standardHeaders = ["inttypes.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "string.h"];

/** Given by a board only where WW_PLATFORM_SHA256 asks for it. */
const boardHeaders = ["ww_platform_sha256.h"];

const findAll = (sources: Source[], pattern: RegExp): string[] =>
  sources.flatMap(({ name, text }) => [...code(text).matchAll(pattern)].map((found) => `${name}: ${found[0].trim()}`));

const includes = (text: string): string[] =>
  [...code(text).matchAll(/^[ \t]*#[ \t]*include[ \t]*(\S+)/gm)].map((found) => found[1] ?? "");

describe("the portable part of the firmware", () => {
  it("is found", () => {
    assert.ok(portable.length > 20);
    for (const folder of ["core", "chip", "provisioning"]) {
      assert.ok(portable.some(({ name }) => name.startsWith(folder)));
    }
  });

  it("includes nothing but its own headers and a few of the standard's", () => {
    const own = portable.map(({ name }) => basename(name)).filter((name) => name.endsWith(".h"));
    const allowed = [
      ...standardHeaders.map((name) => `<${name}>`),
      ...[...own, ...boardHeaders].map((name) => `"${name}"`),
    ];
    const others = portable.flatMap(({ name, text }) =>
      includes(text)
        .filter((header) => !allowed.includes(header))
        .map((header) => `${name}: ${header}`),
    );
    assert.deepEqual(others, []);
  });

  it("uses of the standard's input and output nothing but printing into memory", () => {
    assert.deepEqual(
      findAll(
        portable,
        /\b(?:v?printf|v?fprintf|vsn?printf|v?sn?scanf|f?puts|f?putc|putchar|get[cs]|getchar|f(?:open|close|read|write|gets|getc|flush)|FILE|std(?:in|out|err))\b/g,
      ),
      [],
    );
  });

  it("takes no memory from a heap", () => {
    assert.deepEqual(findAll(portable, /\b(?:malloc|calloc|realloc|aligned_alloc|strn?dup|alloca|free)\b/g), []);
  });

  it("uses no floating point", () => {
    assert.deepEqual(findAll(portable, /\b(?:float|double|_Complex)\b|\b\d+\.\d*|(?<![\w.])\.\d+/g), []);
  });
});

/** What ESP-IDF calls the ways to trust anyone, in sources and in configuration. */
const unverified = new RegExp(
  [
    "skip_cert_common_name_check",
    "MBEDTLS_SSL_VERIFY_(?:NONE|OPTIONAL)",
    "mbedtls_ssl_conf_authmode",
    "ESP_TLS_INSECURE",
    "ESP_TLS_SKIP_SERVER_CERT_VERIFY",
    "ESP_HTTPS_OTA_ALLOW_HTTP",
    "OTA_ALLOW_HTTP",
    "use_global_ca_store",
    "HTTP_TRANSPORT_OVER_TCP",
  ].join("|"),
);

describe("the firmware's board layer", () => {
  const board = readdirSync(join(firmware, "board"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[ch]$|CMakeLists\.txt$|Kconfig|sdkconfig|\.yml$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(firmware, "board", name), "utf8") }));

  it("is found", () => {
    assert.ok(board.some(({ name }) => name.endsWith("tls.c")));
    assert.ok(board.some(({ name }) => name === "sdkconfig.release"));
  });

  it("has no way to switch the verification of TLS certificates off", () => {
    assert.deepEqual(
      board.filter(({ text }) => unverified.test(text)).map(({ name }) => name),
      [],
    );
  });

  it("tells every TLS connection whom to trust", () => {
    const clients = board.filter(({ text }) => /esp_http_client_config_t\s+\w+\s*=/.test(code(text)));
    assert.deepEqual(
      clients.filter(({ text }) => !/\btls_trust\(/.test(code(text))).map(({ name }) => basename(name)),
      ["http_shelly.c"], // speaks plain HTTP, and follows nobody elsewhere
    );
  });

  it("has a partition table that fills 4 MB and overlaps nowhere", () => {
    const rows = readFileSync(join(firmware, "board", "partitions.csv"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(",").map((cell) => cell.trim()))
      .map(([name, type, , offset, size]) => ({ name, type, offset: Number(offset), size: Number(size) }));
    const partitionTableEnd = 0x10000;
    let end = partitionTableEnd;
    for (const { name, type, offset, size } of rows) {
      assert.ok(offset >= end, `${name} overlaps`);
      assert.equal(offset % (type === "app" ? 0x10000 : 0x1000), 0, `${name} is not aligned`);
      end = offset + size;
    }
    assert.equal(end, 4 * 1024 * 1024);
    assert.equal(rows.find(({ name }) => name === "queue")?.size, 896 * 1024);
  });
});
