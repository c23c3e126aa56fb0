import { DEEPEST, FAULTS, misbehave, nodesScene, reorganise } from "./scenarios/nodes.ts";
import type { Node } from "./scene/node.ts";
import { type Scene, whyNoScene } from "./scene/scene.ts";

const absent = whyNoScene();
const describeScene = absent ? describe.skip : describe;

describeScene(`an oracle goes on, and settles all once, after its node${absent ? ` (${absent})` : ""}`, function () {
  this.timeout(120_000);
  let scene: Scene;
  let node: Node;
  before(async () => {
    scene = await nodesScene();
    node = await scene.start();
  });
  after(() => scene?.close());

  for (const fault of FAULTS.filter(({ isBrief }) => isBrief)) it(fault.name, () => misbehave(scene, node, fault));

  it("took as many blocks back as it may, with registrations and settlements in them", () =>
    reorganise(scene, node, DEEPEST));
});
