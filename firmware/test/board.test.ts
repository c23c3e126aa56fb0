/**
 * The board's HTTP ports, from their own sources, with a Shelly and an oracle of this test. In ESP-IDF's place is a
 * stand-in (test/board/include/esp_http_client.h): that they do the same on a board is not shown by this.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BUILDS, build, FOR_TESTS, whyNoToolchain } from "../toolchain.ts";

const PASSWORD = "correct horse";
const MAC = "EC64C9C05E97";

type Tally = { made: number; alive: number; sockets: number; bytes: number };
type Measured = Tally & { error: string; power: number; total: number; milliseconds: number };
type Posted = Tally & { error: string; status: number; length: number };

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What a Shelly does beyond its default. */
type Habits = {
  generation: 1 | 2;
  /** Asks for this login. */
  scheme?: "basic" | "digest";
  /** Requests that a nonce is good for. */
  nonceLasts: number;
  /** ms before each answer */
  delay: number;
  /** ms between two parts of a body */
  dribble?: number;
  status?: number;
  location?: string;
  body?: string;
};

/** A Shelly with one clamp: what it was asked for is in `asked`, what it was told of who asks in `told`. */
class Shelly {
  readonly habits: Habits = { generation: 2, nonceLasts: Number.POSITIVE_INFINITY, delay: 0 };
  readonly asked: string[] = [];
  readonly told: string[] = [];
  noncesGiven = 0;
  #nonce = "";
  #uses = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { delay, status, location, dribble } = this.habits;
    this.asked.push(request.url as string);
    await new Promise((resolve) => setTimeout(resolve, delay));
    if (!this.#knows(request)) {
      response.writeHead(401, { "WWW-Authenticate": this.#challenge() });
      return void response.end();
    }
    const body = this.#body(request.url as string);
    response.writeHead(status ?? 200, {
      "Content-Length": body.length,
      ...(location !== undefined && { Location: location }),
    });
    if (dribble === undefined) return void response.end(body);
    for (const part of body) {
      if (response.destroyed) return;
      response.write(part);
      await new Promise((resolve) => setTimeout(resolve, dribble));
    }
    response.end();
  }

  #body(path: string): string {
    const { generation, body } = this.habits;
    if (body !== undefined) return body;
    if (path === "/shelly") return JSON.stringify(generation === 1 ? { type: "SHEM" } : { gen: generation });
    return JSON.stringify(
      generation === 1
        ? { mac: MAC, emeters: [{ power: 1500.5, total: 12345.6, voltage: 230, is_valid: true }] }
        : {
            sys: { mac: MAC },
            "em1:0": { act_power: 1500.5, voltage: 230, current: 6.5 },
            "em1data:0": { total_act_energy: 12345.6 },
          },
    );
  }

  #challenge(): string {
    if (this.habits.scheme === "basic") return 'Basic realm="shelly"';
    this.#nonce = randomBytes(4).toString("hex");
    this.#uses = 0;
    this.noncesGiven++;
    return `Digest qop="auth", realm="shellyproem50", nonce="${this.#nonce}", algorithm=SHA-256`;
  }

  #knows({ headers, url }: IncomingMessage): boolean {
    const { scheme, nonceLasts } = this.habits;
    const told = headers.authorization;
    if (told) this.told.push(told);
    if (!scheme || url === "/shelly") return true;
    if (!told) return false;
    if (scheme === "basic") return told === `Basic ${btoa(`admin:${PASSWORD}`)}`;
    const of = (name: string) => new RegExp(`${name}="?([^",]*)`).exec(told)?.[1];
    const who = sha256(`admin:shellyproem50:${PASSWORD}`);
    const expected = sha256(`${who}:${this.#nonce}:${of("nc")}:${of("cnonce")}:auth:${sha256(`GET:${url}`)}`);
    return of("nonce") === this.#nonce && of("response") === expected && this.#uses++ < nonceLasts;
  }
}

/** The program in C: one line told, one answered. */
class Board {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(program: string, base: string, login?: string) {
    this.#child = spawn(program, [base, login === undefined ? "" : "admin", login ?? ""], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#answers = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async #tell(line: string): Promise<unknown> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    assert.ok(!done, "the program ended");
    return JSON.parse(value);
  }

  measure = async (): Promise<Measured> => (await this.#tell("measure")) as Measured;
  post = async (length: number): Promise<Posted> => (await this.#tell(`post ${length}`)) as Posted;

  /** Resolves to its exit code, which is not 0 where a sanitizer found something. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode === null) {
      this.#child.stdin?.end();
      await once(this.#child, "exit");
    }
    return this.#child.exitCode;
  }
}

const why = whyNoToolchain(FOR_TESTS.sanitized);

describe("the board's HTTP ports, above a stand-in for ESP-IDF", function () {
  this.timeout(600_000);
  if (why) {
    it.skip(why);
    return;
  }

  let program: string;
  let shelly: Shelly;
  let base: string;
  let board: Board;

  before(async () => {
    program = join(await build(BUILDS.sanitized, ["board_ports"]), "test/board/board_ports");
  });

  beforeEach(async () => {
    shelly = new Shelly();
    base = await shelly.listen();
  });

  afterEach(async () => {
    const code = await board.end();
    shelly.close();
    assert.equal(code, 0);
  });

  const SILENT = "the meter does not answer";

  const start = (habits: Partial<Habits> = {}, login?: string): void => {
    Object.assign(shelly.habits, habits);
    board = new Board(program, base, login);
  };

  describe("the meter", () => {
    it("refuses a Shelly that sends it elsewhere, and asks nobody there", async () => {
      const elsewhere = new Shelly();
      start({ status: 302, location: `${await elsewhere.listen()}/shelly` });
      assert.equal((await board.measure()).error, SILENT);
      assert.deepEqual(elsewhere.asked, []);
      elsewhere.close();
    });

    it("refuses one that wants a password where it has none, or another", async () => {
      start({ scheme: "digest" });
      assert.equal((await board.measure()).error, SILENT);
      assert.equal(shelly.told.length, 0);
      await board.end();
      start({ scheme: "digest" }, "another");
      assert.equal((await board.measure()).error, SILENT);
      assert.equal(shelly.told.length, 1);
    });

    it("tells no later Shelly than the first generation its password in clear", async () => {
      start({ scheme: "basic" }, PASSWORD);
      assert.equal((await board.measure()).error, SILENT);
      assert.deepEqual(shelly.told, []);
    });

    it("refuses an answer that is larger than it reads of one", async () => {
      start({ body: `{"gen":2,"filler":"${"a".repeat(9000)}"}` });
      assert.match((await board.measure()).error, /not as a meter answers/);
    });

    it("gives up after two seconds, of an answer that does not begin and of one that does not end", async () => {
      start({ delay: 4000 });
      const late = await board.measure();
      assert.equal(late.error, SILENT);
      assert.ok(late.milliseconds >= 1900 && late.milliseconds < 2500, `${late.milliseconds} ms`);
      Object.assign(shelly.habits, { delay: 0, dribble: 300 });
      const slow = await board.measure();
      assert.equal(slow.error, SILENT);
      assert.ok(slow.milliseconds >= 1900 && slow.milliseconds < 2500, `${slow.milliseconds} ms`);
    });

    it("asks a Shelly that was only slow, refused, or redirected once, and as before", async () => {
      start();
      assert.equal((await board.measure()).error, "");
      for (const habits of [{ delay: 2300 }, { delay: 0, status: 503 }, { status: 302 }]) {
        Object.assign(shelly.habits, habits);
        assert.equal((await board.measure()).error, SILENT);
        const before = shelly.asked.length;
        Object.assign(shelly.habits, { delay: 1100, status: 200 });
        assert.equal((await board.measure()).error, "", JSON.stringify(habits));
        assert.deepEqual(shelly.asked.slice(before), ["/rpc/Shelly.GetStatus"]);
      }
    });

    it("asks which generation it is again where it answered as no Shelly of that one does", async () => {
      start();
      assert.equal((await board.measure()).error, "");
      for (const habits of [{ body: "<html>" }, { body: "{}" }, { status: 404 }]) {
        Object.assign(shelly.habits, { body: undefined, status: undefined }, habits);
        assert.notEqual((await board.measure()).error, "");
        Object.assign(shelly.habits, { body: undefined, status: undefined, generation: 1 });
        const before = shelly.asked.length;
        assert.equal((await board.measure()).error, "", JSON.stringify(habits));
        assert.deepEqual(shelly.asked.slice(before), ["/shelly", "/status"]);
        Object.assign(shelly.habits, { generation: 2, body: "{}" });
        await board.measure();
        Object.assign(shelly.habits, { body: undefined });
        assert.equal((await board.measure()).error, "");
      }
    });

    it("reads both generations, with and without a password", async () => {
      for (const [generation, scheme] of [
        [1, undefined],
        [2, undefined],
        [1, "basic"],
        [2, "digest"],
      ] as const) {
        const each = new Shelly();
        Object.assign(each.habits, { generation, scheme });
        board = new Board(program, await each.listen(), scheme && PASSWORD);
        const { error, power, total } = await board.measure();
        assert.deepEqual({ error, power, total }, { error: "", power: 1_500_500, total: 12_345_600 });
        each.close();
        assert.equal(await board.end(), 0);
      }
    });

    it("measures 400 times while nonces expire, and holds no more memory and no socket after it", async () => {
      start({ scheme: "digest", nonceLasts: 3 }, PASSWORD);
      let held: Measured | undefined;
      for (let i = 0; i < 400; i++) {
        const measured = await board.measure();
        assert.equal(measured.error, "", `measurement ${i}`);
        held ??= measured;
        assert.deepEqual([measured.alive, measured.sockets, measured.bytes], [held.alive, held.sockets, held.bytes]);
      }
      assert.deepEqual([held?.alive, held?.sockets, held?.bytes], [0, 0, 0]);
      assert.ok(shelly.noncesGiven > 10, `${shelly.noncesGiven} nonces`);
    });
  });

  describe("the uplink", () => {
    const LARGE = 600_000;
    let oracle: Server;
    let received: number[];

    async function startOracle(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
      received = [];
      oracle = createServer((request, response) => {
        assert.equal(`${request.method} ${request.url}`, "POST /readings");
        answer(request, response);
      });
      oracle.listen(0, "127.0.0.1");
      await once(oracle, "listening");
      board = new Board(program, `http://127.0.0.1:${(oracle.address() as AddressInfo).port}`);
    }

    const takeAll =
      (status: number, body: string, headers = {}) =>
      (request: IncomingMessage, response: ServerResponse) => {
        let length = 0;
        request.on("data", (part: Buffer) => {
          length += part.length;
        });
        request.on("end", () => {
          received.push(length);
          response.writeHead(status, { "Content-Length": body.length, ...headers }).end(body);
        });
      };

    afterEach(async () => {
      await board.end();
      oracle.closeAllConnections();
      oracle.close();
    });

    it("hands a redirection on, and follows it nowhere", async () => {
      await startOracle(takeAll(307, "", { Location: `${base}/readings` }));
      assert.equal((await board.post(100)).status, 307);
      assert.deepEqual(shelly.asked, []);
    });

    it("fails where nobody listens, and where the connection ends without an answer", async () => {
      await startOracle((request) => void request.socket.destroy());
      assert.match((await board.post(100)).error, /not reached|broke/);
      oracle.close();
      assert.match((await board.post(100)).error, /not reached|broke/);
    });

    it("hands on an answer that comes before the body is whole", async () => {
      await startOracle((_request, response) => void response.writeHead(413, { "Content-Length": 0 }).end());
      assert.equal((await board.post(LARGE)).status, 413);
    });

    it("posts small and large bodies whole, one after the other, and holds nothing after it", async () => {
      const body = JSON.stringify({ size: 1 });
      await startOracle(takeAll(200, body));
      const lengths = [1, 511, 512, 513, 2048, 2049, LARGE, 3];
      for (const length of lengths) {
        const { error, status, length: answered, alive, sockets, bytes } = await board.post(length);
        assert.deepEqual({ error, status, answered }, { error: "", status: 200, answered: body.length });
        assert.deepEqual([alive, sockets, bytes], [0, 0, 0]);
      }
      assert.deepEqual(received, lengths);
    });
  });
});
