/** What is small and changes, and sealed batches: a row each. */
import { Low } from "lowdb";
import { batchDigest, fromHex, toHex } from "../../../protocol/index.ts";
import type { Batches, Records } from "../store.ts";
import { type Database, WRITTEN } from "./database.ts";

export const openBatches = ({ ask }: Pick<Database, "ask">): Batches => ({
  async put(bytes) {
    const digest = batchDigest(bytes);
    await ask("put batch", "insert into batches (digest, bytes) values ($1, $2) on conflict do nothing", [
      Buffer.from(digest),
      Buffer.from(bytes),
    ]);
    return toHex(digest);
  },
  async get(digest) {
    const [row] = await ask<{ bytes: Buffer }>("batch", "select bytes from batches where digest = $1", [
      Buffer.from(fromHex(digest)),
    ]);
    return row && new Uint8Array(row.bytes);
  },
});

export function openRecords<T extends object>({ ask }: Pick<Database, "ask">, collection: string): Records<T> {
  return {
    ids: async () =>
      (await ask<{ id: string }>("ids", "select id from records where collection = $1 order by id", [collection])).map(
        ({ id }) => id,
      ),
    async get(id) {
      const text = "select record from records where collection = $1 and id = $2";
      const [row] = await ask<{ record: T }>("record", text, [collection, id]);
      return row?.record;
    },
    all: async () =>
      (
        await ask<{ record: T }>("records", "select record from records where collection = $1 order by id", [
          collection,
        ])
      ).map(({ record }) => record),
    async put(id, record) {
      const text = `
        insert into records (collection, id, record) values ($1, $2, $3)
        on conflict (collection, id) do update set record = excluded.record`;
      await ask("put record", text, [collection, id, JSON.stringify(record)]);
    },
    async add(id, record) {
      const text = `
        insert into records (collection, id, record) values ($1, $2, $3) on conflict do nothing returning id`;
      return (await ask("add record", text, [collection, id, JSON.stringify(record)])).length > 0;
    },
    async remove(id) {
      await ask("remove record", "delete from records where collection = $1 and id = $2", [collection, id]);
    },
  };
}

export async function namesIn({ ask }: Pick<Database, "ask">): Promise<{ records: string[]; documents: string[] }> {
  const records = await ask<{ name: string }>(
    "collections",
    "select distinct collection as name from records order by 1",
    [],
  );
  const documents = await ask<{ name: string }>("documents", "select name from documents where name <> $1 order by 1", [
    WRITTEN,
  ]);
  return { records: records.map(({ name }) => name), documents: documents.map(({ name }) => name) };
}

export async function openDocument<T extends object>(
  { ask }: Pick<Database, "ask">,
  name: string,
  initial: T,
): Promise<Low<T>> {
  const document = new Low<T>(
    {
      async read() {
        const [row] = await ask<{ content: T }>("document", "select content from documents where name = $1", [name]);
        return row?.content ?? null;
      },
      async write(content) {
        const text = `
          insert into documents (name, content) values ($1, $2)
          on conflict (name) do update set content = excluded.content`;
        await ask("put document", text, [name, JSON.stringify(content)]);
      },
    },
    initial,
  );
  await document.read();
  return document;
}
