import { makeVectors } from "../protocol/vectors.ts";
import { writeGenerated } from "./generated.ts";

const file = new URL("../protocol/vectors.json", import.meta.url);
await writeGenerated(file, `${JSON.stringify(makeVectors(), null, 1)}\n`, "npm run vectors");
