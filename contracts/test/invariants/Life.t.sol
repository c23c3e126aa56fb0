// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { IMeterRegistry } from "../../interfaces/IMeterRegistry.sol";
import { IProductionToken } from "../../interfaces/IProductionToken.sol";
import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Head, Signature } from "../../libraries/Statement.sol";
import { Device, Devices } from "./Device.t.sol";
import { Items } from "./Items.t.sol";
import { Book, MeterBook, Proposed, Rule } from "./World.t.sol";

/// What happens to devices, meters and tokens, but for settlement.
abstract contract Life is Items {
    uint256 private constant MOST_METERS = 5;
    uint256 internal constant MOST_DEVICES = 20;

    /// How much was tried.
    uint256 public steps;

    /// After everything that is done: nothing went back.
    modifier watched() {
        ++steps;
        _;
        for (uint256 i = 0; i < devices.length; ++i) _watch(i);
    }

    function _watch(uint256 device) internal virtual;

    /* DEVICES */

    /// Of every key that counts, and of some other device.
    function produce(uint256 seed) external watched {
        if (devices.length == 0) return;
        for (uint256 i = 0; i < devices.length; ++i) {
            if (books[i].status == IWattWitness.Status.Active) _measure(i, uint256(keccak256(abi.encode(seed, i))));
        }
        _produceSome(_roll(seed, "device", devices.length), seed);
        ++done["produce"];
    }

    function _produceSome(uint256 device, uint256 seed) internal {
        uint256 count = 1 + _roll(seed, "count", 4);
        for (uint256 i = 0; i < count; ++i) _measure(device, uint256(keccak256(abi.encode("some", seed, i))));
    }

    /// A new epoch; with the register lost, or going on.
    function beginEpoch(uint256 seed) external watched {
        if (devices.length == 0) return;
        uint256 device = _someDevice(seed);
        bool losesRegister = _roll(seed, "loses", 2) == 0;
        devices[device].beginEpoch(losesRegister);
        _measure(device, seed);
        ++done[losesRegister ? "lose register" : "begin epoch"];
    }

    function wait(uint256 seed) external watched {
        uint256[5] memory times = [uint256(1 minutes), 1 hours, 1 days, 14 days, 30 days];
        _pass(times[_roll(seed, "time", 5)]);
        ++done["wait"];
    }

    /// One more reading, at no, some or all the power that the installation is capable of.
    function _measure(uint256 device, uint256 seed) internal {
        uint256[4] memory intervals = [uint256(10), 60, 900, 3600];
        _pass(intervals[_roll(seed, "interval", 4)]);
        Device storage dev = devices[device];
        uint32 timestamp = clock + dev.skew;
        uint32 since = dev.timestamp == 0 ? timestamp : dev.timestamp;
        uint256 most = (uint256(_wattsOf(device)) * 1000 * (timestamp - since)) / 3600;
        uint256[4] memory gains = [0, _roll(seed, "gain", most + 1), most, most];
        uint8[5] memory conditions = [0, 0, 2, 4, 1];
        uint64 gain = uint64(gains[_roll(seed, "power", 4)]);
        dev.measure(timestamp, gain, conditions[_roll(seed, "conditions", 5)]);
    }

    function _wattsOf(uint256 device) private view returns (uint32) {
        return _isRegistered(device) ? _capacityOf(device) : 1000;
    }

    /// A device that is ready to be registered: its last reading is of now, and clear.
    function _readyDevice(uint256 seed) internal returns (uint256 device) {
        device = _newDevice(seed);
        _measure(device, seed);
        if (_roll(seed, "again", 2) == 0) devices[device].beginEpoch(false);
        _measure(device, ~seed);
        _measureBaseline(device);
    }

    function _measureBaseline(uint256 device) internal {
        _pass(10 minutes);
        devices[device].measure(clock + devices[device].skew, 1, 0);
    }

    /* REGISTRATION AND ROTATION */

    function register(uint256 seed) external watched {
        if (meters.length == MOST_METERS || devices.length == MOST_DEVICES) return;
        uint256 device = _readyDevice(seed);
        address owner = _actor(seed, "owner");
        uint32 capacity = uint32(1000 * (1 + _roll(seed, "capacity", 10)));
        if (!_do("register", true, REGISTRAR, _registrationCall(device, owner, capacity))) return;
        uint256 meter = meters.length;
        meters.push();
        MeterBook storage book = meters[meter];
        (book.id, book.owner, book.payee, book.capacity) = (devices[device].keyId, owner, owner, capacity);
        _open(device, meter);
    }

    function rotate(uint256 seed) external watched {
        if (meters.length == 0 || devices.length == MOST_DEVICES) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        uint256 device = _readyDevice(seed);
        uint256 current = _currentOf(meter);
        bytes memory data = _rotationCall(meter, device);
        bool isAllowed = !meters[meter].isDown && devices[device].timestamp > books[current].timestamp;
        if (_do("rotate", isAllowed, meters[meter].owner, data)) _succeed(meter, device);
    }

    /// A key that was of a meter before, for another or the same.
    function reuseKey(uint256 seed) external watched {
        uint256 device = devices.length == 0 ? 0 : _roll(seed, "device", devices.length);
        if (devices.length == 0 || !_isRegistered(device)) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        _measureBaseline(device);
        if (_roll(seed, "how", 2) == 0) {
            _do("reuse key", false, REGISTRAR, _registrationCall(device, _actor(seed, "owner"), 5000));
        } else {
            _do("reuse key", false, meters[meter].owner, _rotationCall(meter, device));
        }
    }

    function _registrationCall(uint256 device, address owner, uint32 capacity) internal view returns (bytes memory) {
        IMeterRegistry.Registration memory registration;
        Device storage dev = devices[device];
        registration.key = dev.key;
        registration.owner = owner;
        registration.capacity = capacity;
        registration.source = Devices.SOURCE;
        registration.baseline = dev.head(dev.epoch, dev.sizeOf(dev.epoch));
        registration.claim = dev.signClaim(address(registry), dev.keyId, owner, registration.baseline);
        return abi.encodeCall(IMeterRegistry.register, (registration));
    }

    function _rotationCall(uint256 meter, uint256 device) internal view returns (bytes memory) {
        Device storage current = devices[_currentOf(meter)];
        bytes32 id = meters[meter].id;
        Signature memory rotation = current.signRotation(address(registry), id, devices[device].keyId);
        return abi.encodeCall(IMeterRegistry.rotate, (id, _newKey(meter, device), current.key, rotation));
    }

    function _newKey(uint256 meter, uint256 device) private view returns (IMeterRegistry.NewKey memory newKey) {
        Device storage dev = devices[device];
        newKey.key = dev.key;
        newKey.baseline = dev.head(dev.epoch, dev.sizeOf(dev.epoch));
        newKey.claim = dev.signClaim(address(registry), meters[meter].id, meters[meter].owner, newKey.baseline);
    }

    function _succeed(uint256 meter, uint256 device) private {
        Book storage old = books[_currentOf(meter)];
        (old.status, old.until) = (IWattWitness.Status.Superseded, devices[device].timestamp);
        _open(device, meter);
    }

    /* PROPOSALS */

    function propose(uint256 seed) external watched {
        if (meters.length == 0) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        IMeterRegistry.Change change = IMeterRegistry.Change(_roll(seed, "change", 3));
        if (change == IMeterRegistry.Change.Key && devices.length == MOST_DEVICES) return;
        (uint256 value, uint256 device) = _proposal(meter, change, seed);
        bool success = _do(
            _name("propose", change),
            !meters[meter].isDown,
            REGISTRAR,
            _proposeCall(meter, change, value)
        );
        if (success) meters[meter].proposed[change] = Proposed(value, clock, device);
    }

    function _proposal(
        uint256 meter,
        IMeterRegistry.Change change,
        uint256 seed
    ) private returns (uint256 value, uint256 device) {
        if (change == IMeterRegistry.Change.Owner) return (uint160(_actor(seed, "heir")), 0);
        if (change == IMeterRegistry.Change.Capacity)
            return (meters[meter].capacity + 1 + _roll(seed, "more", 5000), 0);
        device = _newDevice(seed);
        return (uint256(devices[device].keyId), device);
    }

    function _proposeCall(
        uint256 meter,
        IMeterRegistry.Change change,
        uint256 value
    ) private view returns (bytes memory) {
        bytes32 id = meters[meter].id;
        if (change == IMeterRegistry.Change.Key) return abi.encodeCall(IMeterRegistry.proposeKey, (id, bytes32(value)));
        if (change == IMeterRegistry.Change.Owner) {
            return abi.encodeCall(IMeterRegistry.proposeOwner, (id, address(uint160(value))));
        }
        return abi.encodeCall(IMeterRegistry.proposeCapacity, (id, uint32(value)));
    }

    function cancel(uint256 seed) external watched {
        if (meters.length == 0) return;
        (uint256 meter, IMeterRegistry.Change change) = _likelyProposal(seed);
        address by = _roll(seed, "by", 2) == 0 ? REGISTRAR : meters[meter].owner;
        bytes memory data = abi.encodeCall(IMeterRegistry.cancelProposal, (meters[meter].id, change));
        if (_do("cancel", meters[meter].proposed[change].proposedAt != 0, by, data))
            delete meters[meter].proposed[change];
    }

    /// Too early, in time, or too late.
    function execute(uint256 seed) external watched {
        if (meters.length == 0) return;
        (uint256 meter, IMeterRegistry.Change change) = _likelyProposal(seed);
        Proposed memory proposed = meters[meter].proposed[change];
        uint256 due = proposed.proposedAt + (_roll(seed, "late", 6) == 0 ? 2 * DELAY : DELAY);
        if (proposed.proposedAt != 0 && _roll(seed, "wait", 4) != 0 && due > clock) _pass(due - clock);
        if (change == IMeterRegistry.Change.Key) _replaceKey(meter, proposed, seed);
        else if (change == IMeterRegistry.Change.Owner) _recoverOwner(meter, proposed);
        else _raiseCapacity(meter, proposed);
    }

    function _isDue(uint256 meter, Proposed memory proposed) private view returns (bool) {
        uint256 due = proposed.proposedAt + DELAY;
        return !meters[meter].isDown && proposed.proposedAt != 0 && clock >= due && clock < due + DELAY;
    }

    function _replaceKey(uint256 meter, Proposed memory proposed, uint256 seed) private {
        if (proposed.proposedAt == 0) return;
        if (_isRegistered(proposed.device)) return;
        _measureBaseline(proposed.device);
        Book storage current = books[_currentOf(meter)];
        bool isLater = devices[proposed.device].timestamp > current.timestamp;
        bool isAllowed = isLater && current.timestamp < proposed.proposedAt && _isDue(meter, proposed);
        bool isOther = _roll(seed, "other", 8) == 0 && devices.length < MOST_DEVICES;
        uint256 device = isOther ? _readyDevice(seed) : proposed.device;
        if (isOther) isAllowed = false;
        bytes memory data = abi.encodeCall(IMeterRegistry.replaceKey, (meters[meter].id, _newKey(meter, device)));
        if (!_do("replace key", isAllowed, ANYONE, data)) return;
        delete meters[meter].proposed[IMeterRegistry.Change.Key];
        _succeed(meter, device);
    }

    function _recoverOwner(uint256 meter, Proposed memory proposed) private {
        bytes memory data = abi.encodeCall(IMeterRegistry.recoverOwner, (meters[meter].id));
        if (_do("recover owner", _isDue(meter, proposed), ANYONE, data)) _own(meter, address(uint160(proposed.value)));
    }

    function _raiseCapacity(uint256 meter, Proposed memory proposed) private {
        bytes memory data = abi.encodeCall(IMeterRegistry.raiseCapacity, (meters[meter].id));
        if (!_do("raise capacity", _isDue(meter, proposed), ANYONE, data)) return;
        Book storage book = books[_currentOf(meter)];
        if (proposed.value > meters[meter].capacity) {
            if (!book.isRaised) book.before = meters[meter].capacity;
            (book.isRaised, book.raisedAt) = (true, clock);
        }
        meters[meter].capacity = uint32(proposed.value);
        delete meters[meter].proposed[IMeterRegistry.Change.Capacity];
    }

    /// One that exists, if there is any.
    function _likelyProposal(uint256 seed) private view returns (uint256 meter, IMeterRegistry.Change change) {
        uint256 all = meters.length * 3;
        for (uint256 i = 0; i < all; ++i) {
            uint256 place = (_roll(seed, "proposal", all) + i) % all;
            (meter, change) = (place / 3, IMeterRegistry.Change(place % 3));
            if (meters[meter].proposed[change].proposedAt != 0) return (meter, change);
        }
    }

    function _name(string memory verb, IMeterRegistry.Change change) private pure returns (string memory) {
        if (change == IMeterRegistry.Change.Key) return string.concat(verb, " key");
        return string.concat(verb, change == IMeterRegistry.Change.Owner ? " owner" : " capacity");
    }

    /* WHAT OWNERS AND REGISTRARS DO AT ONCE */

    function lowerCapacity(uint256 seed) external watched {
        if (meters.length != 0) _lowerCapacity(_roll(seed, "meter", meters.length), seed);
    }

    function _lowerCapacity(uint256 meter, uint256 seed) internal {
        uint32 capacity = meters[meter].capacity - uint32(_roll(seed, "less", meters[meter].capacity / 4 + 1));
        bool isAllowed = !meters[meter].isDown && capacity != 0 && capacity < meters[meter].capacity;
        bytes memory data = abi.encodeCall(IMeterRegistry.lowerCapacity, (meters[meter].id, capacity));
        if (_do("lower capacity", isAllowed, REGISTRAR, data)) meters[meter].capacity = capacity;
    }

    function sell(uint256 seed) external watched {
        if (meters.length == 0) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        (address from, address to) = (meters[meter].owner, _actor(seed, "buyer"));
        string memory how = _roll(seed, "how", 2) == 0 ? "transferFrom" : "safeTransferFrom";
        string memory signature = string.concat(how, "(address,address,uint256)");
        bytes memory data = abi.encodeWithSignature(signature, from, to, uint256(meters[meter].id));
        if (_do("sell", true, from, data)) _own(meter, to);
    }

    function setPayout(uint256 seed) external watched {
        if (meters.length == 0) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        address owner = meters[meter].owner;
        address payee = _roll(seed, "clear", 3) == 0 ? owner : _actor(seed, "payee");
        address payout = payee == owner ? address(0) : payee;
        bytes memory data = abi.encodeCall(IMeterRegistry.setPayout, (meters[meter].id, payout));
        if (_do("set payout", true, owner, data)) meters[meter].payee = payee;
    }

    function decommission(uint256 seed) external watched {
        if (meters.length < 2 || _roll(seed, "mercy", 6) != 0) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        address by = _roll(seed, "by", 2) == 0 ? REGISTRAR : meters[meter].owner;
        bytes memory data = abi.encodeCall(IMeterRegistry.decommission, (meters[meter].id));
        if (!_do("decommission", !meters[meter].isDown, by, data)) return;
        meters[meter].isDown = true;
        Book storage book = books[_currentOf(meter)];
        uint32 last = book.timestamp > clock ? book.timestamp : clock;
        (book.status, book.until) = (IWattWitness.Status.Decommissioned, last + 1);
    }

    function _own(uint256 meter, address owner) private {
        (meters[meter].owner, meters[meter].payee) = (owner, owner);
        delete meters[meter].proposed[IMeterRegistry.Change.Owner];
    }

    /* TOKENS */

    function transferTokens(uint256 seed) external watched {
        (address from, address to) = (_actor(seed, "from"), _actor(seed, "to"));
        uint256 amount = _roll(seed, "amount", balanceBook[from] + 1);
        (bool success, ) = _call(from, address(token), abi.encodeCall(IERC20.transfer, (to, amount)));
        if (!success) return _violate(Rule.Refused, "transfer tokens");
        balanceBook[from] -= amount;
        balanceBook[to] += amount;
        if (amount != 0) ++done["transfer tokens"];
    }

    function retire(uint256 seed) external watched {
        address from = _actor(seed, "from");
        uint256 amount = _roll(seed, "amount", balanceBook[from] + 2);
        bool isAllowed = amount != 0 && amount <= balanceBook[from];
        bytes memory data = abi.encodeCall(IProductionToken.retire, (amount, ANYONE, "somebody", "something"));
        (bool success, ) = _call(from, address(token), data);
        if (success != isAllowed) return _violate(success ? Rule.Forged : Rule.Refused, "retire");
        if (!success) return;
        balanceBook[from] -= amount;
        retiredBook += amount;
        ++done["retire"];
    }

    function _actor(uint256 seed, string memory what) internal view returns (address) {
        return actors[_roll(seed, what, actors.length)];
    }

    /* STRANGERS */

    /// Somebody does what is another's to do.
    function trespass(uint256 seed) external watched {
        if (meters.length == 0) return;
        uint256 meter = _roll(seed, "meter", meters.length);
        bytes32 id = meters[meter].id;
        bytes[14] memory onRegistry = [
            _registrationCall(_currentOf(meter), ANYONE, 5000),
            _rotationCall(meter, _currentOf(meter)),
            abi.encodeCall(IMeterRegistry.proposeKey, (id, id)),
            abi.encodeCall(IMeterRegistry.proposeOwner, (id, ANYONE)),
            abi.encodeCall(IMeterRegistry.proposeCapacity, (id, type(uint32).max)),
            abi.encodeCall(IMeterRegistry.cancelProposal, (id, IMeterRegistry.Change.Owner)),
            abi.encodeCall(IMeterRegistry.lowerCapacity, (id, 1)),
            abi.encodeCall(IMeterRegistry.decommission, (id)),
            abi.encodeCall(IMeterRegistry.setPayout, (id, ANYONE)),
            abi.encodeCall(IERC721.transferFrom, (meters[meter].owner, ANYONE, uint256(id))),
            abi.encodeCall(IMeterRegistry.setWatcher, (id, ANYONE)),
            abi.encodeCall(IMeterRegistry.tellFrozen, (id)),
            abi.encodeCall(IMeterRegistry.pause, ()),
            abi.encodeCall(IMeterRegistry.nameWattWitness, (wattWitness))
        ];
        for (uint256 i = 0; i < onRegistry.length; ++i) _refuse(address(registry), onRegistry[i]);
        _trespassOnWattWitness(_currentOf(meter));
        _refuse(address(token), abi.encodeCall(IProductionToken.mint, (ANYONE, 1)));
        ++done["trespass"];
    }

    function _trespassOnWattWitness(uint256 device) private {
        bytes32 keyId = devices[device].keyId;
        Head memory head = devices[device].head(books[device].newest, 1);
        bytes[6] memory calls = [
            abi.encodeCall(IWattWitness.attest, (keyId)),
            abi.encodeCall(IWattWitness.begin, (~keyId, ANYONE, 5000, Devices.SOURCE, head)),
            abi.encodeCall(IWattWitness.succeed, (keyId, keyId, ~keyId, head)),
            abi.encodeCall(IWattWitness.decommission, (keyId)),
            abi.encodeCall(IWattWitness.setCapacity, (keyId, 5000)),
            abi.encodeCall(IWattWitness.setPayee, (keyId, ANYONE))
        ];
        for (uint256 i = 0; i < calls.length; ++i) _refuse(address(wattWitness), calls[i]);
    }

    function _refuse(address target, bytes memory data) private {
        (bool success, ) = _call(ANYONE, target, data);
        if (success) _violate(Rule.Forged, "a stranger's call was accepted");
    }
}
