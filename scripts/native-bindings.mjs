// EDR, the chain under Hardhat, ships its native binding as an optional package that asks for Node 22.
// npm running on Node 20 leaves it out. Node 24 is a dependency of this project and is installed by now:
// let npm run once more under it. On Node 22 and newer there is nothing to do.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const scope = join(root, "node_modules", "@nomicfoundation");
const installed = existsSync(scope) && readdirSync(scope).some((name) => /^edr-.+-.+/.test(name));

if (!installed && process.env.npm_execpath) {
  const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  const { status } = spawnSync(
    node,
    [process.env.npm_execpath, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"],
    { cwd: root, stdio: "inherit" },
  );
  if (status !== 0) {
    console.error(
      "The native binding of Hardhat's chain could not be installed. Use Node 22.13 or newer and run npm ci again.",
    );
    process.exit(1);
  }
}
