import { describeStore } from "../contract.ts";
import { describeWithServer } from "./server.ts";

describeWithServer("logs in PostgreSQL", (server) => {
  describeStore("the PostgreSQL store", async () => {
    const url = await server().newStoreDatabase();
    return { store: await server().openStore(url), reopen: () => server().openStore(url) };
  });
});
