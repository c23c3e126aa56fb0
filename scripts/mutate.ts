/**
 * Breaks each guard of the contracts once and shows that some test notices: `npm run mutate [-- --only TEXT …]`.
 * Every `require` is a mutation (its condition always holds), every `if` is two (always, never), every modifier that lets
 * only some through is one (it is gone), and so is every line of EDITS. Each is applied to a copy of the project, where
 * the contracts' tests must fail. Prints caught/total; exits 1 if one survives.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Copy, createCopy, type Edit, type Mutation, mutationOf } from "./copy.ts";

/** Which tests guard which file, the likeliest first; after those all others of the contracts are run. */
const GUARDED: Record<string, string[]> = {
  "WattWitness.sol": [
    ...["settle", "registry", "epochs", "rotation", "equivocation", "proofs", "meter", "proposals", "roles", "orders"],
  ],
  "MeterRegistry.sol": ["registry", "rotation", "proposals", "meter", "roles", "takeover", "equivocation"],
  "MeterDescriptor.sol": ["meter"],
  "ProductionToken.sol": ["retirement", "roles", "meter"],
  "FunctionsAttestor.sol": ["attestor"],
  "Authority.sol": ["roles"],
  "Lens.sol": ["lens", "canary"],
  "libraries/MerkleLog.sol": ["merkle", "vectors"],
  "libraries/Reading.sol": ["settle", "vectors"],
  "libraries/Basis.sol": ["settle"],
  "libraries/Statement.sol": ["canary", "vectors", "registry"],
  "libraries/Attestation.sol": ["vectors", "settle"],
  "libraries/Page.sol": ["retirement", "meter"],
  "libraries/Date.sol": ["meter"],
  "parks/SolarPark.sol": ["parks/income", "parks/hostile", "parks/meters", "parks/shares", "parks/vote"],
  "parks/RestrictedPark.sol": ["parks/restricted"],
  "parks/ParkFactory.sol": ["parks/factory", "parks/vote"],
  "parks/ParkGovernor.sol": ["parks/vote"],
  "parks/ParkDescriptor.sol": ["parks/shares", "parks/restricted"],
  "certificates/HourlyCertificates.sol": ["certificates/issue", "certificates/missing", "certificates/redeem"],
  "certificates/CertificateDescription.sol": ["certificates/redeem"],
  "libraries/Entry.sol": ["certificates/redeem", "certificates/missing"],
  "libraries/HourSet.sol": ["certificates/missing", "certificates/issue"],
  "libraries/Capacity.sol": ["settle"],
  "libraries/Income.sol": ["parks/factory", "parks/income"],
  "libraries/StoredCode.sol": ["parks/factory"],
};
const ALL_TESTS = [...new Set(Object.values(GUARDED).flat())];

const testsOf = (file: string): string[] =>
  [...new Set([...(GUARDED[file] ?? []), ...ALL_TESTS])].map((name) => `contracts/test/${name}.test.ts`);

/** What a guard is not, but must be right: `from` stands exactly once in `file`. */
const EDITS: Edit[] = [
  ...edits("WattWitness.sol", [
    ["CLOCK_TOLERANCE = 5 minutes", "CLOCK_TOLERANCE = 5 days"],
    ["REGISTRATION_AGE = 7 days", "REGISTRATION_AGE = 8 days"],
    ["ROTATION_AGE = 1 hours", "ROTATION_AGE = 2 hours"],
    ["EPOCH_STRIDE = 64", "EPOCH_STRIDE = 65"],
    ["EPOCH_STRIDE = 64", "EPOCH_STRIDE = 63"],
    ["UNITS = 1e12", "UNITS = 1e12 + 1"],
    ["(terms.rotatedIn, terms.raised) = (true, false);", "terms.rotatedIn = true;"],
    ["(terms.rotatedIn, terms.raised) = (true, false);", "terms.raised = false;"],
    ["_meterOf[newKeyId] = meter;", ""],
    ["return latest.produced;", "return 0;"],
    ["(terms.status, terms.since) = (Status.Active, timestamp);", "terms.status = Status.Active;"],
    ["(terms.status, terms.since) = (Status.Active, timestamp);", "terms.since = timestamp;"],
    ["terms.raised ? _raises[keyId].before : terms.capacity", "terms.capacity"],
    ["terms.raised = true;", ""],
    ["terms.capacity = capacity;", ""],
    ["_terms[keyId].payee = payee;", ""],
    ["_terms[keyId].status = status;", ""],
    ["_until[keyId] = until;", ""],
    ["Math.max(block.timestamp, _latest[keyId].timestamp) + 1", "block.timestamp + 1"],
    ["Math.max(block.timestamp, _latest[keyId].timestamp) + 1", "Math.max(block.timestamp, _latest[keyId].timestamp)"],
    ["Math.max(block.timestamp, _latest[keyId].timestamp) + 1", "_latest[keyId].timestamp + 1"],
    ["standing.head.epoch < standing.latest.epoch) return", "standing.head.epoch <= standing.latest.epoch) return"],
    ["basis.settledSize() != standing.logSize || basis", "basis"],
    [" || basis.settledTimestamp() != timestamp", ""],
    ["basis.capacity() == standing.terms.capacity ?", "true ?"],
    ["emit Skipped(standing.keyId, attestation, reason", "emit Skipped(standing.keyId, 0, reason"],
    ["first.energy() >= latest.energy) return", "first.energy() > latest.energy) return"],
    [
      "(timestamp, energy) = (first.timestamp(), first.energy());",
      "(timestamp, energy) = (latest.timestamp, first.energy());",
    ],
    [
      "(timestamp, energy) = (first.timestamp(), first.energy());",
      "(timestamp, energy) = (first.timestamp(), latest.energy);",
    ],
    ["!standing.terms.raised || produced <=", "produced <="],
    ["_settledBefore(standing.keyId, epoch) : epoch", "epoch : epoch"],
    ["_rise(gap.energyBefore, rest.energy) + _rise(rest.energy", "_rise(rest.energy"],
    [" + _rise(energy, gap.energyAfter);", ";"],
    ["rise - _rise(gap.energyBefore, gap.energyAfter);", "rise;"],
    ["timestamp >= gap.until || ", ""],
    ["timestamp >= gap.until || ", "timestamp > gap.until || "],
    [" || rest.produced > gap.room", ""],
    ["timestamp > gap.since && rest.produced != 0", "rest.produced != 0"],
    ["timestamp > gap.since && rest.produced != 0", "timestamp > gap.since"],
    ["return isForward && rest.timestamp > gap.since;", "return isForward;"],
    ["return isForward && rest.timestamp > gap.since;", "return rest.timestamp > gap.since;"],
    ["(timestamp == rest.timestamp && standing.head.size == 1)", "timestamp == rest.timestamp"],
    [" || (timestamp == rest.timestamp && standing.head.size == 1)", ""],
    ["step <= EPOCH_STRIDE && ", ""],
    [" && step <= epoch;", ";"],
    ["_otherLogs[keyId][latest.epoch] = OtherLog(latest.root, latest.size);", ""],
    ["goesOn ? standing.head.reading.timestamp() : until", "until"],
    ["(goesOn ? produced : 0)", "0"],
    ["Math.min(room, Math", "Math.max(room, Math"],
    ["Math.saturatingSub(possible, _rise(gap.energyBefore, rest.energy))", "possible"],
    ["room -= before;", ""],
    ["uint256 room = gap.room - rest.produced;", "uint256 room = gap.room;"],
    ["_otherLogs[keyId][head.epoch] = OtherLog(head.root, head.size);", ""],
    ["_latest[keyId].produced = _producedBy(standing, rest.produced);", ""],
    ["produced = standing.latest.produced + more;", "produced = more;"],
    ["timestamp >= _raises[keyId].raisedAt", "timestamp > _raises[keyId].raisedAt + 7 days"],
    ["standing.terms.rotatedIn ? _meterOf[keyId] : keyId", "keyId"],
    ["terms.rotatedIn ? _meterOf[keyId] : keyId;", "keyId;"],
    ["first.epoch == second.epoch &&", ""],
    ["first.size != 0 &&", ""],
    ["first.size <= second.size &&", ""],
    ["second.size < MerkleLog.SIZE_LIMIT,", "true,"],
    ["first.size != second.size || firstHash == secondHash", "first.size != second.size"],
    ["first.size != second.size || firstHash == secondHash", "firstHash == secondHash"],
    ["placed.index == head.size - 1 && Reading", "Reading"],
    [" && Reading.unwrap(placed.reading) == Reading.unwrap(head.reading);", ";"],
    ["return isLast || _contains", "return _contains"],
    ["bool frozen = status == Status.Active;", "bool frozen = true;"],
    ["registry.tellFrozen(meterOf(keyId));", ""],
    ["terms.status != Status.Active || block.timestamp <= timestamp", "block.timestamp <= timestamp"],
    ["terms.status != Status.Active || block.timestamp <= timestamp", "terms.status != Status.Active"],
    ["Math.min(timestamp, settledAt) + unattestedAfter", "timestamp + unattestedAfter"],
    ["Math.min(timestamp, settledAt) + unattestedAfter", "settledAt + unattestedAfter"],
    ["since != 0 && timestamp >= since", "timestamp >= since"],
    ["since != 0 && timestamp >= since", "since != 0"],
    ["(until == 0 || timestamp < until)", "true"],
    ["timestamp < until)", "timestamp <= until)"],
    ["_counts(keyId, placed.reading) && _contains", "_contains"],
    ["            _counts(keyId, placed.reading) &&\n", ""],
    ["head.size < MerkleLog.SIZE_LIMIT &&\n", ""],
  ]),
  ...edits("MeterRegistry.sol", [
    ["PROPOSAL_DELAY = 14 days", "PROPOSAL_DELAY = 13 days"],
    ["if (before.status != IWattWitness.Status.Decommissioned) predecessor", "predecessor"],
    ["Statement.keyId(key) == keyId && ", ""],
    [" && rotationHash.isSigned(rotation, key)", ""],
    ["_rotatedIn[meter].push(newKeyId);", ""],
    ["_productions[meter].before += uint64(produced);", ""],
    ["delete _proposals[meter][change];\n        emit ProposalExecuted", "emit ProposalExecuted"],
    ["delete _proposals[meter][change];\n        emit ProposalCancelled", "emit ProposalCancelled"],
    ["msg.sender != _ownerOf(uint256(meter)) && msg.sender != _watchers[meter]", "msg.sender != _watchers[meter]"],
    [" && msg.sender != _watchers[meter]", ""],
    ["return may || delay != 0;", "return may;"],
    ["return may || delay != 0;", "return delay != 0;"],
    ["capacity != 0 && capacity < current", "capacity < current"],
    ["capacity != 0 && capacity < current", "capacity != 0"],
    ["wattWitness.setPayee(_keyOf(meter), to);", ""],
    ["wattWitness.setPayee(_keyOf(meter), to);", "wattWitness.setPayee(meter, to);"],
    ["wattWitness.setPayee(_keyOf(meter), owner);", ""],
    ["wattWitness.setPayee(_keyOf(meter), owner);", "wattWitness.setPayee(meter, owner);"],
    ["wattWitness.setPayee(_keyOf(meter), payee);", "wattWitness.setPayee(meter, payee);"],
    ["msg.sender == from && _proposals", "_proposals"],
    ["timestamp < proposal.proposedAt", "timestamp <= proposal.proposedAt"],
    ["_productions[meter].before + latest.produced", "latest.produced"],
    ["_productions[meter].before + wattWitness", "wattWitness"],
    ["interfaceId == bytes4(0x49064906) || ", ""],
    [
      "emit KeyRotated(meter, newKeyId, keyId, newKey.key.x, newKey.key.y);\n\n        uint256 produced = wattWitness.succeed(meter, keyId, newKeyId, newKey.baseline);",
      "uint256 produced = wattWitness.succeed(meter, keyId, newKeyId, newKey.baseline); emit KeyRotated(meter, newKeyId, keyId, newKey.key.x, newKey.key.y);",
    ],
  ]),
  ...edits("ProductionToken.sol", [
    ["retirementNonces[from]++", "retirementNonces[from]"],
    ["_totalRetired += uint192(amount);", ""],
    ["_tally(_by[from], serial, amount);", ""],
    ["_tally(_for[beneficiary], serial, amount);", ""],
    ["tally.serials[count / 4][count % 4] = uint64(serial);", ""],
    ["(count + 1, tally.amount + uint192(amount))", "(count, tally.amount + uint192(amount))"],
    ["(count + 1, tally.amount + uint192(amount))", "(count + 1, tally.amount)"],
  ]),
  ...edits("Authority.sol", [["closedAt == 0 ? 0 : NOTICE", "NOTICE"]]),
  ...edits("Lens.sol", [
    ["before.keyId == next.keyId && later > energy ?", "later > energy ?"],
    ["to = end;", ""],
  ]),
  ...edits("FunctionsAttestor.sol", [
    ["response.length == 32 && bytes32(response) == root", "response.length == 32"],
    ["response.length == 32 && ", ""],
    ["err.length == 0 && ", ""],
    ["delete pendingRoot[requestId];", ""],
    ["paused() || due.root == 0 || _isAttested(due.root)", "due.root == 0 || _isAttested(due.root)"],
    ["paused() || due.root == 0 || _isAttested(due.root)", "paused() || due.root == 0"],
    ["due.attempts == ATTEMPTS || block", "block"],
    ["due.attempts == ATTEMPTS || block.timestamp < due.requestedAt + RETRY_AFTER", "due.attempts == ATTEMPTS"],
    ["may && _ownsSubscription(operator, due.subscriptionId)", "_ownsSubscription(operator, due.subscriptionId)"],
    ["may && _ownsSubscription(operator, due.subscriptionId)", "may"],
    ["due.attempts += 1;", ""],
    ["due.requestedAt = uint64(block.timestamp);", ""],
  ]),
  ...edits("libraries/Statement.sol", [
    ["!answersBad || !answersGood || ", ""],
    [" || onBad != 0 || onGood > 1", " || onGood > 1"],
    [" || onBad != 0 || onGood > 1", " || onBad != 0"],
  ]),
  ...edits("libraries/Page.sol", [
    ["Math.min(Math.saturatingSub(all, start), count)", "Math.saturatingSub(all, start)"],
  ]),
  ...edits("libraries/Date.sol", [
    ["month < 10 ? month + 3", "month < 10 ? month + 2"],
    ["month < 3 ? 1 : 0", "0"],
    [" + day / 36_524", ""],
    ["year / 4 - year / 100", "year / 4"],
  ]),
  ...edits("parks/SolarPark.sol", [
    ["KINDS_LIMIT = 8", "KINDS_LIMIT = 9"],
    ["KINDS_LIMIT = 8", "KINDS_LIMIT = 7"],
    ["if (delegates(holder) == address(0)) _delegate(holder, holder);", ""],
    [
      "return balanceOf(account) == shares && getPastVotes(account, clock() - 1) == shares;",
      "return balanceOf(account) == shares;",
    ],
    ["balanceOf(account) == shares && getPastVotes", "getPastVotes"],
    ["shares < Income.SHARES_LIMIT - supply", "shares < Income.SHARES_LIMIT"],
    ["override(ERC20, ERC20Votes) nonReentrant {", "override(ERC20, ERC20Votes) {"],
    [
      "function claim(IERC20[] calldata kinds_, address to) external nonReentrant {",
      "function claim(IERC20[] calldata kinds_, address to) external {",
    ],
    ["function count() public nonReentrant {", "function count() public {"],
    [
      "function buy(bytes32 meter, IERC20 kind, uint256 price) external nonReentrant {",
      "function buy(bytes32 meter, IERC20 kind, uint256 price) external {",
    ],
    ["external view nonReentrantView returns (Claimable[]", "external view returns (Claimable[]"],
    ["_parts[index][msg.sender].accrued = uint128(part.accrued - amount * Income.SCALE);", ""],
    ["part.accrued - amount * Income.SCALE", "0"],
    ["_accounts[index].held -= uint96(amount);", ""],
    ["_claimed[index] += amount;", ""],
    ["_placeOf[kind] == 0 && address(kind)", "address(kind)"],
    ["address(kind) != address(this) && address(kind)", "address(kind)"],
    [" && address(kind).code.length != 0;", ";"],
    ["_accounts[index] = counted;", ""],
    ["_parts[index][holder] = part;", ""],
    ["balance <= kind.held || shares == 0 ? kind", "shares == 0 ? kind"],
    ["balance <= kind.held || shares == 0 ? kind", "balance <= kind.held ? kind"],
    ["let answered := staticcall(BALANCE_GAS, kind", "let answered := staticcall(gas(), kind"],
    ["and(answered, gt(returndatasize(), 31))", "answered"],
    ["and(answered, gt(returndatasize(), 31))", "gt(returndatasize(), 31)"],
    ["address(kind) != address(0) && address(offered.kind)", "address(offered.kind)"],
    ["address(offered.kind) == address(kind) && offered.price", "offered.price"],
    [" && offered.price == price;", ";"],
    ["isFor && isOffered", "isOffered"],
    ["_meters.remove(meter);", ""],
    ["delete _offers[meter];", ""],
    ["delete permittedKeyOf[meter];\n    }", "}"],
    ["delete permittedKeyOf[meter];\n        registry", "registry"],
    ["isLet || isVote", "isVote"],
    ["msg.sender == manager && (powers", "(powers"],
  ]),
  ...edits("parks/RestrictedPark.sol", [
    ["FORCED_TRANSFER_DELAY = 7 days", "FORCED_TRANSFER_DELAY = 6 days"],
    ["_allow(terms.holders[i], true, true);", ""],
    ["_permissions[account] = Permission(canSend_, canReceive_);", ""],
    ["_frozen[account] = amount;", ""],
    ["shares > balance || shares <= unfrozen;", "shares <= unfrozen;"],
    ["executableAt != 0 &&\n", ""],
    ["block.timestamp >= executableAt &&\n", ""],
    [" &&\n                block.timestamp < executableAt + FORCED_TRANSFER_DELAY;", ";"],
    ["block.timestamp < executableAt +", "block.timestamp <= executableAt +"],
    [
      "require(isDue, ForcedTransferNotDue(from, to, amount, executableAt));\n        delete _executableAt[_idOf(from, to, amount)];",
      "require(isDue, ForcedTransferNotDue(from, to, amount, executableAt));",
    ],
    ["canSend(from) && canReceive(to) && (", "canReceive(to) && ("],
    ["canSend(from) && canReceive(to) && (", "canSend(from) && ("],
    ["_frozen[from] == 0 || amount", "amount"],
    ["interfaceId == type(IERC7943Fungible).interfaceId || ", ""],
  ]),
  ...edits("parks/ParkFactory.sol", [
    ["VOTING_DELAY = 1 hours", "VOTING_DELAY = 59 minutes"],
    ["VOTING_PERIOD = 1 days", "VOTING_PERIOD = 23 hours"],
    ["EXECUTION_DELAY = 1 days", "EXECUTION_DELAY = 23 hours"],
    ["LONGEST = 12 days", "LONGEST = 13 days"],
    ["isSlow && isInTime", "isInTime"],
    ["isSlow && isInTime", "isSlow"],
    ["rules.quorum != 0 && ", ""],
    [" && rules.quorum <= 100, Rules", ", Rules"],
    ["isPark[address(made.park)] = true;", ""],
    ["timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));", ""],
    ["timelock.grantRole(timelock.CANCELLER_ROLE(), governor);", ""],
  ]),
  ...edits("parks/ParkGovernor.sol", [
    [
      "Math.ceilDiv(token().getPastTotalSupply(timepoint) * _quorum, 100)",
      "(token().getPastTotalSupply(timepoint) * _quorum) / 100",
    ],
  ]),
  ...edits("parks/ParkDescriptor.sol", [
    ["description.name.escapeJSON()", "description.name"],
    ["description.symbol.escapeJSON()", "description.symbol"],
  ]),
  ...edits("certificates/HourlyCertificates.sol", [
    ["UNITS = 1e12", "UNITS = 1e12 + 1"],
    ["_named[meter] = Named(msg.sender, issuer);", "_named[meter] = Named(msg.sender, ANYONE);"],
    ["named.owner == owner ? named.issuer", "true ? named.issuer"],
    ["issuer == msg.sender || issuer == ANYONE", "issuer == msg.sender"],
    ["issuer == msg.sender || issuer == ANYONE", "issuer == ANYONE"],
    ["run.keyId != position.keyId || run.epoch > position.epoch", "run.epoch > position.epoch"],
    ["run.epoch > position.epoch;", "run.epoch >= position.epoch;"],
    ["timestamp > position.timestamp, ReadingsNotForward", "timestamp >= position.timestamp, ReadingsNotForward"],
    [" && reading.conditions() & ~HARMLESS_CONDITIONS == 0;", ";"],
    ["reading.timestamp() % 1 hours == 0 && ", ""],
    ["position.keyId == run.keyId && energy > position.energy ? energy", "energy > position.energy ? energy"],
    ["run.readings[i].index == position.index + 1", "true"],
    ["return run.readings[0].index == 0;", "return true;"],
    ["isLastLog && run.readings[0]", "run.readings[0]"],
    ["isLastLog && run.readings[0].reading.timestamp() == until", "isLastLog"],
    ["(position.start, position.produced) = (position.timestamp, 0);", "position.start = position.timestamp;"],
    ["hours_.flip(first, span);", ""],
    ["energy < Entries.ENERGY_LIMIT && span", "span"],
    [" && span < Entries.SPAN_LIMIT, Cert", ", Cert"],
    ["Entry(energy, 0, span)", "Entry(energy, energy, span)"],
    ["making.sum += energy;", ""],
    ["entry.redeemed += energy;", ""],
    ["issuedHours[meter].flip(first, (certificate", "if (false) issuedHours[meter].flip(first, (certificate"],
    ["_entries[meter].put(first, Entry(0, 0, 0));", ""],
    ["entry.energy != 0 && idOf", "idOf"],
    ["entry.energy != 0 && idOf(meter, start, end) == id", "entry.energy != 0"],
    ["sha256(document) == details || ", ""],
    [" || keccak256(document) == details,", ","],
    ["_details[meter] = document;", ""],
  ]),
  ...edits("certificates/CertificateDescription.sol", [
    ["certificate.redeemed == certificate.energy ?", "true ?"],
    ["certificate.redeemed == certificate.energy ?", "false ?"],
    ['hour < 10 ? "T0" : "T"', '"T"'],
  ]),
  ...edits("libraries/Entry.sol", [
    ["IN_A_SLOT = 3", "IN_A_SLOT = 4"],
    ["& ~((2 ** BITS - 1) << shift)", "& 0"],
  ]),
  ...edits("libraries/HourSet.sol", [
    ["<< (hour % 256)", "<< 0"],
    ["set[hour / 256] ^= bits;", "set[hour / 256] |= bits;"],
  ]),
  ...edits("libraries/Capacity.sol", [["Math.min(raisedAt, end), start", "end, start"]]),
  ...edits("libraries/Income.sol", [
    ["amount * SCALE + carry", "amount * SCALE"],
    ["uint32(rest), kind.perShare", "0, kind.perShare"],
    ["((left - 1) * shares)", "(left * shares)"],
    ["Math.min(type(uint96).max - kind.held, divisible)", "divisible"],
    ["part.accrued + uint128(more)", "uint128(more)"],
  ]),
  ...edits("libraries/StoredCode.sol", [
    ["extcodecopy(piece, end, 1, size)", "extcodecopy(piece, end, 0, size)"],
    ["end := add(end, size)", "end := add(end, 0)"],
    ["if and(iszero(made), gt(returndatasize(), 0)) {", "if 0 {"],
  ]),
  ...edits("libraries/Reading.sol", [["HARMLESS_CONDITIONS = 0x06", "HARMLESS_CONDITIONS = 0x0E"]]),
  ...edits("libraries/MerkleLog.sol", [
    ["proven := and(eq(sibling, end), eq(hash, root))", "proven := eq(hash, root)"],
    ["consistent := and(eq(sibling, end), and(", "consistent := and(1, and("],
    ["and(eq(oldHash, fromRoot), eq(hash, toRoot))", "eq(hash, toRoot)"],
    ["if (from == 0 || from >= to) return false;", "if (from == 0) return false;"],
  ]),
];

/** What makes no difference that a test could notice, and why not. */
const EQUAL = new Map([
  ["WattWitness.sol: if (true || standing.terms.raised)", "a raise that is none is forgotten once more"],
  [
    "WattWitness.sol: !standing.terms.raised || produced <= → produced <=",
    "without a raise it is held against the same",
  ],
  [
    "WattWitness.sol: if (true || rest.epoch != head.epoch)",
    "nothing lies before a log that goes on from its own reading",
  ],
  ["WattWitness.sol: step <= EPOCH_STRIDE &&  → nothing", "settled epochs are never further apart; it bounds the gas"],
  ["MeterRegistry.sol: meterOf is not onlyKnown(meter)", "what it reads then is refused for the same reason"],
]);

function edits(file: string, changes: [from: string, to: string][]): Edit[] {
  return changes.map(([from, to]) => ({ file, from, to }));
}

/** Every `require(condition, …)` of a contract, as a mutation in which the condition always holds. */
function guardsOf(file: string, source: string): Mutation[] {
  return [...source.matchAll(/\brequire\(/g)].map(({ index }) => {
    const start = index + "require(".length;
    const end = endOfArgument(source, start);
    const condition = source.slice(start, end);
    return {
      file,
      name: `${file}: ${condition.replace(/\s+/g, " ").trim()}`,
      apply: (text) => `${text.slice(0, start)}true || (${condition})${text.slice(end)}`,
    };
  });
}

/** Every `if (condition)`, as two mutations: in which it always holds, and in which it never does. */
function branchesOf(file: string, source: string): Mutation[] {
  return [...source.matchAll(/\bif \(/g)].flatMap(({ index }) => {
    const start = index + "if (".length;
    const end = endOfArgument(source, start);
    const condition = source.slice(start, end);
    return ["true ||", "false &&"].map((forced) => ({
      file,
      name: `${file}: if (${forced} ${condition.replace(/\s+/g, " ").trim()})`,
      apply: (text: string) => `${text.slice(0, start)}${forced} (${condition})${text.slice(end)}`,
    }));
  });
}

const MODIFIERS = / (restricted|whenNotPaused|only[A-Z]\w*(\([^)]*\))?)/g;

/** Every modifier of a function that lets only some through, as a mutation in which it is gone. */
function restrictionsOf(file: string, source: string): Mutation[] {
  return [...source.matchAll(/function (\w+)\([^)]*\)([^{;]*)\{/g)].flatMap(({ 0: whole, 1: name, 2: header, index }) =>
    [...(header as string).matchAll(MODIFIERS)].map(({ 0: modifier, index: at }) => {
      const start = index + whole.indexOf(header as string) + at;
      return {
        file,
        name: `${file}: ${name} is not${modifier}`,
        apply: (text: string) => text.slice(0, start) + text.slice(start + modifier.length),
      };
    }),
  );
}

/** Where the argument that begins at `start` ends: at the first comma, or the closing parenthesis, that is its own. */
function endOfArgument(source: string, start: number): number {
  for (let [at, depth] = [start, 0]; at < source.length; at++) {
    if (source[at] === "(") depth += 1;
    if (source[at] === ")") depth -= 1;
    if (depth < 0 || (source[at] === "," && depth === 0)) return at;
  }
  throw new Error("an argument without an end");
}

async function mutations(): Promise<Mutation[]> {
  const read = (file: string) => readFile(new URL(`../contracts/${file}`, import.meta.url), "utf8");
  const found = await Promise.all(
    Object.keys(GUARDED).map(async (file) => {
      const source = await read(file);
      return [...guardsOf(file, source), ...restrictionsOf(file, source), ...branchesOf(file, source)];
    }),
  );
  const edited = await Promise.all(EDITS.map(mutationOf));
  return [...found.flat(), ...edited];
}

const { values } = parseArgs({ options: { only: { type: "string", multiple: true, default: [""] } } });
const found = await mutations();
for (const name of EQUAL.keys())
  if (!found.some((mutation) => mutation.name === name)) throw new Error(`no mutation is called ${name}`);
const all = found.filter(({ name }) => values.only.some((text) => name.includes(text)) && !EQUAL.has(name));
if (all.length === 0) {
  console.error(`no mutation has ${values.only.join(" or ")} in its name`);
  process.exit(1);
}
const queue = [...all];
const survivors: string[] = [];
let caught = 0;

const testsPass = async (copy: Copy, tests: string[]): Promise<boolean> => {
  const { code } = await copy.hardhat("test", "mocha", "--bail", ...tests);
  return code === 0;
};

const workers = Array.from({ length: Math.min(2, availableParallelism()) }, async (_, worker) => {
  const copy = await createCopy({ quick: true });
  try {
    if (worker === 0 && !(await testsPass(copy, testsOf("WattWitness.sol"))))
      throw new Error("the tests fail as it is");
    for (let next = queue.shift(); next; next = queue.shift()) {
      const mutation = next;
      const noticed = await copy.mutated(mutation, async () => !(await testsPass(copy, testsOf(mutation.file))));
      if (noticed) caught += 1;
      else survivors.push(mutation.name);
      console.log(`${noticed ? "caught  " : "SURVIVED"}  ${mutation.name}`);
    }
  } finally {
    queue.length = 0;
    await copy.remove();
  }
});
await Promise.all(workers);
console.log(`${caught}/${all.length} mutations caught`);
for (const name of survivors) console.log(`survived: ${name}`);
process.exit(survivors.length === 0 ? 0 : 1);
