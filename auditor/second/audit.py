#!/usr/bin/env python3
"""A second pair of eyes: from the chain's logs and the readings alone, is every token a kWh that a device signed?

    python3 audit.py FOLDER [BATCH]

It shares no code with the auditor beside it, only the specification (protocol/README.md), and must come to the same
numbers. It trusts nothing in the folder but that the logs are the chain's:

    chain.json           chain id, the contracts, the blocks that the logs are of
    logs.ndjson          every log of the contracts, in order, as eth_getLogs gives it, with its block's timestamp
    batches/<digest>     the readings; a file's name is its SHA-256
    transactions.ndjson  that brought keys, equivocations and settlements without attestation, for their signatures
    views.ndjson         raw answers of the contracts to eth_call at the last block: every balance, every key's terms and newest log
    second.ndjson        the same logs as another node gives them, where chain.json names one

A BATCH is a file by itself: it must be of known keys, and tell no other story than what is settled.
It prints one JSON, mWh and units as decimal strings. Exit: 0 verified, 1 refuted, 2 cannot tell, for something is missing.
It leaves to the chain what logs do not show: who may register, propose and attest, and which source the DON runs.
"""
import json
import sys
from collections import defaultdict, namedtuple
from itertools import islice, zip_longest
from pathlib import Path

from batches import SIZE_LIMIT, Moment, head_of, moment_of, number, read_batch, sha256, signature_failure, text
from events import EVENTS, HARMLESS, NAMED, SETTLE, VIEWS, decode
from sent import check as check_sent

ZERO, NOBODY = "0x" + 64 * "0", "0x" + 40 * "0"
UNITS = 10**12  # of the token in 1 mWh
EPOCH_STRIDE = 64  # epochs that a new one may be above the last
CLOCK_TOLERANCE = 300  # s that a reading may be ahead of the block
PROPOSAL_DELAY = 14 * 86400  # s after which a proposal is due, and as long as which it then is
BEHIND = 20  # blocks that one node may be behind another
NEVER = 0xFFFFFFFF  # unattested_after: nothing settles without attestation

# THE CONTRACTS' RULES, replayed over the logs

Log = namedtuple("Log", "size root timestamp energy")  # as far as it is settled
Gap = namedtuple("Gap", "since until before after room")  # what is left between two logs: s, s, mWh, mWh, mWh
Begun = namedtuple("Begun", "transaction owner epoch log terms")  # how a key began: what it claims, and on which terms
Settlement = namedtuple("Settlement", "thing event point capacity source log first transaction")

class Key:
    def __init__(self, meter, point, payee, capacity, source, predecessor=None):
        self.meter, self.point, self.payee, self.capacity, self.source = meter, point, payee, capacity, source
        self.status, self.until, self.predecessor = "announced", None, predecessor
        self.raised, self.raised_at, self.raised_from = False, 0, 0
        self.begun, self.terms, self.is_proposed, self.settled_at = None, None, False, 0
        self.epoch, self.logs, self.gaps = 0, {}, {}  # the newest log's; by epoch

    def possible(self, start, end):
        """mWh that the meter can make; before its capacity was raised, as much as it could then."""
        early = max(0, min(self.raised_at, end) - start)
        less = max(0, self.capacity - self.raised_from) * 1000 * early // 3600
        return self.capacity * 1000 * (end - start) // 3600 - less

    def gap_before(self, epoch):
        """Of the newest settled log up to this epoch: its epoch, and what is left behind it."""
        before = max((each for each in self.logs if each <= epoch <= each + EPOCH_STRIDE), default=None)
        return before, self.gaps.get(before, Gap(0, 0, 0, 0, 0))

def rise(energy, later):
    return max(0, later - energy)  # where it is lower, the register was lost

def domain_of(chain):
    registry = bytes.fromhex(chain["registry"][2:])
    return sha256(b"WattWitness/1 head", chain["chain_id"].to_bytes(8, "big"), registry)

class Audit:
    def __init__(self, folder):
        self.folder, self.findings, self.settlements = Path(folder), [], []
        self.keys, self.meters, self.owners = {}, {}, {}  # by key id; of every meter its current key id, and its owner
        self.attested, self.digests, self.roots, self.named = set(), {}, {}, None  # root to digest, and back
        self.balances, self.serial, self.readings = defaultdict(int), 0, 0
        self.produced = self.minted = self.retired = self.time = 0
        self.proposals, self.due, self.requests, self.equivocations = {}, {}, {}, []
        self.unattested_after = NEVER
        self.beside, self.transaction = {}, None  # events that the next must take up

    def require(self, holds, rule, thing, expected, found):
        if not holds:
            self.findings.append({"rule": rule, "object": thing, "expected": str(expected), "found": str(found)})

    def equal(self, rule, thing, expected, found):
        self.require(expected == found, rule, thing, expected, found)

    def missing(self, thing, expected):
        self.require(False, "missing", thing, expected, "nothing")

    def lines(self, name):
        with open(self.folder / name, encoding="utf-8") as file:
            yield from map(json.loads, file)

    def replay(self, chain):
        contracts = {chain[name].lower(): name for name in ("registry", "watt_witness", "token")}
        contracts.update((address.lower(), "attestor") for address in chain["attestors"])
        place, blocks, self.unattested_after = (-1, -1), {}, chain["unattested_after"]
        if NAMED not in (log["topics"][0] for log in self.lines("logs.ndjson")):
            raise ValueError("a history without its beginning")  # of which nothing can be judged
        for log in self.lines("logs.ndjson"):
            block, index, time = int(log["blockNumber"], 16), int(log["logIndex"], 16), log["timestamp"]
            where, contract, topic = f"log {index} of block {block}", contracts.get(log["address"].lower()), log["topics"][0]
            is_next = place < (block, index) and chain["from_block"] <= block <= chain["block"]
            self.require(is_next, "order", where, f"after {place}, and no later than {chain['block']}", (block, index))
            self.require(self.time <= time == blocks.setdefault(block, time), "order", where, "its block's time", time)
            if log["transactionHash"] != self.transaction:
                self.nothing_beside()
            place, self.time, self.transaction = (block, index), time, log["transactionHash"]
            if topic in EVENTS.get(contract, {}):
                topics = [bytes.fromhex(each[2:]) for each in log["topics"]]
                self.tell(contract, decode(EVENTS[contract][topic], topics, bytes.fromhex(log["data"][2:])))
            else:
                is_known = contract == "attestor" or contract and topic in HARMLESS
                self.require(is_known, "unknown event", where, "an event of the contracts", topic)
        self.nothing_beside()
        self.equal("other contract", "the registry", self.named, chain["watt_witness"].lower())
        for key_id, key in self.keys.items():
            self.require(key.status not in ("announced", "succeeded"), "begun", key_id, "begun and ended", key.status)
        for meter, owner in self.owners.items():
            self.require(owner != NOBODY, "owner", meter, "an owner", "nobody")
        self.equal("minted", "the token", self.produced * UNITS, self.minted)
        self.equal("supply", "the token", self.minted - self.retired, sum(self.balances.values()))

    def tell(self, contract, event):
        """Hands an event to the rule of its name, with the key that it is about."""
        if set(self.beside) - {"LogBegun": {"mint"}, "Settled": {"mint", "LogBegun"}, "Retired": {"burn"}}.get(event.kind, set()):
            self.nothing_beside()
        rule = getattr(self, f"{contract}_{event.kind}", None)
        key_id = event.keyId if contract == "watt_witness" and event.kind != "Attested" else None
        if contract == "registry" and event.kind not in ("WattWitnessNamed", "MeterRegistered"):
            key_id = self.meters.get(getattr(event, "meter", None) or f"0x{event.tokenId:064x}", "of no meter")
        is_known = key_id is None or key_id in self.keys
        self.require(is_known, "unknown key", event.kind, "a registered one", key_id)
        if is_known and rule:
            rule(event, self.keys.get(key_id))

    def nothing_beside(self):
        for name, what in self.beside.items():
            self.require(False, f"{name} alone", f"transaction {self.transaction}", "what it belongs to, right after it", what)
        self.beside = {}

    # the registry: whose a key is, and on what terms

    def registry_WattWitnessNamed(self, event, _):
        self.named = event.wattWitness

    def registry_MeterRegistered(self, event, _):
        self.new_key(event.meter, event, event.meter, event.owner, event.capacity, event.source)
        are_terms = event.capacity > 0 and event.source <= 0x1F
        self.require(are_terms, "terms", event.meter, "a capacity and a source", (event.capacity, event.source))
        self.meters[event.meter], self.owners[event.meter] = event.meter, NOBODY
        self.keys[event.meter].terms = (event.owner, event.capacity, event.source, event.details)

    def registry_KeyRotated(self, event, old):
        self.equal("previous key", event.keyId, self.meters[event.meter], event.previousKeyId)
        self.new_key(event.keyId, event, old.meter, old.payee, old.capacity, old.source, old)
        self.keys[event.keyId].is_proposed = self.due.pop((event.meter, 0), None) == int(event.keyId, 16)
        old.status, self.meters[event.meter] = "succeeded", event.keyId

    def registry_Proposed(self, event, _):
        self.equal("proposal delay", event.meter, self.time + PROPOSAL_DELAY, event.executableAt)
        self.proposals[event.meter, event.change] = (event.value, event.executableAt)

    def registry_ProposalCancelled(self, event, _):
        proposal = self.proposals.pop((event.meter, event.change), None)
        self.require(proposal, "not proposed", event.meter, "a proposal", "none")

    def registry_ProposalExecuted(self, event, _):
        value, due = self.proposals.pop((event.meter, event.change), (None, 0))
        self.equal("not proposed", event.meter, value, event.value)
        self.require(due <= self.time < due + PROPOSAL_DELAY, "proposal not due", event.meter, f"from {due} on", self.time)
        self.due[event.meter, event.change] = event.value

    def new_key(self, key_id, event, meter, *terms):
        point = bytes.fromhex(event.x[2:] + event.y[2:])
        self.equal("key id", key_id, text(sha256(point)), key_id)
        self.require(key_id not in self.keys, "key used once", key_id, "a new key", "a known one")
        self.keys[key_id] = Key(meter, point, *terms)

    def registry_Transfer(self, event, key):
        """To whom a meter goes, there goes what it produces; a new one to whom its registration names."""
        self.equal("owner", key.meter, self.owners[key.meter], event.sender)
        self.require(self.owners[key.meter] != NOBODY or event.to == key.payee, "owner", key.meter, key.payee, event.to)
        self.owners[key.meter] = key.payee = event.to

    def registry_PayoutChanged(self, event, key):
        key.payee = event.payout

    def registry_CapacityChanged(self, event, key):
        """A raise holds from now on, a lower capacity for all that is not settled."""
        if event.capacity > key.capacity:
            self.equal("capacity not proposed", event.meter, event.capacity, self.due.pop((event.meter, 2), None))
            key.raised_from = key.raised_from if key.raised else key.capacity
            key.raised, key.raised_at = True, self.time
        key.capacity = event.capacity

    def registry_MeterDecommissioned(self, event, key):
        self.equal("decommissioned", event.meter, "over", key.status)

    def watt_witness_Begun(self, event, key):
        self.equal("begun", event.keyId, "announced", key.status)
        is_baseline = 0 < event.size < SIZE_LIMIT and event.timestamp <= self.time + CLOCK_TOLERANCE
        self.require(is_baseline, "baseline", event.keyId, f"readings up to {self.time}", (event.size, event.timestamp))
        if key.predecessor:  # every moment of a meter is one key's
            latest = key.predecessor.logs[key.predecessor.epoch].timestamp
            self.equal("key interval", event.keyId, key.predecessor.until, event.timestamp)
            self.require(event.timestamp > latest, "key interval", event.keyId, f"after {latest}", event.timestamp)
        key.status, key.epoch, key.settled_at = "active", event.epoch, self.time
        key.logs[event.epoch] = log = Log(event.size, event.root, event.timestamp, event.energy)
        owner = self.owners[key.meter] if self.owners[key.meter] != NOBODY else key.payee
        key.begun = Begun(self.transaction, owner, event.epoch, log, key.terms)

    def watt_witness_Ended(self, event, key):
        self.equal("ended", event.keyId, 3 if key.status == "succeeded" else 4, event.status)
        if key.status != "succeeded":
            self.equal("key interval", event.keyId, max(self.time, key.logs[key.epoch].timestamp) + 1, event.until)
        key.status, key.until = "over", event.until

    def watt_witness_Equivocated(self, event, key):
        self.equal("frozen", event.keyId, key.status == "active", event.frozen == 1)
        key.status = "frozen" if key.status == "active" else key.status
        self.equivocations.append((event, key, self.transaction))

    # attestations and settlements

    def attestor_AttestationRequested(self, event, _):
        self.digests[event.root], self.requests[event.requestId] = event.digest, event.root

    def attestor_AttestationConfirmed(self, event, _):
        self.equal("attested root", event.requestId, self.requests.get(event.requestId), event.root)

    def watt_witness_Attested(self, event, _):
        self.require(event.root not in self.attested | {ZERO}, "attested", event.root, "a root, once", "zero or twice")
        self.attested.add(event.root)

    def was_attested(self, thing, event):
        is_known = event.attestation in self.attested | {ZERO}  # zero: settled on the device's signature alone
        self.require(is_known, "attestation unknown", thing, "attested before", event.attestation)

    def watt_witness_Skipped(self, event, _):
        self.was_attested(f"what was skipped of {event.keyId}", event)

    def watt_witness_LogBegun(self, event, _):
        self.beside["LogBegun"] = event

    def watt_witness_Settled(self, event, key):
        thing = f"settlement of {event.keyId}, epoch {event.epoch}, size {event.size}"
        mint, begun, log = self.beside.pop("mint", None), self.beside.pop("LogBegun", None), key.logs.get(event.epoch)
        is_begun = begun is not None and (begun.keyId, begun.epoch) == (event.keyId, event.epoch)
        latest_allowed = self.time + CLOCK_TOLERANCE
        self.equal("key not active", thing, "active", key.status)
        self.equal("other meter", thing, key.meter, event.meter)
        self.equal("payee", thing, key.payee, event.payee)
        self.equal("size does not join", thing, log.size if log else 0, event.fromSize)
        self.require(event.fromSize < event.size < SIZE_LIMIT, "size not forward", thing, f"above {event.fromSize}", event.size)
        self.equal("log begun", thing, log is None, is_begun)
        self.equal("minted", thing, (event.payee, event.produced * UNITS) if event.produced else None, mint)
        self.was_attested(thing, event)
        self.require(event.timestamp <= latest_allowed, "time ahead", thing, f"up to {latest_allowed}", event.timestamp)
        if key.epoch not in key.logs:
            return
        if event.attestation == ZERO:
            since = key.gap_before(event.epoch)[1].since if event.epoch < key.epoch else key.logs[key.epoch].timestamp
            allowed = min(since, key.settled_at) + self.unattested_after
            is_old = self.unattested_after != NEVER and self.time >= allowed
            self.require(is_old, "attestation required", thing, f"from {allowed} on", self.time)
        now = Moment(event.timestamp, event.energy)
        first = Moment(begun.timestamp, begun.energy) if is_begun else now
        self.settlements.append(Settlement(thing, event, key.point, key.capacity, key.source, log, first, self.transaction))
        settle = self.settle_newest if event.epoch >= key.epoch else self.settle_rest
        self.equal("produced", thing, settle(thing, key, event, log, first, now), event.produced)
        key.logs[event.epoch] = Log(event.size, event.root, event.timestamp, event.energy)
        self.produced += event.produced

    def settle_newest(self, thing, key, event, _, first, now):
        """The energy since the last settled reading, or, where a new log begins below it, since its reading 0."""
        latest, is_new = Moment(*key.logs[key.epoch][2:]), event.epoch != key.epoch
        is_lost = is_new and first.energy < latest.energy
        base, last_epoch = first if is_lost else latest, key.epoch + EPOCH_STRIDE
        is_forward = now.timestamp > base.timestamp or event.size == 1 and now.timestamp == base.timestamp
        is_forward = is_forward and (not is_lost or first.timestamp > latest.timestamp)
        produced, possible = now.energy - base.energy, key.possible(base.timestamp, now.timestamp)
        self.require(event.epoch <= last_epoch, "epoch too far", thing, f"up to {last_epoch}", event.epoch)
        self.require(is_forward, "time not forward", thing, f"after {latest.timestamp}", (base.timestamp, now.timestamp))
        self.require(produced >= 0, "energy backward", thing, f"at least {base.energy}", now.energy)
        self.require(produced <= possible, "beyond capacity", thing, f"up to {possible}", produced)
        if is_new and first.timestamp > latest.timestamp:  # heads of earlier logs may still fill the time between
            end, taken = (first.timestamp, 0) if is_lost else (now.timestamp, produced)
            room = key.possible(latest.timestamp, end) - taken
            key.gaps[key.epoch] = Gap(latest.timestamp, first.timestamp, latest.energy, first.energy, room)
        key.epoch, key.settled_at, key.raised = event.epoch, self.time, key.raised and now.timestamp < key.raised_at
        return produced

    def settle_rest(self, thing, key, event, log, first, now):
        """A head of an earlier epoch: what the register rose more, on its way through a gap, than was known."""
        before, gap = key.gap_before(event.epoch)
        start = Moment(gap.since, gap.before) if log else first
        way = rise(gap.before, start.energy) + rise(start.energy, now.energy) + rise(now.energy, gap.after)
        produced = way - rise(gap.before, gap.after)
        is_forward = now.timestamp > start.timestamp or not log and event.size == 1 and now.timestamp == start.timestamp
        is_left = is_forward and start.energy <= now.energy and now.timestamp < gap.until and produced <= gap.room
        is_left = is_left and (produced > 0 if log else start.timestamp > gap.since)
        self.require(is_left, "passed", thing, f"something left of {gap}", (*now, produced))
        room = gap.room - produced
        if not log:
            possible = key.possible(gap.since, start.timestamp) - rise(gap.before, start.energy)
            key.gaps[before] = Gap(gap.since, start.timestamp, gap.before, start.energy, min(room, max(0, possible)))
            room -= key.gaps[before].room
        key.gaps[event.epoch] = Gap(now.timestamp, gap.until, now.energy, gap.after, room)
        return produced

    # the token

    def token_Transfer(self, event, _):
        sender, receiver, value = event.sender, event.to, event.value
        if sender == NOBODY:
            self.beside["mint"], self.minted = (receiver, value), self.minted + value
        else:
            self.balances[sender] -= value
            self.require(self.balances[sender] >= 0, "balance", sender, "at least 0", self.balances[sender])
        if receiver == NOBODY:
            self.beside["burn"] = (sender, value)
        else:
            self.balances[receiver] += value

    def token_Retired(self, event, _):
        thing, self.serial, self.retired = f"retirement {event.serial}", self.serial + 1, self.retired + event.amount
        self.equal("serial", thing, self.serial, event.serial)
        self.equal("burned", thing, (event.sender, event.amount), self.beside.pop("burn", None))

    # THE READINGS of every settlement: hashed again, and held against what the chain says

    def prove(self, chain):
        domain, sizes = domain_of(chain), defaultdict(set)
        for _, event, *_ in self.settlements:
            sizes[event.keyId, event.epoch] |= {event.fromSize, event.size}
        batches, segments = {}, []
        for path in sorted((self.folder / "batches").iterdir()):
            data = path.read_bytes()
            if text(sha256(data)) != path.name:
                self.missing(f"batch {path.name}", "a file of which that is the SHA-256")
                continue
            try:
                found, root = read_batch(data, domain, sizes)
                batches[root], segments, self.roots[path.name] = found, segments + found, root
            except ValueError as failure:
                self.require(False, str(failure), f"batch {path.name}", "every rule of a batch holds", "it does not")
        signatures = self.signatures_in_transactions(chain)
        for settlement in self.settlements:
            if settlement.event.attestation == ZERO:
                segment = self.segment_alone(settlement, segments, domain, signatures)
            else:
                segment = self.segment_attested(settlement, batches)
            if segment:
                self.hold(settlement, segment)

    def segment_attested(self, settlement, batches):
        thing, event, root = settlement.thing, settlement.event, settlement.event.attestation
        other = self.roots.get(self.digests.get(root))
        if root not in batches and other:
            return self.equal("attestation root", thing, root, other)
        if root not in batches:
            return self.missing(thing, f"batch {self.digests.get(root, '')} of attestation {root}")
        place = (event.keyId, event.epoch, event.size, settlement.capacity)
        for each in batches[root]:
            if (each.key_id, each.epoch, each.size, each.capacity) == place:
                return each
        return self.require(False, "not attested", thing, f"a segment {place}", "none in the batch that was attested")

    def segment_alone(self, settlement, segments, domain, signatures):
        """Whichever batch has the readings; the head's signature is in the transaction, where it is not that batch's."""
        thing, event, known = settlement.thing, settlement.event, settlement.log.size if settlement.log else 0
        place = (event.keyId, event.epoch, event.root, settlement.capacity)
        fits = [each for each in segments if (each.key_id, each.epoch, each.roots.get(event.size), each.capacity) == place]
        fits = sorted((each for each in fits if each.start < max(1, known)), key=lambda each: each.size)
        signature = signatures.get((settlement.transaction, event.keyId, event.epoch, event.size))
        if not fits or not signature and fits[0].size != event.size:
            return self.missing(thing, "its signature" if fits else "a batch with its readings")
        if signature:
            root = bytes.fromhex(event.root[2:])
            head = head_of(domain, event.epoch, event.size, fits[0].readings[event.size], root)
            self.equal("signature", thing, None, signature_failure(settlement.point, signature, head))
        return fits[0]

    def hold(self, settlement, segment):
        thing, event, log, last = settlement.thing, settlement.event, settlement.log, segment.readings[settlement.event.size]
        self.equal("root", thing, segment.roots[event.size], event.root)
        self.equal("last reading", thing, moment_of(last), Moment(event.timestamp, event.energy))
        self.equal("source", thing, settlement.source, last[30])
        self.equal("conditions", thing, 0, last[31] & ~0x06)  # energy repeated, and step not counted, do not block
        if log:  # the log only grew: from the same readings follows the root that was settled before
            earlier = segment.readings.get(log.size)
            self.require(earlier, "segment gap", thing, f"from below {log.size}", segment.start)
            self.equal("log inconsistent", thing, segment.roots.get(log.size), log.root)
            self.equal("earlier reading", thing, earlier and moment_of(earlier), Moment(log.timestamp, log.energy))
        else:
            first = segment.readings.get(1) if segment.start == 0 else None
            self.equal("reading 0", thing, first and moment_of(first), settlement.first)
        self.readings += event.size - event.fromSize

    def signatures_in_transactions(self, chain):
        """settle(attestation, items): of each item key 2, epoch, size, reading, root, and signature 2, in words of 32 bytes."""
        signatures = {}
        for transaction in self.lines("transactions.ndjson"):
            data = bytes.fromhex(transaction["input"][2:])
            if (transaction["to"] or "").lower() != chain["watt_witness"].lower() or data[:4].hex() != SETTLE:
                continue  # a call of another contract, which called it: the batch must have the signature
            data = data[4:]
            items = number(data, 32, 32) + 32
            for i in range(min(number(data, items - 32, 32), len(data) // 32)):
                at = items + number(data, items + 32 * i, 32)
                place = (number(data, at + 64, 32), number(data, at + 96, 32))
                signatures[transaction["hash"], text(sha256(data[at : at + 64])), *place] = data[at + 192 : at + 256]
        return signatures

    # WHAT ELSE IS TOLD: the contracts' views, a second node, a batch by itself

    def compare_views(self):
        answers = {each["data"]: bytes.fromhex(each["answer"][2:]) for each in self.lines("views.ndjson")}
        expected = {("balanceOf", holder): (balance,) for holder, balance in self.balances.items()}
        for key_id, key in self.keys.items():
            log = key.logs[key.epoch]
            expected["termsOf", key_id] = (int(key.payee, 16), key.capacity, key.source)
            expected["latestOf", key_id] = (int(log.root, 16), key.epoch, log.size, log.timestamp, log.energy, key.settled_at)
        for (view, of), words in expected.items():
            answer = answers.get(f"0x{VIEWS[view]}{of[2:]:0>64}")
            if answer:
                found = tuple(number(answer, 32 * i, 32) for i in range(len(words)))
                self.equal("view", f"{view}({of})", words, found)
            else:
                self.missing(f"{view}({of})", "an answer")

    def compare(self, chain):
        """Two nodes have the same block and the same logs, and neither stands still."""
        if "second" not in chain:
            return
        rule, other = "the two nodes disagree", chain["second"]
        self.equal(rule, f"block {chain['block']}", chain["block_hash"], other["block_hash"])
        differing = (pair for pair in zip_longest(self.lines("logs.ndjson"), self.lines("second.ndjson")) if pair[0] != pair[1])
        for one, two in islice(differing, 1):
            self.equal(rule, "the first log that differs", one, two)
        if other["newest"] > chain["newest"] + BEHIND:
            self.missing("the node", f"what came after its block {chain['newest']}: the other has {other['newest']}")

    def show(self, chain, path):
        settled = {(key_id, epoch): log for key_id, key in self.keys.items() for epoch, log in key.logs.items()}
        sizes = defaultdict(set, {place: {log.size} for place, log in settled.items()})
        try:
            segments, _ = read_batch(path.read_bytes(), domain_of(chain), sizes)
        except ValueError as failure:
            return self.require(False, str(failure), path.name, "every rule of a batch holds", "it does not")
        for each in segments:
            thing, log = f"segment of {each.key_id}, epoch {each.epoch}", settled.get((each.key_id, each.epoch))
            self.require(each.key_id in self.keys, "unknown key", thing, "a registered one", each.key_id)
            if log and log.size in each.roots:
                self.equal("root", thing, log.root, each.roots[log.size])

    # THE VERDICT. Refuted beats cannot tell; only nothing at all is a pass.

    def verdict(self):
        if any(finding["rule"] != "missing" for finding in self.findings):
            return "refuted"
        return "cannot tell" if self.findings else "verified"

    def run(self, batch=None):
        try:
            chain = json.loads((self.folder / "chain.json").read_text(encoding="utf-8"))
            self.replay(chain)
            self.prove(chain)
            check_sent(self, chain)
            self.compare_views()
            self.compare(chain)
            if batch:
                self.show(chain, Path(batch))
        except Exception as failure:  # what cannot be read, whatever is in it, is no pass
            self.missing(str(self.folder), f"evidence that can be read, and not {type(failure).__name__}: {failure}")
        sums = {"produced_mwh": self.produced, "minted_units": self.minted, "supply_units": sum(self.balances.values())}
        return {
            "verdict": self.verdict(),
            **{"meters": len(self.meters), "settlements": len(self.settlements), "readings": self.readings},
            **{name: str(value) for name, value in (sums | {"retired_units": self.retired}).items()},
            "findings": self.findings,
        }

def main(folder, *batch):
    result = Audit(folder).run(*batch)
    print(json.dumps(result, indent=2))
    return {"verified": 0, "refuted": 1, "cannot tell": 2}[result["verdict"]]

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) in (2, 3) else print(__doc__, file=sys.stderr) or 2)
