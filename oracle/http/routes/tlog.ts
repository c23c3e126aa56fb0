/** Logs in the formats of transparency logs (c2sp.org): checkpoint, tiles, one reading's proof, and whose keys sign. */
import { fromHex, toHex } from "../../../protocol/index.ts";
import { type Refusal, refusal } from "../../accepting/refusal.ts";
import type { StoredLog } from "../../store/store.ts";
import { bytesOfTile, checkpointOfLog, proofOfReading, type Signers, vkeysOfLog } from "../../tlog/logs.ts";
import { parseTilePath, tilePath } from "../../tlog/tiles.ts";
import type { App, Face } from "../app.ts";
import { sendOctets } from "../octets.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

const tags = ["tlog"];
const TEXT = "text/plain; charset=utf-8";
/** tlog-tiles, "Checkpoints": not cached beyond a few seconds. */
const BRIEFLY = "public, max-age=5";

export function tlogRoutes(app: App, { oracle, chain }: Face): void {
  const { store, follower, noteKey } = oracle;
  const place = { chainId: chain.chainId, registry: chain.registry };

  app.get(
    "/tlog/key",
    {
      schema: {
        summary: "The key that this oracle signs checkpoints with",
        tags,
        response: schemas.answers(schemas.NoteKeyAnswer),
      },
    },
    async () => ({ algorithm: "Ed25519" as const, publicKey: toHex(noteKey.publicKey) }),
  );

  app.get(
    "/tlog/:keyId/:epoch/vkeys",
    {
      schema: {
        summary: "Who signs a log's checkpoints",
        tags,
        params: schemas.LogParams,
        response: schemas.VKEY_ANSWERS,
      },
    },
    async (request, reply) => {
      const found = await find(request.params.keyId, request.params.epoch);
      if (!found.ok) return refuse(reply, found.refusal);
      return reply.type(TEXT).send(vkeysOfLog(found.log, found.signers));
    },
  );

  app.get(
    "/tlog/:keyId/:epoch/checkpoint",
    {
      schema: {
        summary: "A log's newest head as a signed note",
        tags,
        params: schemas.LogParams,
        response: schemas.CHECKPOINT_ANSWERS,
      },
    },
    async (request, reply) => {
      const found = await find(request.params.keyId, request.params.epoch);
      if (!found.ok) return refuse(reply, found.refusal);
      const head = found.log.newestHead;
      if (!head) return refuse(reply, NO_LOG);
      const checkpoint = await checkpointOfLog(found.log, head, found.signers);
      return reply.header("cache-control", BRIEFLY).type(TEXT).send(checkpoint);
    },
  );

  app.get(
    "/tlog/:keyId/:epoch/:index.tlog-proof",
    {
      schema: {
        summary: "One reading's proof as a file",
        tags,
        params: schemas.ReadingParams,
        response: schemas.PROOF_ANSWERS,
      },
    },
    async (request, reply) => {
      const { keyId, epoch, index } = request.params;
      const found = await find(keyId, epoch);
      if (!found.ok) return refuse(reply, found.refusal);
      const { size } = found.log;
      const proof = await proofOfReading(found.log, index, found.signers);
      if (proof === undefined) {
        return refuse(reply, refusal("unknown reading", "this log has no such reading", { index, size }));
      }
      return reply.header("cache-control", BRIEFLY).type(TEXT).send(proof);
    },
  );

  app.get(
    "/tlog/:keyId/:epoch/tile/:level/*",
    {
      schema: {
        summary: "A tile of hashes, or of readings",
        tags,
        params: schemas.TileParams,
        response: schemas.TILE_ANSWERS,
      },
    },
    async (request, reply) => {
      const { keyId, epoch, level, "*": name } = request.params;
      const span = parseTilePath(level, name);
      if (!span) return refuse(reply, refusal("malformed", "no tile has such a path (c2sp.org/tlog-tiles)"));
      const log = await store.logs.get(keyId, epoch);
      if (!log) return refuse(reply, NO_LOG);
      const bytes = await bytesOfTile(log, span);
      if (!bytes) return refuse(reply, refusal("unknown tile", "this log is not as large", { size: log.size }));
      const named = `${keyId}/${epoch}/${tilePath(span)}`;
      // hashes do not get shorter
      return sendOctets(request, reply, bytes, { name: named, isCompressible: span.kind === "entries" });
    },
  );

  type Found = { ok: true; log: StoredLog; signers: Signers } | { ok: false; refusal: Refusal };

  async function find(keyId: string, epoch: number): Promise<Found> {
    const log = await store.logs.get(keyId, epoch);
    if (!log) return { ok: false, refusal: NO_LOG };
    const meter = follower.meterOf(keyId);
    if (!meter) {
      return { ok: false, refusal: refusal("unknown meter", "the chain knows no meter with this key") };
    }
    return { ok: true, log, signers: { place, devicePublicKey: fromHex(meter.publicKey), oracleKey: noteKey } };
  }
}

const NO_LOG = refusal("unknown log", "nothing of this log is stored here");
