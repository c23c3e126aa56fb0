/**
 * Has solc's own model checker (SMTChecker, engine chc) prove what the contracts' pure libraries promise: `npm run prove
 * [-- --only TEXT]`. Each proof runs on the real library, and on a twin of it with one thing broken, which must fail. Prints
 * what was proved, for which values, and what was not; exits 1 where a proof fails or a twin passes.
 *
 * Of OpenZeppelin's Math only min and saturatingSub are given to the checker, in plain Solidity: it does not read assembly.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";

type Proof = {
  /** what holds */
  promise: string;
  library: "Income" | "HourSet" | "Capacity";
  /** a function that asserts it */
  function: string;
  /** what is broken in the twin: stands once in the library */
  broken: readonly [from: string, to: string];
};

/** Numbers of shares for which a division is proved exact: for any number at once it is beyond the checker. */
const SHARES = ["2", "3", "1000", "999983", "2 ** 32 - 1"];

const NO_CARRY = ["amount * SCALE + carry", "amount * SCALE"] as const;

const PROOFS: Proof[] = [
  {
    promise: "what is carried is below the number of shares, for any number of them",
    library: "Income",
    function: `function proof(uint96 amount, uint32 carry, uint32 shares) external pure {
      require(shares != 0 && carry < shares);
      (, uint256 rest) = Income.divide(amount, carry, shares);
      assert(rest < shares);
    }`,
    broken: ["return (total / shares, total % shares);", "return (total / shares, total % shares + 1);"],
  },
  ...SHARES.map(
    (shares): Proof => ({
      promise: `nothing is lost or made in a division among ${shares} shares: given + carried on = received + carried`,
      library: "Income",
      function: `function proof(uint96 amount, uint32 carry) external pure {
      require(carry < ${shares});
      (uint256 each, uint256 rest) = Income.divide(amount, carry, ${shares});
      assert(each * (${shares}) + rest == uint256(amount) * 2 ** 32 + carry);
    }`,
      broken: NO_CARRY,
    }),
  ),
  {
    promise: "hours are taken in order, each once, and none beyond the end",
    library: "HourSet",
    function: `function proof(uint32 hour, uint32 end) external pure {
      require(hour < end);
      uint256 next = HourSet.beyond(hour, end);
      assert(next > hour && next <= end);
    }`,
    broken: ["if (next > end) next = end;", ""],
  },
  {
    promise: "no way to part a time makes more of a capacity than the whole",
    library: "Capacity",
    function: `function proof(uint32 capacity, uint32 first, uint32 second) external pure {
      uint256 parts = Capacity.possible(capacity, first) + Capacity.possible(capacity, second);
      assert(parts <= Capacity.possible(capacity, uint256(first) + second));
    }`,
    broken: ["* time) / 3600", "* time + 3599) / 3600"],
  },
  {
    promise: "a raise never makes more possible than the raised capacity does, nor fails",
    library: "Capacity",
    function: `function proof(uint32 capacity, uint32 before, uint32 raisedAt, uint32 start, uint32 end) external pure {
      require(start <= end);
      uint256 possible = Capacity.possibleBetween(capacity, before, raisedAt, start, end);
      assert(possible <= Capacity.possible(capacity, end - start));
    }`,
    broken: [
      "return possible(capacity, end - start) - possible(",
      "return possible(capacity, end - start) + possible(",
    ],
  },
];

const MATH = `pragma solidity ^0.8.20; library Math {
  function min(uint256 a, uint256 b) internal pure returns (uint256) { return a < b ? a : b; }
  function saturatingSub(uint256 a, uint256 b) internal pure returns (uint256) { return a > b ? a - b : 0; }
}`;

/** s that a proof may take: the checker's own limit does not work in a compiler from npm. */
const LIMIT = 120;

type Outcome = "proved" | "not proved" | "no answer";

/** Run in a process of its own, which can be ended. */
function check({ library, function: body, broken }: Proof, isTwin: boolean): Outcome {
  const file = `contracts/libraries/${library}.sol`;
  const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  if (source.split(broken[0]).length !== 2) throw new Error(`"${broken[0]}" does not stand once in ${file}`);
  const content = isTwin ? source.replace(broken[0], broken[1]) : source;
  const proof = `pragma solidity ^0.8.37; import { ${library} } from "${file}"; contract Proof { ${body} }`;
  const input = {
    language: "Solidity",
    sources: {
      "Proof.sol": { content: proof },
      [file]: { content },
      "@openzeppelin/contracts/utils/math/Math.sol": { content: MATH },
    },
    settings: {
      modelChecker: { engine: "chc", targets: ["assert"], contracts: { "Proof.sol": ["Proof"] }, showProvedSafe: true },
      outputSelection: { "*": { "*": [] } },
    },
  };
  const solc = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };
  const { errors } = JSON.parse(solc.compile(JSON.stringify(input))) as {
    errors: { severity: string; errorCode: string; formattedMessage: string }[];
  };
  const failed = errors.find(({ severity }) => severity === "error");
  if (failed) throw new Error(failed.formattedMessage);
  const asserts = body.split("assert(").length - 1;
  return errors.filter(({ errorCode }) => errorCode === SAFE).length === asserts ? "proved" : "not proved";
}

/** Of solc: "Assertion violation check is safe". */
const SAFE = "9576";

async function inProcess(index: number, isTwin: boolean): Promise<Outcome> {
  const args = [fileURLToPath(import.meta.url), "--one", String(index), ...(isTwin ? ["--twin"] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill(), LIMIT * 1000);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  if (code !== null && code !== 0) process.exit(1);
  return code === null ? "no answer" : (output.trim() as Outcome);
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    one: { type: "string" },
    twin: { type: "boolean", default: false },
  },
});
if (values.one !== undefined) {
  console.log(check(PROOFS[Number(values.one)] as Proof, values.twin));
} else {
  const table = new Table({ style: { head: [], border: [] }, head: ["", "library", "the library", "broken"] });
  let isWell = true;
  for (const [index, { promise, library }] of PROOFS.entries()) {
    if (!promise.includes(values.only)) continue;
    const [real, twin] = [await inProcess(index, false), await inProcess(index, true)];
    isWell &&= real === "proved" && twin === "not proved";
    table.push([promise, library, real, twin]);
  }
  console.log(table.toString());
  console.log(
    "Not proved here, but tested: which bits of a word an hour is, and a division among other numbers of shares.",
  );
  process.exitCode = isWell ? 0 : 1;
}
