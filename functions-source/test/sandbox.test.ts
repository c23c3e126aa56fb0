import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Answer, runInSandbox, SERVICE_LIMITS } from "../sandbox.ts";
import { ownTemporaryFolder, runs, serve, until } from "./helpers.ts";

const text = (answer: Answer): string =>
  "response" in answer ? Buffer.from(answer.response.slice(2), "hex").toString("utf8") : assert.fail(answer.error);

const otherError = { error: "syntax error, RAM exceeded, or other error" };
const blocked = { error: "attempted access to blocked resource detected" };

describe("sandbox", () => {
  const temporary = ownTemporaryFolder();
  let silent: Awaited<ReturnType<typeof serve>>;
  let echo: Awaited<ReturnType<typeof serve>>;
  const requests: string[] = [];

  before(async () => {
    await temporary.make();
    silent = await serve(() => undefined);
    echo = await serve((request, response) => {
      requests.push(request.url ?? "");
      response.end(JSON.stringify({ path: request.url }));
    });
  });
  after(async () => {
    await Promise.all([silent.close(), echo.close()]);
    await temporary.remove();
  });
  afterEach(async () => {
    assert.deepEqual(await temporary.files(), [], "a temporary file was left");
  });

  it("has the limits of the service", () => {
    assert.deepEqual(SERVICE_LIMITS, {
      runtime: 10_000,
      memory: 128,
      answer: 256,
      httpRequests: 5,
      httpTimeout: 9000,
      urlLength: 2048,
      httpRequest: 2048,
      httpResponse: 2_097_152,
    });
  });

  it("refuses a source that does not parse", async () => {
    assert.deepEqual(await runInSandbox({ source: "return (" }), otherError);
  });

  it("ends a source that runs too long", async () => {
    const answer = await runInSandbox({ source: "for (;;);" }, { limits: { runtime: 500 } });
    assert.deepEqual(answer, { error: "script runtime exceeded" });
  });

  it("ends a source that takes too much memory", async () => {
    const source = "const hoard = []; for (let i = 0; ; i++) hoard.push(new Array(1e5).fill(i + 0.5));";
    assert.deepEqual(await runInSandbox({ source }), otherError);
  });

  it("ends a source that floods its console", async () => {
    assert.deepEqual(await runInSandbox({ source: "for (;;) console.log('x'.repeat(1e6));" }), otherError);
  });

  it("lets a source read no file, no environment and start no program", async () => {
    const sources = [
      "return await Deno.readFile('/etc/hostname')",
      "return Functions.encodeString(Deno.env.get('PATH'))",
      "return (await new Deno.Command('/bin/sh').output()).stdout",
    ];
    for (const source of sources) assert.deepEqual(await runInSandbox({ source }), blocked, source);
  });

  it("lets a source load no code", async () => {
    const answer = await runInSandbox({ source: "return await import('npm:is-odd')" });
    assert.ok("error" in answer);
  });

  it("refuses an answer longer than 256 bytes", async () => {
    assert.deepEqual(await runInSandbox({ source: "return new Uint8Array(257)" }), { error: "response >256 bytes" });
    assert.deepEqual(await runInSandbox({ source: "return new Uint8Array(256)" }), {
      response: `0x${"00".repeat(256)}`,
    });
  });

  it("refuses an answer that is not bytes", async () => {
    assert.deepEqual(await runInSandbox({ source: "return 'text'" }), {
      error: "returned value not an ArrayBuffer or Uint8Array",
    });
  });

  it("refuses a sixth HTTP request", async () => {
    const source = `const all = [];
      for (let i = 1; i <= 6; i++) all.push((await Functions.makeHttpRequest({ url: args[0] + i })).error);
      return Functions.encodeString(all.join());`;
    requests.length = 0;
    const answer = await runInSandbox({ source, args: [echo.url("")] });
    assert.equal(text(answer), "false,false,false,false,false,true");
    assert.deepEqual(requests, ["/1", "/2", "/3", "/4", "/5"]);
  });

  it("refuses a URL longer than 2048", async () => {
    const source = "return Functions.encodeString((await Functions.makeHttpRequest({ url: args[0] })).code)";
    assert.equal(text(await runInSandbox({ source, args: [echo.url("x".repeat(2048))] })), "414");
  });

  it("gives up on a server that does not answer", async () => {
    const source = "return Functions.encodeString(String((await Functions.makeHttpRequest({ url: args[0] })).error))";
    assert.equal(
      text(await runInSandbox({ source, args: [silent.url("")] }, { limits: { httpTimeout: 200 } })),
      "true",
    );
  });

  it("does not wait for requests that the source gave up on", async () => {
    const source = "Functions.makeHttpRequest({ url: args[0], timeout: 9000 }); return Functions.encodeString('done')";
    // 8 s would be over before the request is
    assert.equal(text(await runInSandbox({ source, args: [silent.url("")] }, { limits: { runtime: 8000 } })), "done");
  });

  it("says a thrown error in its own words", async () => {
    assert.deepEqual(await runInSandbox({ source: "throw Error('no batch')" }), { error: "no batch" });
  });

  it("runs a source as it is, with $& and $$ and a comment at its end", async () => {
    const source = "return Functions.encodeString('$$ $& $` ' + args[0]) // $'";
    assert.equal(text(await runInSandbox({ source, args: ["$$"] })), "$$ $& $` $$");
  });

  it("hands args and bytesArgs over", async () => {
    const source = "return Functions.encodeString(JSON.stringify([args, bytesArgs]))";
    const answer = await runInSandbox({ source, args: ["é€", ""], bytesArgs: ["0x00ff"] });
    assert.equal(text(answer), '[["é€",""],["0x00ff"]]');
  });

  it("tells what a source writes to its console", async () => {
    const lines: string[] = [];
    await runInSandbox(
      { source: "console.log('one\\ntwo'); return new Uint8Array(1)" },
      { onConsole: (line) => lines.push(line) },
    );
    assert.deepEqual(lines, ["one", "two"]);
  });

  it("loses no answer when many run at once", async () => {
    const source = "console.log('x'.repeat(100_000)); return Functions.encodeString(args[0])";
    const names = Array.from({ length: 12 }, (_, i) => `run ${i}`);
    const answers = await Promise.all(names.map((name) => runInSandbox({ source, args: [name] })));
    assert.deepEqual(answers.map(text), names);
  });

  it("starts nothing when it was aborted before", async () => {
    const onStart = () => assert.fail("started");
    const signal = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(runInSandbox({ source: "for (;;);" }, { signal, onStart }), /stopped/);
  });

  it("leaves no process when it is aborted", async () => {
    const abort = new AbortController();
    const started: number[] = [];
    const all = [1, 2, 3].map(() =>
      runInSandbox(
        { source: "for (;;);" },
        { signal: abort.signal, onStart: (pid) => started.push(pid), limits: { runtime: 600_000 } },
      ),
    );
    await until(() => started.length === 3);
    abort.abort(new Error("stopped"));
    for (const run of await Promise.allSettled(all)) assert.equal(run.status, "rejected");
    for (const pid of started) assert.equal(runs(pid), false);
  });

  it("leaves no process when its own process is killed", async () => {
    const program = `import { runInSandbox } from ${JSON.stringify(new URL("../sandbox.ts", import.meta.url).href)};
      const source = "await new Promise((resolve) => setTimeout(resolve, 9000))";
      await runInSandbox({ source }, { onStart: (pid) => console.log(pid) });`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program]);
    const [line] = await once(parent.stdout, "data");
    const pid = Number(String(line));
    assert.equal(runs(pid), true);
    parent.kill("SIGKILL");
    await once(parent, "close");
    await until(() => !runs(pid), 5000);
    // killed like this, it could not clear up
    await temporary.remove();
    await temporary.make();
  });
});
