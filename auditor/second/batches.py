"""Readings, and the batches that hold them: what their bytes say, and which rules they must keep. Everything is big-endian,
every hash is SHA-256."""
import hashlib
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SIZE_LIMIT = 2**40
BURST = 900  # s that a register may run ahead of its capacity
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of P-256

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def number(data, at, length):
    if at + length > len(data):
        raise ValueError("truncated")
    return int.from_bytes(data[at : at + length], "big")

def text(data):
    return "0x" + data.hex()

# of a reading, 32 bytes: timestamp 4 (s), energy 8 (mWh), …, source 1, conditions 1
Moment = namedtuple("Moment", "timestamp energy")

def moment_of(reading):
    return Moment(number(reading, 0, 4), number(reading, 4, 8))

class Tree:
    """RFC 9162: leaf SHA-256(0 ‖ reading), node SHA-256(1 ‖ left ‖ right). It is kept as the hashes of its complete
    subtrees, the largest first: one for every 1 in the size."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def append(self, leaf):
        node, rest = sha256(b"\0", leaf), self.size
        while rest % 2:  # two subtrees of one size are one of twice the size
            node, rest = sha256(b"\1", self.peaks.pop(), node), rest // 2
        self.peaks.append(node)
        self.size += 1

    def root(self):
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = sha256(b"\1", peak, node)
        return node

def is_included(reading, index, size, proof, root):
    """RFC 9162 §2.1.3.2."""
    if index >= size:
        return False
    node, last = sha256(b"\0", reading), size - 1
    for other in proof:
        if last == 0:
            return False
        if index % 2 or index == last:
            node = sha256(b"\1", other, node)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = sha256(b"\1", node, other)
        index, last = index // 2, last // 2
    return last == 0 and node == root

def head_of(domain, epoch, size, reading, root):
    """What a device signs. Its domain is of one chain, one registry and one kind of statement."""
    return domain + epoch.to_bytes(4, "big") + size.to_bytes(8, "big") + reading + root

def signature_failure(key, signature, statement):
    r, s = number(signature, 0, 32), number(signature, 32, 32)
    if s > ORDER // 2:
        return "high s"  # of the two forms of a signature one counts
    try:
        point = ec.EllipticCurvePublicNumbers(number(key, 0, 32), number(key, 32, 32), ec.SECP256R1()).public_key()
        point.verify(encode_dss_signature(r, s), statement, ec.ECDSA(hashes.SHA256()))
    except ValueError:
        return "bad key"
    except InvalidSignature:
        return "bad signature"
    return None

def rule_failure(readings, capacity):
    """Time goes forward, energy never backward, and of a bucket that drains at capacity no more than BURST is full."""
    bucket, before = 0, moment_of(readings[0])
    for now in map(moment_of, readings[1:]):
        elapsed, produced = now.timestamp - before.timestamp, now.energy - before.energy
        if elapsed <= 0:
            return "time not forward"
        if produced < 0:
            return "energy backward"
        bucket, before = max(0, bucket + 3600 * produced - 1000 * capacity * elapsed), now
        if bucket > 1000 * capacity * BURST:
            return "beyond capacity"
    return None

# a batch: "WWB1" ‖ domain 32 ‖ segments 2, then per segment
# key 64 ‖ epoch 4 ‖ from 8 ‖ capacity 4 ‖ count 4 ‖ frontier 32 for every 1 in from ‖ readings 32·count ‖ signature 64

# what of a log matters later: by size the root that it had, and its last reading
Segment = namedtuple("Segment", "key_id epoch start size capacity roots readings")

def read_batch(data, domain, sizes):
    """The segments, where every rule holds, and the root that is attested over them. Raises ValueError."""
    if data[:4] != b"WWB1" or data[4:36] != domain:
        raise ValueError("wrong domain" if data[:4] == b"WWB1" else "wrong magic")
    at, segments, attested = 38, [], Tree()
    for _ in range(number(data, 36, 2)):
        key, place = data[at : at + 64], data[at + 64 : at + 80]
        epoch, start, capacity = number(place, 0, 4), number(place, 4, 8), number(place, 12, 4)
        count, peaks = number(data, at + 80, 4), bin(start).count("1")
        if count == 0 or start + count >= SIZE_LIMIT:
            raise ValueError("size out of range")
        number(data, at + 84 + 32 * (peaks + count) + 63, 1)
        words = [data[i : i + 32] for i in range(at + 84, at + 84 + 32 * (peaks + count), 32)]
        at += 84 + 32 * len(words) + 64
        tree, readings, key_id, roots, kept = Tree(start, words[:peaks]), words[peaks:], sha256(key), {}, {}
        for reading in readings:
            tree.append(reading)
            if tree.size in sizes[text(key_id), epoch] | {1, start + count}:
                roots[tree.size], kept[tree.size] = text(tree.root()), reading
        head = head_of(domain, epoch, tree.size, readings[-1], tree.root())
        failure = rule_failure(readings, capacity) or signature_failure(key, data[at - 64 : at], head)
        if failure:
            raise ValueError(failure)
        attested.append(key_id + place + sha256(head))
        segments.append(Segment(text(key_id), epoch, start, tree.size, capacity, roots, kept))
    if not segments or at != len(data):
        raise ValueError("trailing bytes" if segments else "no segments")
    return segments, text(attested.root())
