"""What was sent: claims, rotations and equivocations are signed in no event. Their signatures are in the input of the transaction
that brought them, in words of 32 bytes. A call may be wrapped in another, of a wallet or a timelock, so it is looked for at every
byte, and believed by its signature alone; where another contract made a call that cannot be read, the contract has checked it."""
from collections import namedtuple

from batches import head_of, is_included, moment_of, number, sha256, signature_failure, text

# how a call begins: of register(registration), rotate(meter, newKey, key, rotation), replaceKey(meter, newKey), …
CALLS = {"register": "81ea8617", "rotate": "ef028d9c", "replaceKey": "65a2d2e2", "proveEquivocation": "94285cab"}

# what a key began with: the head of its baseline, and its signature over the claim
NewKey = namedtuple("NewKey", "point epoch size reading root claim")

def words_after(data, call, count):
    """Of every such call the first words, and all that follows."""
    at = data.find(bytes.fromhex(CALLS[call]))
    while at >= 0:
        rest = data[at + 4 :]
        if len(rest) >= 32 * count:
            yield [rest[32 * i : 32 * i + 32] for i in range(count)], rest
        at = data.find(bytes.fromhex(CALLS[call]), at + 1)

def head_in(words):
    return number(words[0], 0, 32), number(words[1], 0, 32), words[2], words[3]

def new_key(point, baseline, claim):
    return NewKey(b"".join(point), *head_in(baseline), b"".join(claim))

def registered(data):
    """Of every registration the terms: owner, capacity, source, details; and its key."""
    for words, _ in words_after(data, "register", 12):
        terms = (f"0x{number(words[2], 0, 32):040x}", number(words[3], 0, 32), number(words[4], 0, 32), text(words[5]))
        yield new_key(words[:2], words[6:10], words[10:]), terms

def rotated(data):
    """Of every rotation the new key; and the old one's signature, where it is not one that was proposed."""
    for words, _ in words_after(data, "rotate", 13):
        yield new_key(words[1:3], words[3:7], words[7:9]), b"".join(words[11:])
    for words, _ in words_after(data, "replaceKey", 9):
        yield new_key(words[1:3], words[3:7], words[7:9]), None

def check(audit, chain):
    sent = {each["hash"]: each for each in audit.lines("transactions.ndjson")}
    registry = bytes.fromhex(chain["registry"][2:])
    place = chain["chain_id"].to_bytes(8, "big") + registry
    domains = {kind: sha256(b"WattWitness/1 " + kind.encode(), place) for kind in ("head", "claim", "rotate")}
    for key_id, key in audit.keys.items():
        if not key.begun:
            continue
        transaction = sent.get(key.begun.transaction)
        if not transaction:
            audit.missing(key_id, f"the transaction {key.begun.transaction}, with its claim")
            continue
        data = bytes.fromhex(transaction["input"][2:])
        brought = rotated(data) if key.predecessor else registered(data)
        found, more = next((each for each in brought if each[0].point == key.point), (None, None))
        if found:
            check_claim(audit, domains, key_id, key, found)
            if not key.predecessor:
                audit.equal("registration", key_id, more, key.begun.terms)
            elif not key.is_proposed:
                check_rotation(audit, domains, key_id, key, more)
        elif (transaction["to"] or "").lower() == chain["registry"].lower():
            audit.missing(key_id, "its claim in the call of the registry")
    for event, key, transaction in audit.equivocations:
        check_equivocation(audit, domains["head"], chain, event, key, sent.get(transaction))

def check_claim(audit, domains, key_id, key, sent):
    """The key says that it belongs to this meter and this owner, and where its readings begin."""
    log = key.begun.log
    told = (key.begun.epoch, log.size, log.timestamp, log.energy, log.root)
    audit.equal("baseline", key_id, told, (sent.epoch, sent.size, *moment_of(sent.reading), text(sent.root)))
    head = head_of(domains["head"], sent.epoch, sent.size, sent.reading, sent.root)
    claim = domains["claim"] + b"".join(bytes.fromhex(each[2:]) for each in (key.meter, key_id, key.begun.owner)) + sha256(head)
    audit.equal("claim", key_id, None, signature_failure(key.point, sent.claim, claim))

def check_rotation(audit, domains, key_id, key, signature):
    """The key before says that this one succeeds it."""
    statement = domains["rotate"] + bytes.fromhex(key.meter[2:]) + bytes.fromhex(key_id[2:])
    failure = signature_failure(key.predecessor.point, signature, statement) if signature else "not signed"
    audit.equal("rotation", key_id, None, failure)

def check_equivocation(audit, domain, chain, event, key, transaction):
    """The key signed two heads of one log, which no log has both."""
    if not transaction:
        return audit.missing(event.keyId, "the transaction of its equivocation")
    told = [(event.epoch, event.firstSize, event.firstReading, event.firstRoot)]
    told.append((event.epoch, event.secondSize, event.secondReading, event.secondRoot))
    for words, rest in words_after(bytes.fromhex(transaction["input"][2:]), "proveEquivocation", 17):
        words, rest = words[1:], rest[32:]  # the first says where they begin
        heads, signatures = [head_in(words[2:6]), head_in(words[8:12])], [words[6:8], words[12:14]]
        if [(epoch, size, text(reading), text(root)) for epoch, size, reading, root in heads] != told or b"".join(words[:2]) != key.point:
            continue
        for head, signature in zip(heads, signatures):
            audit.equal("equivocation", event.keyId, None, signature_failure(key.point, b"".join(signature), head_of(domain, *head)))
        if heads[0][1] != heads[1][1]:  # of one size they contradict each other by themselves
            places = [placed(rest, number(words[at], 0, 32)) for at in (14, 15)]
            differ = places[0][0] == places[1][0] and places[0][1] != places[1][1]
            shown = all(shows(head, place) for head, place in zip(heads, places))
            audit.require(differ and shown, "equivocation", event.keyId, "a reading that differs, proven in both", "none")
        return None
    is_direct = (transaction["to"] or "").lower() == chain["watt_witness"].lower()
    return audit.require(not is_direct, "equivocation", event.keyId, "what was sent", "another")

def placed(data, at):
    """A reading, its index, and its inclusion proof."""
    proof = at + number(data, at + 64, 32)
    hashes = [data[i : i + 32] for i in range(proof + 32, proof + 32 + 32 * number(data, proof, 32), 32)]
    return number(data, at, 32), data[at + 32 : at + 64], hashes

def shows(head, place):
    (_, size, last, root), (index, reading, proof) = head, place
    return (index == size - 1 and reading == last) or is_included(reading, index, size, proof, root)
