/** The hackathon original's routes, under the names that its users know: /api/v1. */
import type { App, Face } from "../../app.ts";
import { batchesRoutes } from "./batches.ts";
import { chartRoutes } from "./chart.ts";
import { exportRoutes } from "./export.ts";
import { installationRoutes } from "./installations.ts";
import { postingRoutes } from "./posting.ts";
import { powerRoutes } from "./power.ts";
import { proofRoutes } from "./proofs.ts";
import { historyRoutes } from "./readings.ts";

export const originalRoutes = (face: Face) => async (app: App) => {
  installationRoutes(app, face);
  postingRoutes(app, face);
  historyRoutes(app, face);
  exportRoutes(app, face);
  chartRoutes(app, face);
  powerRoutes(app, face);
  proofRoutes(app, face);
  batchesRoutes(app, face);
};
