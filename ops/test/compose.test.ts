/** What stands in the files for Docker. That an image is built of them is tried by nothing here: there is no Docker. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { startContracts, startOracle } from "./oracle.ts";
import { pathOf, run, textOf, unknownAmong } from "./support.ts";

type Service = {
  image: string;
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, unknown>;
  [name: string]: unknown;
};
type Compose = {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, null>;
};

const dockerfile = textOf("Dockerfile");
const compose = parse(textOf("compose.yaml")) as Compose;
const services = Object.entries(compose.services);
const oracle = compose.services["oracle"] as Service;
/** `NAME=value …` of the image. */
const imageEnvironment = Object.fromEntries(
  (/^ENV (.*)$/m.exec(dockerfile)?.[1] ?? "").split(" ").map((each) => each.split("=") as [string, string]),
);

describe("the image", () => {
  it("has the Node that the clone has", () => {
    const lock = JSON.parse(readFileSync(pathOf("../package-lock.json"), "utf8"));
    const { version } = lock.packages["node_modules/node"];
    assert.match(dockerfile, new RegExp(`^FROM node:${version}-slim$`, "m"));
  });

  it("sets nothing that an oracle does not know, and keeps all in its volume", () => {
    assert.deepEqual(unknownAmong(Object.keys(imageEnvironment)), []);
    assert.match(dockerfile, new RegExp(`^VOLUME ${imageEnvironment["WATTWITNESS_DATA_DIR"]}$`, "m"));
  });

  it("runs as somebody who is not root", () => {
    assert.match(dockerfile, /^USER (?!root)\w+$/m);
  });

  describe("tells whether its oracle is alive", function () {
    this.timeout(120_000);
    const [, command = "[]"] = /^HEALTHCHECK [^[]*CMD (\[.*\])$/m.exec(dockerfile.replaceAll("\\\n", "")) ?? [];
    const [program = "", ...args] = JSON.parse(command) as string[];
    const healthy = (port: number) =>
      run("env", `PORT=${port}`, program === "node" ? process.execPath : program, ...args).code;

    it("which it is not where nobody answers", () => assert.equal(healthy(1), 1));

    it("and it is where one does", async () => {
      const { chain, settings } = await startContracts();
      const node = await startOracle(settings);
      try {
        assert.equal(healthy(node.port), 0);
      } finally {
        await node.stop();
        await chain.stop();
      }
    });
  });
});

describe("the services of compose", () => {
  it("are of images in a version, never the latest", () => {
    for (const [name, { image }] of services) assert.match(image, /^[\w/]+:v?\d+\.\d+(\.\d+)?$/, name);
    const { version } = JSON.parse(readFileSync(pathOf("../package.json"), "utf8"));
    assert.equal(oracle.image, `wattwitness:${version}`);
  });

  it("tell the oracle nothing that it does not know", () => {
    assert.deepEqual(unknownAmong(Object.keys(oracle.environment ?? {})), []);
    assert.equal(oracle["env_file"], "secrets/wattwitness.env");
  });

  it("let the oracle write into its volume alone, with no rights", () => {
    assert.equal(oracle["read_only"], true);
    assert.deepEqual(oracle["cap_drop"], ["ALL"]);
    assert.deepEqual(oracle.volumes, [`data:${imageEnvironment["WATTWITNESS_DATA_DIR"]}`]);
  });

  it("find each other, and the files that they are given", () => {
    const port = imageEnvironment["PORT"];
    assert.deepEqual(oracle.ports, [`127.0.0.1:${port}:${port}`]);
    assert.equal(compose.services["caddy"]?.environment?.["WATTWITNESS_ORACLE"], `oracle:${port}`);
    assert.ok(
      textOf("Caddyfile").includes("{$WATTWITNESS_ORACLE:") && textOf("Caddyfile").includes("{$WATTWITNESS_SITE:"),
    );
    const { scrape_configs: scraped } = parse(textOf("prometheus/prometheus.yml"));
    assert.deepEqual(scraped[0].static_configs, [{ targets: [`oracle:${port}`] }]);
    const { datasources } = parse(textOf("grafana/provisioning/datasources/prometheus.yaml"));
    const prometheus = compose.services["prometheus"]?.ports?.[0]?.split(":").at(-1);
    assert.equal(datasources[0].url, `http://prometheus:${prometheus}`);
    const { providers } = parse(textOf("grafana/provisioning/dashboards/wattwitness.yaml"));
    assert.ok(
      compose.services["grafana"]?.volumes?.some((volume) => volume.includes(`:${providers[0].options.path}/`)),
    );
  });

  it("name volumes, secrets, files and services that there are", () => {
    for (const [name, service] of services) {
      for (const secret of service.secrets ?? []) assert.ok(secret in compose.secrets, `${name}: ${secret}`);
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in compose.services, other);
      for (const value of Object.values(service.environment ?? {})) {
        const secret = /^\/run\/secrets\/(.*)$/.exec(value)?.[1];
        if (secret) assert.ok(service.secrets?.includes(secret), `${name}: ${secret}`);
      }
      for (const volume of service.volumes ?? []) {
        const [from = ""] = volume.split(":");
        assert.ok(from.startsWith("./") ? existsSync(pathOf(from)) : from in compose.volumes, `${name}: ${volume}`);
      }
    }
  });

  it("have their secrets in a folder that is in no commit", () => {
    for (const { file } of Object.values(compose.secrets)) assert.match(file, /^secrets\//);
    assert.ok(textOf("../.gitignore").split("\n").includes("ops/secrets/"));
  });

  it("are reached from other machines by Caddy alone", () => {
    const open = services.filter(([, { ports = [] }]) => ports.some((port) => !port.startsWith("127.0.0.1:")));
    assert.deepEqual(
      open.map(([name]) => name),
      ["caddy"],
    );
  });
});
