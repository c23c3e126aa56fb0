/**
 * How the chain is asked: any EIP-1193 provider is a ChainReader, so a wallet of the visitor's, a viem client, or `rpc` of
 * a URL. What it answers is somebody's word, and is looked at as such.
 */
export type ChainReader = {
  /** Rejects with an error that has a numeric `code` where the node answers with an error, with any other where it does not. */
  request(call: { method: string; params?: unknown }): Promise<unknown>;
};

/** JSON-RPC 2.0 §5.1: the node answered, and that it will not. */
export class RpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** ms that an answer may take */
const PATIENCE = 10_000;

/** Plain JSON-RPC 2.0 over HTTP. */
export function rpc(url: string, patience = PATIENCE): ChainReader {
  let id = 0;
  return {
    async request({ method, params = [] }) {
      id += 1;
      const asked = { jsonrpc: "2.0", id, method, params };
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(asked),
        signal: AbortSignal.timeout(patience),
      });
      const answer: unknown = await response.json().catch(() => undefined);
      if (typeof answer !== "object" || answer === null) throw new Error(`it answers HTTP ${response.status}, no JSON`);
      if ("error" in answer && answer.error) throw errorOf(answer.error);
      if (!response.ok || !("result" in answer)) throw new Error(`it answers HTTP ${response.status}, no result`);
      if (!("id" in answer) || answer.id !== asked.id) throw new Error("it answers another question");
      return answer.result;
    },
  };
}

function errorOf(error: unknown): Error {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === "number" ? new RpcError(code, String(message)) : new Error("it answers an error of no code");
}
