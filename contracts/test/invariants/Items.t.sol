// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Basis } from "../../libraries/Basis.sol";
import { Reading } from "../../libraries/Reading.sol";
import { Device, Devices } from "./Device.t.sol";
import { Rfc9162 } from "./Rfc9162.t.sol";
import { Book, Rule, World } from "./World.t.sol";

/// Makes items to settle, as an oracle does, and says what must become of them.
abstract contract Items is World {
    /// What becomes of an honest item; skipped for the reasons of IWattWitness.SkipReason, in their order.
    enum Fate {
        Settled,
        Overtaken,
        CapacityChanged,
        Frozen,
        Decommissioned,
        Superseded,
        Passed
    }

    /// The settled logs that a head of an earlier epoch lies between.
    struct Between {
        bool isFound;
        /// its own, or the next before it
        uint32 epoch;
        /// of the last reading of that one
        uint32 since;
        uint64 energyBefore;
        /// of reading 0 of the next that counts
        uint32 until;
        uint64 energyAfter;
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
        uint32 timestamp = _isRest(choice) ? _between(choice).since : book.timestamp;
        item.basis = _pack(Made(settled, timestamp, capacity, 0, 0, 0));
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
        address first = uint256(root) % 2 == 0 ? ATTESTOR : OTHER_ATTESTOR;
        bytes memory data = abi.encodeCall(IWattWitness.attest, (root));
        (address known, ) = wattWitness.attestationOf(root);
        _call(first, address(wattWitness), data);
        _call(ATTESTOR, address(wattWitness), data);
        (address attestor, ) = wattWitness.attestationOf(root);
        if (attestor != (known == address(0) ? first : known)) _violate(Rule.Outcome, "an attestation changed hands");
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

    function _isHonest(Choice memory choice, bool isAttested) internal view returns (bool) {
        Device storage device = devices[choice.device];
        if (device.conditionsAt(choice.epoch, choice.size - 1) & 0xf9 != 0) return false;
        Book storage book = books[choice.device];
        if (book.status != IWattWitness.Status.Active) return true;
        if (_isRest(choice)) return isAttested || _isOld(_between(choice).since, book.settledAt);
        return (isAttested || _isLongUnsettled(choice.device)) && _isPossible(choice);
    }

    function _isLongUnsettled(uint256 device) internal view returns (bool) {
        return _isOld(books[device].timestamp, books[device].settledAt);
    }

    /// Whether a reading settled at that time is old enough to go on from without attestation.
    function _isOld(uint32 timestamp, uint32 settledAt) private view returns (bool) {
        return clock >= uint256(timestamp < settledAt ? timestamp : settledAt) + unattestedAfter;
    }

    /// Whether the energy up to a head of an active key's newest log is what its installation can produce.
    function _isPossible(Choice memory choice) internal view returns (bool) {
        (uint32 time, ) = _base(choice);
        return _produced(choice) <= _mostOf(choice.device, _timeOf(choice) - time);
    }

    /// mWh that a meter can produce in `time` s.
    function _mostOf(uint256 device, uint32 time) internal view returns (uint64) {
        return _energyIn(time, _capacityOf(device));
    }

    /// mWh that it can produce between two times: before a raise as much as before.
    function _mostBetween(uint256 device, uint32 start, uint32 end) internal view returns (uint64 most) {
        Book storage book = books[device];
        most = _mostOf(device, end - start);
        uint32 earlier = book.raisedAt < end ? book.raisedAt : end;
        if (earlier <= start || _capacityOf(device) <= book.before) return most;
        return most - _energyIn(earlier - start, _capacityOf(device) - book.before);
    }

    function _energyIn(uint32 time, uint32 capacity) private pure returns (uint64) {
        return uint64((uint256(capacity) * 1000 * time) / 3600);
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
        return _energyOf(choice) - energy;
    }

    function _energyOf(Choice memory choice) internal view returns (uint64) {
        return devices[choice.device].energyAt(choice.epoch, choice.size - 1);
    }

    /// What a head is measured against: the last settled one, or reading 0 of a log that begins below it.
    function _base(Choice memory choice) internal view returns (uint32 time, uint64 energy) {
        Device storage device = devices[choice.device];
        Book storage book = books[choice.device];
        (time, energy) = (book.timestamp, device.energyAt(book.newest, book.settled[book.newest] - 1));
        if (choice.epoch == book.newest) return (time, energy);
        uint64 first = device.energyAt(choice.epoch, 0);
        if (first < energy) (time, energy) = (device.timestampAt(choice.epoch, 0), first);
    }

    /* HEADS OF EARLIER EPOCHS */

    function _isRest(Choice memory choice) internal view returns (bool) {
        return _isRegistered(choice.device) && choice.epoch < books[choice.device].newest;
    }

    function _between(Choice memory choice) internal view returns (Between memory place) {
        Device storage device = devices[choice.device];
        Book storage book = books[choice.device];
        (uint32 before, uint32 steps) = (choice.epoch, 0);
        while (book.settled[before] == 0 && before > book.first && steps < EPOCH_STRIDE) (--before, ++steps);
        uint64 size = book.settled[before];
        if (size == 0) return place;
        uint32 next = choice.epoch + 1;
        while (book.settled[next] == 0) ++next;
        place = Between({
            isFound: true,
            epoch: before,
            since: device.timestampAt(before, size - 1),
            energyBefore: device.energyAt(before, size - 1),
            until: device.timestampAt(next, 0),
            energyAfter: device.energyAt(next, 0)
        });
    }

    /// Where its readings go on from.
    function _startOf(Choice memory choice, Between memory place) private view returns (uint32 time, uint64 energy) {
        if (place.epoch == choice.epoch) return (place.since, place.energyBefore);
        Device storage device = devices[choice.device];
        return (device.timestampAt(choice.epoch, 0), device.energyAt(choice.epoch, 0));
    }

    /// mWh that the register is known to have risen more, with this head.
    function _added(Choice memory choice, Between memory place) private view returns (uint64) {
        (, uint64 start) = _startOf(choice, place);
        uint64 end = _energyOf(choice);
        uint64 rise = _rise(place.energyBefore, start) + (end - start) + _rise(end, place.energyAfter);
        return rise - _rise(place.energyBefore, place.energyAfter);
    }

    function _fateOfRest(Choice memory choice, Made memory made) private view returns (Fate) {
        Between memory place = _between(choice);
        if (!place.isFound) return Fate.Passed;
        if (made.settledSize != books[choice.device].settled[choice.epoch]) return Fate.Overtaken;
        if (made.settledTimestamp != place.since) return Fate.Overtaken;
        if (made.capacity != _capacityOf(choice.device)) return Fate.CapacityChanged;
        (uint64 added, uint64 room) = (_added(choice, place), books[choice.device].room[place.epoch]);
        if (added > room || (added == 0 && place.epoch == choice.epoch)) return Fate.Passed;
        return Fate.Settled;
    }

    function _enterRest(Choice memory choice) private returns (uint64 energy) {
        Book storage book = books[choice.device];
        Between memory place = _between(choice);
        energy = _added(choice, place);
        uint64 room = book.room[place.epoch] - energy;
        if (place.epoch != choice.epoch) {
            (uint32 time, uint64 start) = _startOf(choice, place);
            uint64 most = _mostBetween(choice.device, place.since, time);
            uint64 rise = _rise(place.energyBefore, start);
            uint64 left = most > rise ? most - rise : 0;
            if (left > room) left = room;
            book.room[place.epoch] = left;
            room -= left;
        }
        book.room[choice.epoch] = room;
        book.settled[choice.epoch] = choice.size;
    }

    /* JUDGING */

    /// What must become of an honest item now, whenever it was made.
    function _fateOf(IWattWitness.Settlement memory item) internal view returns (Fate) {
        uint256 device = _deviceOf(item);
        Book storage book = books[device];
        if (book.status == IWattWitness.Status.Frozen) return Fate.Frozen;
        if (book.status == IWattWitness.Status.Decommissioned) return Fate.Decommissioned;
        if (book.status == IWattWitness.Status.Superseded) return Fate.Superseded;
        Made memory made = _unpack(item.basis);
        Choice memory choice = Choice(true, device, item.head.epoch, item.head.size);
        if (_isRest(choice)) return _fateOfRest(choice, made);
        if (made.settledSize != book.settled[item.head.epoch]) return Fate.Overtaken;
        if (made.settledTimestamp != book.timestamp) return Fate.Overtaken;
        if (made.capacity != _capacityOf(device)) return Fate.CapacityChanged;
        (uint32 time, ) = _base(choice);
        bool isAsRaised = _produced(choice) <= _mostBetween(device, time, _timeOf(choice));
        return isAsRaised ? Fate.Settled : Fate.CapacityChanged;
    }

    /// Whether an item of this fate is the first of its log.
    function _beginsLog(IWattWitness.Settlement memory item, Fate fate) internal view returns (bool) {
        return fate == Fate.Settled && books[_deviceOf(item)].settled[item.head.epoch] == 0;
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
        if (fate != Fate.Settled) return 0;
        uint256 device = _deviceOf(item);
        Choice memory choice = Choice(true, device, item.head.epoch, item.head.size);
        energy = _isRest(choice) ? _enterRest(choice) : _enterNewest(choice);
        balanceBook[meters[books[device].meter].payee] += energy * UNITS;
    }

    function _enterNewest(Choice memory choice) private returns (uint64 energy) {
        Book storage book = books[choice.device];
        energy = _produced(choice);
        (uint32 time, ) = _base(choice);
        if (choice.epoch != book.newest) {
            // of a register that was lost, what lies before reading 0; else what the new log did not take of the whole time
            bool isLost = time != book.timestamp;
            uint32 end = isLost ? time : _timeOf(choice);
            book.room[book.newest] = _mostBetween(choice.device, book.timestamp, end) - (isLost ? 0 : energy);
        }
        _mark(book, choice.epoch, choice.size, _timeOf(choice));
    }
}
