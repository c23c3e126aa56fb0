// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Reading } from "../../libraries/Reading.sol";
import { Head } from "../../libraries/Statement.sol";
import { Checks } from "./Checks.t.sol";
import { Device, Devices } from "./Device.t.sol";
import { Rfc9162 } from "./Rfc9162.t.sol";
import { Book, Rule, World } from "./World.t.sol";
import { VM, Vm } from "./Vm.t.sol";

/// Settles, honestly and otherwise: fresh, stale, reordered, twice, forged, forked.
contract Handler is Checks {
    /// Items that were honest when they were made.
    struct Batch {
        bytes32 attestation;
        /// abi.encode(IWattWitness.Settlement[])
        bytes items;
    }

    enum Forgery {
        BentEnergy,
        OtherKey,
        HighS,
        UnknownKey,
        RewrittenHistory,
        BeyondCapacity,
        EnergyBackward,
        TimeAhead,
        TimeNotForward,
        ConditionsBlock,
        OtherSource,
        OtherFirstReading,
        NotLastReading,
        NotForward,
        NotAttested,
        AttestationUnknown,
        SegmentGap,
        TooSoon
    }

    uint256 private constant KEPT = 4;

    mapping(Forgery => uint256) public forged;

    Batch[] private _attested;
    Batch[] private _unattested;

    constructor(uint32 unattestedAfter_) World(unattestedAfter_) {}

    function actions() external pure returns (bytes4[] memory selectors) {
        bytes4[23] memory all = [
            this.produce.selector,
            this.beginEpoch.selector,
            this.wait.selector,
            this.register.selector,
            this.rotate.selector,
            this.reuseKey.selector,
            this.propose.selector,
            this.cancel.selector,
            this.execute.selector,
            this.lowerCapacity.selector,
            this.sell.selector,
            this.setPayout.selector,
            this.decommission.selector,
            this.transferTokens.selector,
            this.retire.selector,
            this.trespass.selector,
            this.settleOne.selector,
            this.settleOutOfOrder.selector,
            this.settleAttested.selector,
            this.settleUnattested.selector,
            this.replay.selector,
            this.forge.selector,
            this.equivocate.selector
        ];
        selectors = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) selectors[i] = all[i];
    }

    /* HONEST ITEMS */

    /// One meter produces, and is settled at once.
    function settleOne(uint256 seed) external watched {
        if (meters.length == 0) return;
        _produceSome(_currentOf(_roll(seed, "meter", meters.length)), seed);
        _settle(seed, 1, _roll(seed, "attested", 2) == 0);
    }

    /// A device begins epochs, perhaps without its register, and they are settled the newest first, in whatever parts.
    function settleOutOfOrder(uint256 seed) external watched {
        if (meters.length == 0) return;
        uint256 device = _currentOf(_roll(seed, "meter", meters.length));
        uint32 oldest = devices[device].epoch;
        uint256 epochs = 1 + _roll(seed, "epochs", 2);
        for (uint256 i = 0; i < epochs; ++i) {
            _produceSome(device, uint256(keccak256(abi.encode(seed, "before", i))));
            devices[device].beginEpoch(_roll(seed, i == 0 ? "loses" : "loses again", 3) != 0);
        }
        _produceSome(device, uint256(keccak256(abi.encode(seed, "after"))));
        for (uint32 epoch = devices[device].epoch; epoch + 1 > oldest; --epoch) {
            _settleSomeOf(device, epoch, seed);
            if (epoch == 0) break;
        }
    }

    function _settleSomeOf(uint256 device, uint32 epoch, uint256 seed) private {
        uint64 settled = books[device].settled[epoch];
        uint64 unsettled = devices[device].sizeOf(epoch) - settled;
        if (unsettled == 0) return;
        uint64 size = settled + 1 + uint64(_roll(uint256(keccak256(abi.encode(seed, epoch))), "part", unsettled));
        Choice memory choice = Choice(true, device, epoch, size);
        if (!_isHonest(choice, true)) return;
        IWattWitness.Settlement[] memory items = new IWattWitness.Settlement[](1);
        items[0] = _item(choice);
        _submit(_attest(items), items, "out of order");
    }

    function settleAttested(uint256 seed) external watched {
        _settle(seed, 1 + _roll(seed, "count", 4), true);
    }

    function settleUnattested(uint256 seed) external watched {
        _settle(seed, 1 + _roll(seed, "count", 4), false);
    }

    /// Makes items, and settles them now, or after something else happened, or keeps them for later.
    function _settle(uint256 seed, uint256 count, bool isAttested) private {
        IWattWitness.Settlement[] memory items = _make(seed, count, isAttested);
        if (items.length == 0) return;
        bytes32 attestation = isAttested ? _attest(items) : bytes32(0);
        _keep(isAttested ? _attested : _unattested, Batch(attestation, abi.encode(items)));
        uint256 when = _roll(seed, "when", 5);
        if (when == 0) return;
        if (when == 1) _frontRun(items[0], seed);
        string memory how = isAttested ? "attested" : "unattested";
        _submit(attestation, items, when == 1 ? "front-run" : how);
    }

    function _frontRun(IWattWitness.Settlement memory item, uint256 seed) private {
        uint256 other = uint256(keccak256(abi.encode("front-run", seed)));
        uint256 what = other % 4;
        if (what == 0) this.rotate(other);
        else if (what == 1) this.equivocate(other);
        else if (what == 2) _settle(other, 4, true);
        else _lowerCapacity(books[_deviceOf(item)].meter, other);
    }

    /// Some or all items of a batch made before, some perhaps twice, in any order; without attestation of two batches.
    function replay(uint256 seed) external watched {
        Batch[] storage pool = _roll(seed, "attested", 2) == 0 ? _attested : _unattested;
        if (pool.length == 0) return;
        Batch storage batch = pool[_roll(seed, "batch", pool.length)];
        Batch storage other = batch.attestation == 0 ? pool[_roll(seed, "other", pool.length)] : batch;
        IWattWitness.Settlement[] memory first = abi.decode(batch.items, (IWattWitness.Settlement[]));
        IWattWitness.Settlement[] memory second = abi.decode(other.items, (IWattWitness.Settlement[]));
        IWattWitness.Settlement[] memory items = new IWattWitness.Settlement[](1 + _roll(seed, "count", 5));
        for (uint256 i = 0; i < items.length; ++i) {
            uint256 roll = uint256(keccak256(abi.encode(seed, i)));
            items[i] = roll % 2 == 0 ? first[(roll / 2) % first.length] : second[(roll / 2) % second.length];
        }
        _submit(batch.attestation, items, "replayed");
    }

    function _make(
        uint256 seed,
        uint256 count,
        bool isAttested
    ) private view returns (IWattWitness.Settlement[] memory items) {
        Choice[] memory choices = new Choice[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            choices[found] = _choose(uint256(keccak256(abi.encode(seed, "item", i))), seed, isAttested);
            if (choices[found].isFound) ++found;
        }
        items = new IWattWitness.Settlement[](found);
        for (uint256 i = 0; i < found; ++i) items[i] = _item(choices[i]);
    }

    function _keep(Batch[] storage pool, Batch memory batch) private {
        if (pool.length < KEPT) pool.push(batch);
        else pool[_roll(clock, "oldest", KEPT)] = batch;
    }

    /// Honest items, whatever became of what they name: the call succeeds, and each meets its fate.
    function _submit(bytes32 attestation, IWattWitness.Settlement[] memory items, string memory how) private {
        uint256[] memory before = _producedByKey();
        VM.recordLogs();
        bytes memory data = abi.encodeCall(IWattWitness.settle, (attestation, items));
        (bool success, ) = _call(ANYONE, address(wattWitness), data);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        if (!success) return _violate(Rule.Race, string.concat("honest items were refused: ", how));
        ++done[how];
        _checkMinters(before);
        uint256 next = 0;
        for (uint256 i = 0; i < items.length; ++i) next = _follow(items[i], logs, next);
    }

    /// Enters what must become of an item, and compares what is logged of it: of a log's first head reading 0, and right
    /// after it the rest.
    function _follow(
        IWattWitness.Settlement memory item,
        Vm.Log[] memory logs,
        uint256 next
    ) private returns (uint256) {
        Fate fate = _fateOf(item);
        bool begins = _beginsLog(item, fate);
        bool isRest = _isRest(Choice(true, _deviceOf(item), item.head.epoch, item.head.size));
        if (fate == Fate.Settled && isRest) ++done[begins ? "passed over" : "rest"];
        uint64 energy = _enter(item, fate);
        while (next < logs.length && logs[next].emitter != address(wattWitness)) ++next;
        if (begins) {
            if (next >= logs.length || !_tellsBegun(logs[next], item)) _violate(Rule.Outcome, "log begun");
            ++done["log begun"];
            ++next;
        }
        if (next >= logs.length || !_tells(logs[next], fate, item, energy)) _violate(Rule.Outcome, _nameOf(fate));
        ++done[_nameOf(fate)];
        return next + 1;
    }

    function _tells(
        Vm.Log memory log,
        Fate fate,
        IWattWitness.Settlement memory item,
        uint64 energy
    ) private view returns (bool) {
        bytes32 keyId = sha256(bytes.concat(item.key.x, item.key.y));
        if (log.topics[fate == Fate.Settled ? 2 : 1] != keyId) return false;
        if (fate != Fate.Settled) {
            return log.topics[0] == IWattWitness.Skipped.selector && uint256(bytes32(log.data)) == uint256(fate);
        }
        bytes32 meter = meters[books[_deviceOf(item)].meter].id;
        bool isOfMeter = log.topics[0] == IWattWitness.Settled.selector && log.topics[1] == meter;
        return isOfMeter && _producedIn(log.data) == energy;
    }

    /// Reading 0, as the device has it.
    function _tellsBegun(Vm.Log memory log, IWattWitness.Settlement memory item) private view returns (bool) {
        Device storage device = devices[_deviceOf(item)];
        uint32 epoch = item.head.epoch;
        bytes memory data = abi.encode(epoch, device.timestampAt(epoch, 0), device.energyAt(epoch, 0));
        return
            log.emitter == address(wattWitness) &&
            log.topics[0] == IWattWitness.LogBegun.selector &&
            log.topics[1] == device.keyId &&
            keccak256(log.data) == keccak256(data);
    }

    function _producedIn(bytes memory data) private pure returns (uint64 energy) {
        (, , , , , , energy, ) = abi.decode(data, (address, uint32, uint64, uint64, uint32, uint64, uint64, bytes32));
    }

    function _nameOf(Fate fate) private pure returns (string memory) {
        if (fate == Fate.Settled) return "settled";
        string[6] memory reasons = [
            "overtaken",
            "capacity changed",
            "frozen",
            "decommissioned",
            "superseded",
            "passed"
        ];
        return reasons[uint256(fate) - 1];
    }

    function _producedByKey() private view returns (uint256[] memory energy) {
        energy = new uint256[](devices.length);
        for (uint256 i = 0; i < energy.length; ++i) energy[i] = wattWitness.latestOf(devices[i].keyId).produced;
    }

    /// Whoever minted was the current key of a meter in service.
    function _checkMinters(uint256[] memory before) private {
        for (uint256 i = 0; i < before.length; ++i) {
            if (wattWitness.latestOf(devices[i].keyId).produced == before[i]) continue;
            if (_isStopped(i)) _violate(Rule.Stopped, "a frozen or decommissioned meter minted");
            else if (!_isRegistered(i) || _currentOf(books[i].meter) != i) {
                _violate(Rule.Stranger, "a key minted that is not a meter's current one");
            }
        }
    }

    /* FORGERIES */

    function forge(uint256 seed) external watched {
        for (uint256 i = 0; i < 6; ++i) _forge(uint256(keccak256(abi.encode(seed, i))));
    }

    /// An item that would settle but for one falsehood.
    function _forge(uint256 seed) private {
        Forgery forgery = Forgery(_roll(seed, "forgery", uint256(type(Forgery).max) + 1));
        Choice memory choice = _chooseForged(seed, forgery);
        if (!choice.isFound) return;
        bool isAttested = _isAboutAttestation(forgery) || _roll(seed, "attested", 2) == 0;
        if (forgery == Forgery.NotLastReading || forgery == Forgery.TooSoon) isAttested = false;
        if (!isAttested && _isLongUnsettled(choice.device) == (forgery == Forgery.TooSoon)) return;
        IWattWitness.Settlement[] memory items = new IWattWitness.Settlement[](1);
        items[0] = _item(choice);
        bytes4 expected = _bend(items[0], choice, forgery);
        if (expected == bytes4(0) && !isAttested) return;
        bytes32 attestation = isAttested ? _attest(items) : bytes32(0);
        if (expected == bytes4(0)) (attestation, expected) = _bendAttestation(items[0], forgery, attestation);
        _expectRefusal(attestation, items, expected);
        ++forged[forgery];
    }

    function _isAboutAttestation(Forgery forgery) private pure returns (bool) {
        return forgery == Forgery.NotAttested || forgery == Forgery.AttestationUnknown || forgery == Forgery.SegmentGap;
    }

    /// Of an active key, so that nothing lets the contract off with skipping it.
    function _chooseForged(uint256 seed, Forgery forgery) private returns (Choice memory choice) {
        if (meters.length == 0) return choice;
        uint256 device = _currentOf(_roll(seed, "meter", meters.length));
        if (books[device].status != IWattWitness.Status.Active || books[device].isRaised) return choice;
        if (forgery == Forgery.UnknownKey) device = _unknownDevice(seed);
        if (forgery == Forgery.OtherFirstReading) devices[device].beginEpoch(false);
        for (uint256 i = 0; i < 2; ++i) _measureBaseline(device);
        uint32 epoch = devices[device].epoch;
        choice = Choice(true, device, epoch, devices[device].sizeOf(epoch));
        if (forgery == Forgery.UnknownKey) choice.isFound = !_isRegistered(device);
        else choice.isFound = _isPossible(choice);
    }

    function _unknownDevice(uint256 seed) private returns (uint256 device) {
        for (device = 0; device < devices.length; ++device) if (!_isRegistered(device)) return device;
        return devices.length < MOST_DEVICES ? _newDevice(seed) : 0;
    }

    /// Makes the item false. Returns the error to expect; zero where the attestation is to be bent.
    function _bend(
        IWattWitness.Settlement memory item,
        Choice memory choice,
        Forgery forgery
    ) private view returns (bytes4) {
        Device storage device = devices[choice.device];
        if (forgery == Forgery.UnknownKey) return IWattWitness.KeyUnknown.selector;
        if (forgery == Forgery.TooSoon) return IWattWitness.AttestationRequired.selector;
        if (forgery == Forgery.BentEnergy) {
            item.head.reading = Reading.wrap(bytes32(uint256(Reading.unwrap(item.head.reading)) + (1 << 160)));
            return IWattWitness.SignatureInvalid.selector;
        }
        if (forgery == Forgery.OtherKey) {
            item.signature = devices[(choice.device + 1) % devices.length].signHead(address(registry), item.head);
            return devices.length == 1 ? bytes4(0) : IWattWitness.SignatureInvalid.selector;
        }
        if (forgery == Forgery.HighS) {
            item.signature = Devices.flip(item.signature);
            return IWattWitness.SignatureInvalid.selector;
        }
        if (forgery == Forgery.NotForward) return _bendSize(item, device);
        if (forgery == Forgery.RewrittenHistory) return _rewrite(item, choice);
        if (forgery == Forgery.OtherFirstReading) return _bendFirst(item);
        return _bendReading(item, choice, forgery);
    }

    function _bendSize(IWattWitness.Settlement memory item, Device storage device) private view returns (bytes4) {
        item.head.size = _unpack(item.basis).settledSize;
        item.signature = device.signHead(address(registry), item.head);
        return IWattWitness.SizeNotForward.selector;
    }

    /// The device itself signs a log whose first reading is another.
    function _rewrite(IWattWitness.Settlement memory item, Choice memory choice) private view returns (bytes4) {
        Device storage device = devices[choice.device];
        bytes32[] memory leaves = device.leaves(choice.epoch, choice.size);
        leaves[0] = ~leaves[0];
        item.head.root = Rfc9162.root(leaves);
        item.signature = device.signHead(address(registry), item.head);
        uint64 settled = _unpack(item.basis).settledSize;
        if (settled == 0) {
            item.growth = Rfc9162.inclusion(leaves, 0);
            return IWattWitness.FirstReadingInvalid.selector;
        }
        item.growth = Rfc9162.consistency(leaves, settled);
        return IWattWitness.LogInconsistent.selector;
    }

    /// A courier's reading 0, of another voltage.
    function _bendFirst(IWattWitness.Settlement memory item) private pure returns (bytes4) {
        item.firstReading = Reading.wrap(Reading.unwrap(item.firstReading) ^ bytes32(uint256(1 << 64)));
        return IWattWitness.FirstReadingInvalid.selector;
    }

    /// The device itself signs a head whose reading is not to be believed.
    function _bendReading(
        IWattWitness.Settlement memory item,
        Choice memory choice,
        Forgery forgery
    ) private view returns (bytes4) {
        (uint32 timestamp, uint64 energy) = (clock, devices[choice.device].energy);
        (uint32 baseTime, uint64 baseEnergy) = _base(choice);
        if (forgery == Forgery.BeyondCapacity) {
            energy = baseEnergy + _mostOf(choice.device, timestamp - baseTime) + 1;
            return _sign(item, choice, Devices.encodeReading(timestamp, energy, Devices.SOURCE, 0), forgery);
        }
        if (forgery == Forgery.EnergyBackward) {
            if (baseEnergy == 0) return 0;
            energy = baseEnergy - 1;
        }
        if (forgery == Forgery.TimeAhead) timestamp += 301;
        if (forgery == Forgery.TimeNotForward) timestamp = baseTime;
        if (forgery == Forgery.NotLastReading) --timestamp;
        uint8 conditions = forgery == Forgery.ConditionsBlock ? 8 : 0;
        uint8 source = forgery == Forgery.OtherSource ? Devices.SOURCE + 1 : Devices.SOURCE;
        return _sign(item, choice, Devices.encodeReading(timestamp, energy, source, conditions), forgery);
    }

    function _sign(
        IWattWitness.Settlement memory item,
        Choice memory choice,
        bytes32 reading,
        Forgery forgery
    ) private view returns (bytes4) {
        item.head.reading = Reading.wrap(reading);
        item.signature = devices[choice.device].signHead(address(registry), item.head);
        if (forgery == Forgery.BeyondCapacity) return IWattWitness.BeyondCapacity.selector;
        if (forgery == Forgery.EnergyBackward) return IWattWitness.EnergyBackward.selector;
        if (forgery == Forgery.TimeAhead) return IWattWitness.TimeAhead.selector;
        if (forgery == Forgery.TimeNotForward) return IWattWitness.TimeNotForward.selector;
        if (forgery == Forgery.ConditionsBlock) return IWattWitness.ConditionsBlock.selector;
        if (forgery == Forgery.OtherSource) return IWattWitness.SourceMismatch.selector;
        return forgery == Forgery.NotLastReading ? IWattWitness.LastReadingInvalid.selector : bytes4(0);
    }

    function _bendAttestation(
        IWattWitness.Settlement memory item,
        Forgery forgery,
        bytes32 attestation
    ) private pure returns (bytes32, bytes4) {
        if (forgery == Forgery.AttestationUnknown) return (~attestation, IWattWitness.AttestationUnknown.selector);
        Made memory made = _unpack(item.basis);
        bool leavesGap = forgery == Forgery.SegmentGap && made.settledSize != 0;
        if (leavesGap) made.from = made.settledSize;
        else made.segment = 1;
        item.basis = _pack(made);
        return (attestation, leavesGap ? IWattWitness.SegmentGap.selector : IWattWitness.SegmentNotAttested.selector);
    }

    function _expectRefusal(bytes32 attestation, IWattWitness.Settlement[] memory items, bytes4 expected) private {
        bytes memory data = abi.encodeCall(IWattWitness.settle, (attestation, items));
        (bool success, bytes memory answer) = _call(ANYONE, address(wattWitness), data);
        if (success) _violate(Rule.Forged, "a forged item was accepted");
        else if (bytes4(answer) != expected) _violate(Rule.Forged, "a forged item was refused for another reason");
    }

    /* EQUIVOCATION */

    /// A device signs a second story of its last reading, and somebody shows both.
    function equivocate(uint256 seed) external watched {
        if (meters.length < 2 || _roll(seed, "mercy", 3) != 0) return;
        uint256 device = _someDevice(seed);
        uint32 epoch = devices[device].epoch;
        uint64 size = devices[device].sizeOf(epoch);
        if (size < 2) return;
        bool isEqual = _roll(seed, "equal", 2) == 0;
        uint64 first = isEqual ? size : size - 1;
        uint64 index = uint64(_roll(seed, "index", first));
        IWattWitness.Equivocation memory proof = _equivocation(device, Pair(epoch, first, size, index));
        bytes memory data = abi.encodeCall(IWattWitness.proveEquivocation, (proof));
        (bool success, ) = _call(ANYONE, address(wattWitness), data);
        if (success != _isRegistered(device)) return _violate(success ? Rule.Forged : Rule.Refused, "equivocation");
        if (!success) return;
        ++done["equivocate"];
        Book storage book = books[device];
        if (book.status == IWattWitness.Status.Active) {
            book.status = IWattWitness.Status.Frozen;
            ++done["freeze"];
        }
    }

    struct Pair {
        uint32 epoch;
        uint64 first;
        uint64 second;
        /// of the reading that is told in two ways
        uint64 index;
    }

    function _equivocation(
        uint256 index,
        Pair memory heads
    ) private view returns (IWattWitness.Equivocation memory proof) {
        Device storage device = devices[index];
        bytes32 one = device.readingAt(heads.epoch, heads.index);
        bytes32 other = one ^ bytes32(uint256(1 << 160));
        bytes32[] memory leaves = device.leaves(heads.epoch, heads.second);
        leaves[heads.index] = Devices.leafOf(other);
        proof.key = device.key;
        proof.first = device.head(heads.epoch, heads.first);
        proof.firstSignature = device.signHead(address(registry), proof.first);
        bytes32 last = heads.index == heads.second - 1 ? other : device.readingAt(heads.epoch, heads.second - 1);
        proof.second = Head(heads.epoch, heads.second, Reading.wrap(last), Rfc9162.root(leaves));
        proof.secondSignature = device.signHead(address(registry), proof.second);
        if (heads.first == heads.second) return proof;
        bytes32[] memory honest = device.leaves(heads.epoch, heads.first);
        proof.one = IWattWitness.PlacedReading(heads.index, Reading.wrap(one), Rfc9162.inclusion(honest, heads.index));
        proof.other = IWattWitness.PlacedReading(
            heads.index,
            Reading.wrap(other),
            Rfc9162.inclusion(leaves, heads.index)
        );
    }
}
