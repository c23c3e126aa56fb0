/** Leads on a database, says so, and goes on until it is killed. */
import { openPostgresStore } from "../../../store/postgres/store.ts";

const opening = await openPostgresStore(process.argv[2] as string, console);
if (!opening.ok) throw new Error(opening.problem);
console.log(await opening.store.leads());
setInterval(() => {}, 1000);
