// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Basis } from "../../libraries/Basis.sol";
import { Reading } from "../../libraries/Reading.sol";
import { Device, Devices } from "./Device.t.sol";
import { Rfc9162 } from "./Rfc9162.t.sol";
import { Book, Mark, World } from "./World.t.sol";

/// Makes items to settle, as an oracle does, and says what must become of them.
abstract contract Items is World {
    /// What becomes of an honest item; skipped for the reasons of IWattWitness.SkipReason, in their order.
    enum Fate {
        Settled,
        Overtaken,
        CapacityChanged,
        Frozen,
        Decommissioned,
        Recorded
    }

    /// What an item was made for, and where the DON checked it.
    struct Made {
        uint64 settledSize;
        uint32 settledTimestamp;
        uint32 capacity;
        uint64 from;
        uint32 segment;
        uint32 segments;
    }

    /// A head that could be settled.
    struct Choice {
        bool isFound;
        uint256 device;
        uint32 epoch;
        uint64 size;
    }

    /* MAKING */

    function _item(Choice memory choice) internal view returns (IWattWitness.Settlement memory item) {
        Device storage device = devices[choice.device];
        Book storage book = books[choice.device];
        item.key = device.key;
        item.head = device.head(choice.epoch, choice.size);
        item.signature = device.signHead(address(registry), item.head);
        uint64 settled = book.settled[choice.epoch];
        uint32 capacity = _isRegistered(choice.device) ? meters[book.meter].capacity : 1000;
        item.basis = _pack(Made(settled, book.timestamp, capacity, 0, 0, 0));
        bytes32[] memory leaves = device.leaves(choice.epoch, choice.size);
        if (settled == 0) {
            item.firstReading = Reading.wrap(device.readingAt(choice.epoch, 0));
            item.growth = Rfc9162.inclusion(leaves, 0);
        } else {
            item.growth = Rfc9162.consistency(leaves, settled);
        }
        item.witness = Rfc9162.inclusion(leaves, choice.size - 1);
    }

    /// Binds items to one batch, and has it attested.
    function _attest(IWattWitness.Settlement[] memory items) internal returns (bytes32 root) {
        bytes32[] memory leaves = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            Made memory made = _unpack(items[i].basis);
            made.from = made.settledSize == 0 ? 0 : made.settledSize - 1;
            (made.segment, made.segments) = (uint32(i), uint32(items.length));
            items[i].basis = _pack(made);
            leaves[i] = _segmentLeaf(items[i], made);
        }
        for (uint256 i = 0; i < items.length; ++i) items[i].witness = Rfc9162.inclusion(leaves, i);
        root = Rfc9162.root(leaves);
        _call(ATTESTOR, address(wattWitness), abi.encodeCall(IWattWitness.attest, (root)));
    }

    function _segmentLeaf(IWattWitness.Settlement memory item, Made memory made) private view returns (bytes32) {
        bytes32 keyId = sha256(bytes.concat(item.key.x, item.key.y));
        bytes memory place = bytes.concat(bytes4(item.head.epoch), bytes8(made.from), bytes4(made.capacity));
        return Rfc9162.leafHash(bytes.concat(keyId, place, Devices.headHash(address(registry), item.head)));
    }

    function _pack(Made memory made) internal pure returns (Basis) {
        bytes memory settled = bytes.concat(bytes8(made.settledSize), bytes4(made.settledTimestamp));
        bytes memory place = bytes.concat(bytes8(made.from), bytes4(made.segment), bytes4(made.segments));
        return Basis.wrap(bytes32(bytes.concat(settled, bytes4(made.capacity), place)));
    }

    function _unpack(Basis basis) internal pure returns (Made memory made) {
        bytes32 packed = Basis.unwrap(basis);
        made.settledSize = uint64(bytes8(packed));
        made.settledTimestamp = uint32(bytes4(packed << 64));
        made.capacity = uint32(bytes4(packed << 96));
        made.from = uint64(bytes8(packed << 128));
        made.segment = uint32(bytes4(packed << 192));
        made.segments = uint32(bytes4(packed << 224));
    }

    /* CHOOSING */

    /// Some head of some registered key that its settled log does not have yet, and that an honest oracle would send. Every
    /// other batch is of the logs of one key.
    function _choose(uint256 seed, uint256 batch, bool isAttested) internal view returns (Choice memory choice) {
        for (uint256 i = 0; i < 8; ++i) {
            choice = _guess(uint256(keccak256(abi.encode(seed, i))), batch);
            choice.isFound = choice.isFound && _isHonest(choice, isAttested);
            if (choice.isFound) return choice;
        }
    }

    function _guess(uint256 seed, uint256 batch) private view returns (Choice memory choice) {
        if (devices.length == 0) return choice;
        choice.device = _roll(batch, "of one", 2) == 0 ? _someDevice(batch) : _someDevice(seed);
        if (!_isRegistered(choice.device)) return choice;
        Device storage device = devices[choice.device];
        bool isEarlier = _roll(seed, "epoch", 3) == 0;
        choice.epoch = isEarlier ? uint32(_roll(seed, "earlier", uint256(device.epoch) + 1)) : device.epoch;
        uint64 settled = books[choice.device].settled[choice.epoch];
        uint64 unsettled = device.sizeOf(choice.epoch) - settled;
        if (unsettled == 0) return choice;
        uint64 part = uint64(_roll(seed, "part", uint256(unsettled) * 2));
        choice.size = settled + (part < unsettled ? part + 1 : unsettled);
        choice.isFound = true;
    }

    function _isHonest(Choice memory choice, bool isAttested) private view returns (bool) {
        Device storage device = devices[choice.device];
        if (device.conditionsAt(choice.epoch, choice.size - 1) & 0xf9 != 0) return false;
        if (books[choice.device].status != IWattWitness.Status.Active) return true;
        if (choice.epoch < _epochOf(choice.device)) return true;
        return (isAttested || _isLongUnsettled(choice.device)) && _isPossible(choice);
    }

    function _isLongUnsettled(uint256 device) internal view returns (bool) {
        return clock >= uint256(books[device].settledAt) + unattestedAfter;
    }

    /// Whether the energy up to a head of an active key's newest log is what its installation can produce.
    function _isPossible(Choice memory choice) internal view returns (bool) {
        (uint32 time, ) = _base(choice);
        return _produced(choice) <= _mostOf(choice.device, _timeOf(choice) - time);
    }

    /// mWh that a meter can produce in `time` s.
    function _mostOf(uint256 device, uint32 time) internal view returns (uint64) {
        return uint64((uint256(_capacityOf(device)) * 1000 * time) / 3600);
    }

    function _capacityOf(uint256 device) internal view returns (uint32) {
        return meters[books[device].meter].capacity;
    }

    function _timeOf(Choice memory choice) private view returns (uint32) {
        return devices[choice.device].timestampAt(choice.epoch, choice.size - 1);
    }

    /// mWh that settling a head would mint.
    function _produced(Choice memory choice) internal view returns (uint64) {
        (, uint64 energy) = _base(choice);
        return _energyAt(choice.device, Mark(choice.epoch, choice.size)) - energy;
    }

    /// What a head is measured against: the last settled one, or reading 0 of a log that begins below it.
    function _base(Choice memory choice) internal view returns (uint32 time, uint64 energy) {
        Device storage device = devices[choice.device];
        Book storage book = books[choice.device];
        (time, energy) = (book.timestamp, _energyAt(choice.device, book.marks[book.marks.length - 1]));
        if (choice.epoch == _epochOf(choice.device)) return (time, energy);
        uint64 first = device.energyAt(choice.epoch, 0);
        if (first < energy) (time, energy) = (device.timestampAt(choice.epoch, 0), first);
    }

    /* JUDGING */

    /// What must become of an honest item now, whenever it was made.
    function _fateOf(IWattWitness.Settlement memory item) internal view returns (Fate) {
        uint256 device = _deviceOf(item);
        Book storage book = books[device];
        if (book.status == IWattWitness.Status.Frozen) return Fate.Frozen;
        if (book.status == IWattWitness.Status.Decommissioned) return Fate.Decommissioned;
        Made memory made = _unpack(item.basis);
        if (made.settledSize != book.settled[item.head.epoch]) return Fate.Overtaken;
        if (book.status == IWattWitness.Status.Superseded) return Fate.Recorded;
        if (item.head.epoch < _epochOf(device)) return Fate.Recorded;
        if (made.settledTimestamp != book.timestamp) return Fate.Overtaken;
        return made.capacity == _capacityOf(device) ? Fate.Settled : Fate.CapacityChanged;
    }

    /// Whether an item of this fate is the first of its log.
    function _beginsLog(IWattWitness.Settlement memory item, Fate fate) internal view returns (bool) {
        if (fate != Fate.Settled && fate != Fate.Recorded) return false;
        return books[_deviceOf(item)].settled[item.head.epoch] == 0;
    }

    function _deviceOf(IWattWitness.Settlement memory item) internal view returns (uint256) {
        return deviceOf[sha256(bytes.concat(item.key.x, item.key.y))];
    }

    function _isStopped(uint256 device) internal view returns (bool) {
        IWattWitness.Status status = books[device].status;
        return status == IWattWitness.Status.Frozen || status == IWattWitness.Status.Decommissioned;
    }

    /// Books what becomes of an honest item. Returns the mWh minted.
    function _enter(IWattWitness.Settlement memory item, Fate fate) internal returns (uint64 energy) {
        if (fate != Fate.Settled && fate != Fate.Recorded) return 0;
        uint256 device = _deviceOf(item);
        (uint32 epoch, uint64 size) = (item.head.epoch, item.head.size);
        if (fate == Fate.Settled) {
            energy = _produced(Choice(true, device, epoch, size));
            _mark(books[device], epoch, size, devices[device].timestampAt(epoch, size - 1));
            balanceBook[meters[books[device].meter].payee] += energy * UNITS;
        }
        books[device].settled[epoch] = size;
    }
}
