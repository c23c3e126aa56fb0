import assert from "node:assert/strict";
import { readConfig, readDatabaseUrl } from "../config.ts";
import { KEYSTORE_KEY, PASSWORD, PBKDF2 } from "./keystores.ts";

const ADDRESS = `0x${"11".repeat(20)}`;
const OTHER = `0x${"44".repeat(20)}`;
const NEEDED = {
  WATTWITNESS_RPC_URL: "http://127.0.0.1:8545",
  WATTWITNESS_REGISTRY: ADDRESS,
  WATTWITNESS_WATTWITNESS: ADDRESS,
};
const ATTESTING = {
  WATTWITNESS_ATTESTOR: ADDRESS,
  WATTWITNESS_SUBSCRIPTION_ID: "18446744073709551615",
  WATTWITNESS_OPERATOR_KEY: `0x${"22".repeat(32)}`,
  WATTWITNESS_PUBLIC_URLS: "https://a.example, https://b.example/mirror",
};

function problemsOf(environment: Record<string, string | undefined>): string[] {
  const result = readConfig(environment);
  return result.ok ? [] : result.problems;
}

describe("the oracle's configuration", () => {
  it("names everything that is missing at once", () => {
    assert.deepEqual(
      problemsOf({}).map((problem) => problem.split(" ").slice(0, 3).join(" ")),
      ["WATTWITNESS_RPC_URL is missing:", "WATTWITNESS_REGISTRY is missing:", "WATTWITNESS_WATTWITNESS is missing:"],
    );
  });

  it("takes an empty variable for a missing one", () => {
    assert.match(problemsOf({ ...NEEDED, WATTWITNESS_REGISTRY: "" })[0] ?? "", /^WATTWITNESS_REGISTRY is missing/);
  });

  it("knows no certificates of hours and no parks unless told where they are", () => {
    const here = (environment: Record<string, string>) => {
      const result = readConfig({ ...NEEDED, ...environment });
      return result.ok && [result.config.hourlyCertificates, result.config.parkFactory];
    };
    assert.deepEqual(here({}), [undefined, undefined]);
    const told = { WATTWITNESS_HOURLY_CERTIFICATES: OTHER, WATTWITNESS_PARK_FACTORY: ADDRESS };
    assert.deepEqual(here(told), [OTHER, ADDRESS]);
  });

  for (const [name, value, problem] of [
    ["WATTWITNESS_RPC_URL", "localhost:8545", "must be a URL: http://… or https://…"],
    ["WATTWITNESS_DATABASE_URL", "mysql://user:pass@db", "must be a URL: postgres://… or postgresql://…"],
    ["WATTWITNESS_REGISTRY", "0x12", 'must be an address: 0x and 40 hexadecimal digits, not "0x12"'],
    ["WATTWITNESS_HOURLY_CERTIFICATES", "no", 'must be an address: 0x and 40 hexadecimal digits, not "no"'],
    ["WATTWITNESS_PARK_FACTORY", "0x12", 'must be an address: 0x and 40 hexadecimal digits, not "0x12"'],
    ["PORT", "65536", 'must be a whole number from 0 to 65535, not "65536"'],
    ["PORT", "http", 'must be a whole number from 0 to 65535, not "http"'],
    ["WATTWITNESS_SETTLE_EVERY", "-1", 'must be a whole number from 0 to 31536000, not "-1"'],
    ["WATTWITNESS_BATCH_LIMIT", "2000001", 'must be a whole number from 1000 to 2000000, not "2000001"'],
    ["WATTWITNESS_CONFIRMATIONS", "0", 'must be a whole number from 1 to 1000, not "0"'],
    ["WATTWITNESS_KEEP_HEADS", "some", 'must be all or needed, not "some"'],
    ["WATTWITNESS_TRUST_PROXY", "1", 'must be yes or no, not "1"'],
    [
      "WATTWITNESS_CORS_ORIGINS",
      "https://a.example/page",
      'must be * or origins (https://…, without a path) separated by commas, not "https://a.example/page"',
    ],
    ["LOG_LEVEL", "loud", 'must be one of trace, debug, info, warn, error, fatal, silent, not "loud"'],
    [
      "WATTWITNESS_PUBLIC_URLS",
      "ftp://a",
      'must be one to five URLs (http://… or https://…) separated by commas, not "ftp://a"',
    ],
  ] as const) {
    it(`refuses ${name}=${value}`, () => {
      assert.deepEqual(problemsOf({ ...NEEDED, [name]: value }), [`${name} ${problem}`]);
    });
  }

  it("refuses six URLs: the DON makes five requests", () => {
    const urls = Array.from({ length: 6 }, (_, i) => `http://${i}.example`).join(",");
    assert.equal(problemsOf({ ...NEEDED, WATTWITNESS_PUBLIC_URLS: urls }).length, 1);
  });

  it("never shows the operator's key", () => {
    const problems = problemsOf({ ...NEEDED, WATTWITNESS_OPERATOR_KEY: "secret" });
    assert.equal(problems.length, 1);
    assert.ok(!problems[0]?.includes("secret"));
  });

  it("never shows the keys of an S3-compatible store", () => {
    const url = "https://name:secret@a.example/meters";
    const problems = problemsOf({
      ...{ ...NEEDED, ...ATTESTING, WATTWITNESS_PUBLISH_S3_URL: url },
      ...{ WATTWITNESS_PUBLISH_S3_KEY_ID: "name", WATTWITNESS_PUBLISH_S3_SECRET: "secret" },
    });
    assert.deepEqual(problems, ["WATTWITNESS_PUBLISH_S3_URL must be the URL of a bucket, without a key in it"]);
  });

  it("never shows the password of an MQTT broker", () => {
    const problems = problemsOf({ ...NEEDED, WATTWITNESS_MQTT_URL: "http://me:secret@home" });
    assert.deepEqual(problems, ["WATTWITNESS_MQTT_URL must be the URL of an MQTT broker: mqtt://… or mqtts://…"]);
  });

  describe("of secrets that stand in files", () => {
    const files: Record<string, string> = {
      "/run/key": `${ATTESTING.WATTWITNESS_OPERATOR_KEY}\n`,
      "/run/other": "secret",
    };
    const read = (path: string) => {
      const content = files[path];
      if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return content;
    };
    const problemsWith = (environment: Record<string, string>) => {
      const result = readConfig({ ...NEEDED, ...environment }, read);
      return result.ok ? [] : result.problems;
    };

    it("refuses one that cannot be read, and one that is set, too", () => {
      assert.deepEqual(problemsWith({ WATTWITNESS_OPERATOR_KEY_FILE: "/run/none" }), [
        "WATTWITNESS_OPERATOR_KEY_FILE cannot be read: ENOENT: no such file or directory, open '/run/none'",
      ]);
      const { WATTWITNESS_OPERATOR_KEY } = ATTESTING;
      assert.deepEqual(problemsWith({ WATTWITNESS_OPERATOR_KEY, WATTWITNESS_OPERATOR_KEY_FILE: "/run/key" }), [
        "WATTWITNESS_OPERATOR_KEY_FILE is one too many: WATTWITNESS_OPERATOR_KEY is set, too",
      ]);
    });

    it("never shows them, and knows none of what is no secret", () => {
      const problems = problemsWith({ WATTWITNESS_OPERATOR_KEY_FILE: "/run/other" });
      assert.deepEqual(problems, ["WATTWITNESS_OPERATOR_KEY must be a private key: 0x and 64 hexadecimal digits"]);
      assert.deepEqual(problemsWith({ WATTWITNESS_REGISTRY_FILE: "/run/key" }), [
        "WATTWITNESS_REGISTRY_FILE is no setting of this oracle",
      ]);
    });

    it("opens a keystore, and names what does not open it", () => {
      files["/run/keystore"] = JSON.stringify(PBKDF2);
      const WATTWITNESS_OPERATOR_KEY_FILE = "/run/keystore";
      const problem = "WATTWITNESS_OPERATOR_KEY is not opened by WATTWITNESS_OPERATOR_PASSWORD";
      assert.deepEqual(problemsWith({ WATTWITNESS_OPERATOR_KEY_FILE }), [problem]);
      assert.deepEqual(problemsWith({ WATTWITNESS_OPERATOR_KEY_FILE, WATTWITNESS_OPERATOR_PASSWORD: "other" }), [
        problem,
      ]);
      const set = { ...NEEDED, WATTWITNESS_OPERATOR_KEY_FILE, WATTWITNESS_OPERATOR_PASSWORD: PASSWORD };
      const result = readConfig(set, read);
      assert.ok(result.ok);
      assert.equal(result.config.operatorKey, KEYSTORE_KEY);
    });

    it("reads that of a database alone, for who needs no other", () => {
      files["/run/database"] = "postgres://me:secret@home/meters\n";
      files["/run/other"] = "mysql://me:secret@home/meters";
      const problemIn = (environment: Record<string, string>) => {
        const setting = readDatabaseUrl(environment, read);
        return setting.ok ? undefined : setting.problem;
      };
      const kind = "a URL: postgres://… or postgresql://…";
      assert.equal(problemIn({}), `WATTWITNESS_DATABASE_URL is missing: it must be ${kind}`);
      assert.equal(
        problemIn({ WATTWITNESS_DATABASE_URL_FILE: "/run/other" }),
        `WATTWITNESS_DATABASE_URL must be ${kind}`,
      );
      assert.match(
        problemIn({ WATTWITNESS_DATABASE_URL_FILE: "/run/none" }) ?? "",
        /^WATTWITNESS_DATABASE_URL_FILE cannot be read/,
      );
      assert.deepEqual(readDatabaseUrl({ WATTWITNESS_DATABASE_URL_FILE: "/run/database" }, read), {
        ...{ ok: true, url: "postgres://me:secret@home/meters" },
      });
    });

    it("reads them without the line's end", () => {
      const result = readConfig({ ...NEEDED, WATTWITNESS_OPERATOR_KEY_FILE: "/run/key" }, read);
      assert.ok(result.ok);
      assert.equal(result.config.operatorKey, ATTESTING.WATTWITNESS_OPERATOR_KEY);
    });
  });

  it("reads whose pages may ask, separated by commas", () => {
    const result = readConfig({ ...NEEDED, WATTWITNESS_CORS_ORIGINS: "https://a.example, http://localhost:5173" });
    assert.ok(result.ok);
    assert.deepEqual(result.config.origins, ["https://a.example", "http://localhost:5173"]);
  });

  it("names what cannot be published without", () => {
    const namesOf = (environment: Record<string, string>) =>
      problemsOf({ ...NEEDED, ...environment }).map((problem) => problem.split(" ")[0]);
    assert.deepEqual(namesOf({ WATTWITNESS_PUBLISH_DIR: "site" }), ["WATTWITNESS_OPERATOR_KEY"]);
    const store = { WATTWITNESS_PUBLISH_S3_URL: "https://a.example/meters" };
    assert.deepEqual(namesOf(store), [
      ...["WATTWITNESS_OPERATOR_KEY", "WATTWITNESS_PUBLISH_S3_KEY_ID", "WATTWITNESS_PUBLISH_S3_SECRET"],
    ]);
    assert.deepEqual(
      namesOf({
        ...store,
        ...ATTESTING,
        WATTWITNESS_PUBLISH_S3_KEY_ID: "name",
        WATTWITNESS_PUBLISH_S3_SECRET: "secret",
      }),
      [],
    );
  });

  it("names what an attestor cannot be asked without", () => {
    assert.deepEqual(
      problemsOf({ ...NEEDED, WATTWITNESS_ATTESTOR: ADDRESS }).map((problem) => problem.split(" ")[0]),
      ["WATTWITNESS_SUBSCRIPTION_ID", "WATTWITNESS_OPERATOR_KEY", "WATTWITNESS_PUBLIC_URLS"],
    );
  });

  it("names what a router of Chainlink Functions is of no use without", () => {
    assert.deepEqual(problemsOf({ ...NEEDED, WATTWITNESS_FUNCTIONS_ROUTER: ADDRESS }), [
      "WATTWITNESS_ATTESTOR is missing: its subscription pays for an attestor",
    ]);
    assert.deepEqual(problemsOf({ ...NEEDED, ...ATTESTING, WATTWITNESS_FUNCTIONS_ROUTER: ADDRESS }), []);
  });

  it("refuses a setting that there is not: it may be a slip of the pen", () => {
    assert.deepEqual(problemsOf({ ...NEEDED, WATTWITNESS_SETLE_EVERY: "5" }), [
      "WATTWITNESS_SETLE_EVERY is no setting of this oracle",
    ]);
  });

  it("is a day, a full hour, 2 MB, twelve blocks and 50 gwei unless said otherwise", () => {
    const result = readConfig(NEEDED);
    assert.ok(result.ok);
    const { config } = result;
    assert.equal(config.settleEvery, 86_400);
    assert.equal(config.alignment, 3600);
    assert.equal(config.batchLimit, 2_000_000);
    assert.equal(config.confirmations, 12);
    assert.equal(config.maxGasPrice, 50_000_000_000n);
    assert.deepEqual([config.host, config.port], ["127.0.0.1", 8000]);
    assert.equal(config.attestation, undefined);
  });

  it("reads what an attestor is asked with", () => {
    const result = readConfig({ ...NEEDED, ...ATTESTING, PORT: "0" });
    assert.ok(result.ok);
    assert.deepEqual(result.config.attestation, {
      subscriptionId: 18446744073709551615n,
      publicUrls: ["https://a.example", "https://b.example/mirror"],
    });
    assert.equal(result.config.port, 0);
    assert.equal(result.config.publishing, undefined);
  });

  it("reads where to publish, and from where that is fetched", () => {
    const s3 = {
      WATTWITNESS_PUBLISH_S3_URL: "https://meters.s3.eu-central-2.amazonaws.com",
      WATTWITNESS_PUBLISH_S3_KEY_ID: "name",
      WATTWITNESS_PUBLISH_S3_SECRET: "secret",
      WATTWITNESS_PUBLISH_S3_REGION: "eu-central-2",
    };
    const result = readConfig({ ...NEEDED, ...ATTESTING, ...s3, WATTWITNESS_PUBLISH_DIR: "site" });
    assert.ok(result.ok);
    assert.deepEqual(result.config.publishing, {
      directory: "site",
      s3: {
        ...{ url: "https://meters.s3.eu-central-2.amazonaws.com", keyId: "name" },
        ...{ region: "eu-central-2", secret: "secret" },
      },
      publicUrls: ["https://a.example", "https://b.example/mirror"],
    });
  });
});
