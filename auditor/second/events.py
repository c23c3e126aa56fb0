"""The events of the contracts. A log's first topic is keccak256 of its event's name and types, which Python's standard
library does not have: the tests hold these constants against the contracts. Left of the bar is what stands in topics."""
from types import SimpleNamespace

from batches import number, text

NAMED = "0xa9e264e4c40eb5362d600315c754efe6828f167f8d436ca2956bb7578d68fbd6"  # the registry's first event
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

EVENTS = {
    "registry": {
        NAMED:
            "WattWitnessNamed(address wattWitness |)",
        "0x164658fe2514e2f0b6617d34465de650be2ddf3652ede2047f6faf6e862c75cb":
            "MeterRegistered(bytes32 meter, address owner | bytes32 x, bytes32 y, uint32 capacity, uint8 source, bytes32 details)",
        "0xfe7854aaed9f0639061bcd92979d192d619b12564f6ef7e756ff8da94873b6cf":
            "KeyRotated(bytes32 meter, bytes32 keyId, bytes32 previousKeyId | bytes32 x, bytes32 y)",
        "0x2ba6d7fd67709d217a992379487bef65d3b80817174f582952ecc24fd97c1270":
            "CapacityChanged(bytes32 meter | uint32 capacity)",
        "0x37aa4ee3e60044bd9cfdcbdc1cc7356c9b1424d4eccca30f4c2c087092af114b":
            "PayoutChanged(bytes32 meter, address payout |)",
        "0xa4a3b45e122d6d938452c2b77e3d73bcfcdb79864b16a689108fee902e279e42":
            "Proposed(bytes32 meter, uint8 change | uint256 value, uint256 executableAt)",
        "0x9e72783396fc9862bcb79c3ab3f3b0e204d860e8f09ea45bb5cf1406e5269217":
            "ProposalCancelled(bytes32 meter, uint8 change, address by |)",
        "0x24fb02872310c6da53528dcb46fb768f7754ff81e86c1dd812b01d63af020f66":
            "ProposalExecuted(bytes32 meter, uint8 change | uint256 value)",
        "0xb3c1186bd2d551a4a0e4f57a096e6ed3156ee6605fc7e59cdb475b36a3f867ca":
            "MeterDecommissioned(bytes32 meter, address by |)",
        TRANSFER:
            "Transfer(address sender, address to, uint256 tokenId |)",
    },
    "watt_witness": {
        "0x3d83c7bc55c269e0bc853ddc0d7b9fca30216ecc43779acb4e36b7e0ad1c71e4":
            "Attested(bytes32 root, address attestor |)",
        "0xf028e0a478306cc2a2d800d0ca2a8968b7f74f0932ac076ecda57436b07ffe77":
            "Begun(bytes32 keyId | uint32 epoch, uint64 size, uint32 timestamp, uint64 energy, bytes32 root)",
        "0xf5a5f4dd48a478722564d6373ec03ddb75f5e059d3f12a07c7906c663cbfc57f":
            "LogBegun(bytes32 keyId | uint32 epoch, uint32 timestamp, uint64 energy)",
        "0x2308fab571abd4250acdb331a4a539f223177153dbe1370e3ba255f58d8d41f5":
            "Settled(bytes32 meter, bytes32 keyId, bytes32 attestation | address payee, uint32 epoch, uint64 fromSize, "
            "uint64 size, uint32 timestamp, uint64 energy, uint64 produced, bytes32 root)",
        "0x241ea24f43d72d36a88ab456723836cdd09856712ced5489cdf8f89802d8cecb":
            "Skipped(bytes32 keyId, bytes32 attestation | uint8 reason, uint32 epoch, uint64 size)",
        "0x6820ecec7ef7eab2c9518c1872a87e9b21a49e0c423c66dd2a98a0b93b6587df":
            "Equivocated(bytes32 keyId | bool frozen, uint32 epoch, uint64 firstSize, bytes32 firstReading, bytes32 firstRoot, "
            "uint64 secondSize, bytes32 secondReading, bytes32 secondRoot)",
        "0x5dde3719911f439ca004bd0572030dc08da97a7153b4d7b991096d92004e8d55":
            "Ended(bytes32 keyId | uint8 status, uint32 until)",
    },
    "token": {
        TRANSFER:
            "Transfer(address sender, address to | uint256 value)",
        "0x9decaaba93d869b316e2cd7c41b743f95904fb31c06a1efd0724ccc431f8b7b9":
            "Retired(uint256 serial, address sender, address beneficiary | uint256 amount, string name, string purpose)",
    },
    "attestor": {
        "0xa7dfdfd74e1f0273e628e66cf7f09d40fa1d62bf3f094902558123d50f9fd1e3":
            "AttestationRequested(bytes32 requestId, bytes32 digest, bytes32 root | uint64 subscriptionId)",
        "0x2354c0e5aa331fb12475211e3ea490c44814a91f7fcf71c7d1b5145c7dabd271":
            "AttestationConfirmed(bytes32 requestId, bytes32 root |)",
    },
}

# of no consequence for what is minted
HARMLESS = {
    "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",  # Approval(address,address,uint256)
    "0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31",  # ApprovalForAll(address,address,bool)
    "0x2f658b440c35314f52658ea8a740e05b284cdc84dc9ae01e891f21b8933e7cad",  # AuthorityUpdated(address)
    "0x6bd5c950a8d8df17f772f5af37cb3655737899cbf903264b9795592da439661c",  # BatchMetadataUpdate(uint256,uint256)
    "0xa5d4097edda6d87cb9329af83fb3712ef77eeb13738ffe43cc35a4ce305ad962",  # ContractURIUpdated()
    "0x0a6387c9ea3628b88a633bb4f3b151770f70085117a15f9bf3787cda53f13d31",  # EIP712DomainChanged()
    "0xf8e1a15aba9398e019f0b49df1a4fde98ee17ae345cb5f6b5e2c27f5033e8ce7",  # MetadataUpdate(uint256)
    "0x62e78cea01bee320cd4e420270b5ea74000d11b0c9f74754ebdbfc544b05a258",  # Paused(address)
    "0x5db9ee0a495bf2e6ff9c91a7834c1ba4fdd244a5e8aa4e537bd38aeae4b073aa",  # Unpaused(address)
    "0x925e887210f8184d167eb3d1d0fb0ecd02a733e59c8a34deed7403d709f5ea6b",  # WatcherChanged(bytes32,address)
}
SETTLE = "7c76e25a"  # how a call of settle begins
VIEWS = {"balanceOf": "70a08231", "termsOf": "be5170c0", "latestOf": "88f4eb1b"}  # of a holder, and of a key

def decode(signature, topics, data):
    """What an event says, by name: words of 32 bytes, first those in the topics and then those in the data."""
    name, _, fields = signature.rstrip(")").partition("(")
    indexed, plain = ([field.split() for field in part.split(",") if field.strip()] for part in fields.split("|"))
    words = topics[1:] + [data[i : i + 32] for i in range(0, len(data), 32)]
    is_whole = len(words) == len(indexed + plain) or "string" in fields
    event = SimpleNamespace(kind=name)
    for (kind, field), word in zip(indexed + plain, words):
        bits = {"address": 160, "bool": 1, "bytes32": 256, "string": 256}.get(kind) or int(kind[4:])
        is_whole = is_whole and len(word) == 32 and number(word, 0, 32) >> bits == 0
        hexadecimal = {"address": text(word[12:]), "bytes32": text(word)}
        setattr(event, field, hexadecimal.get(kind, number(word, 0, 32)))
    if not is_whole or len(topics) != 1 + len(indexed):
        raise ValueError(f"{name} has another form")
    return event
