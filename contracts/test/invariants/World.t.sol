// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import { IMeterRegistry } from "../../interfaces/IMeterRegistry.sol";
import { IProductionToken } from "../../interfaces/IProductionToken.sol";
import { IWattWitness } from "../../interfaces/IWattWitness.sol";
import { Device } from "./Device.t.sol";
import { VM } from "./Vm.t.sol";

/// What must never be seen while something is done.
enum Rule {
    /// another outcome than the rules say
    Outcome,
    /// a frozen or decommissioned meter minted
    Stopped,
    /// a key minted that is not the current one of a meter
    Stranger,
    /// honest items stopped their batch
    Race,
    /// something else that is allowed was refused
    Refused,
    /// something false was accepted, or refused for another reason than its falsehood
    Forged,
    /// a log or a key went back
    Backward
}

/// What should be known of a key, by the rules alone.
struct Book {
    IWattWitness.Status status;
    /// index of its meter
    uint256 meter;
    uint32 since;
    uint32 until;
    /// of the last reading of the newest log that counts
    uint32 timestamp;
    uint32 settledAt;
    /// its log
    uint32 newest;
    /// index of the reading that it begins with, and its log
    uint64 baseline;
    uint32 first;
    /// readings of each log that count
    mapping(uint32 epoch => uint64) settled;
    /// mWh that the capacity leaves between a log and the next that counts
    mapping(uint32 epoch => uint64) room;
    /// whether the capacity was raised since the last reading of the newest log: when, and from what
    bool isRaised;
    uint32 raisedAt;
    uint32 before;
    /// the greatest that the contract ever answered
    mapping(uint32 epoch => uint64) seenSize;
    uint32 seenTimestamp;
}

struct Proposed {
    uint256 value;
    uint256 proposedAt;
    /// index of the device, of a key
    uint256 device;
}

/// What should be known of a meter.
struct MeterBook {
    bytes32 id;
    address owner;
    address payee;
    uint32 capacity;
    bool isDown;
    /// indices of its devices, the current one last
    uint256[] keys;
    mapping(IMeterRegistry.Change => Proposed) proposed;
}

/// The contracts as they are deployed, the people, the devices, and the books kept about them without asking the contracts.
abstract contract World {
    uint32 internal constant START = 1_773_964_800;
    uint64 internal constant DELAY = 14 days;
    uint256 internal constant UNITS = 1e12;
    uint32 internal constant CEILING = 10_000;
    uint32 internal constant EPOCH_STRIDE = 64;

    uint64 internal constant REGISTRAR_ROLE = 1;
    uint64 internal constant ATTESTOR_ROLE = 3;
    uint64 internal constant GUARDIAN_ROLE = 4;

    address internal constant REGISTRAR = address(0x11);
    address internal constant ATTESTOR = address(0x12);
    address internal constant OTHER_ATTESTOR = address(0x15);
    address internal constant GUARDIAN = address(0x13);
    /// Calls what anyone may call.
    address internal constant ANYONE = address(0x14);

    IMeterRegistry public immutable registry;
    IWattWitness public immutable wattWitness;
    IProductionToken public immutable token;
    uint32 public immutable unattestedAfter;

    Device[] internal devices;
    Book[] internal books;
    MeterBook[] internal meters;
    mapping(bytes32 keyId => uint256) internal deviceOf;
    /// Owners, payees and holders.
    address[] public actors;
    mapping(address actor => uint256) public balanceBook;
    uint256 public retiredBook;

    uint32 internal clock = START;

    /// What was seen first against a rule.
    mapping(Rule => string) public violation;
    mapping(string action => uint256) public done;

    constructor(uint32 unattestedAfter_) {
        VM.warp(START);
        unattestedAfter = unattestedAfter_;
        address authority = _deploy("Authority.sol:Authority", abi.encode(address(this)));
        address descriptor = _deploy("MeterDescriptor.sol:MeterDescriptor", "");
        bytes memory ofRegistry = abi.encode(authority, descriptor, CEILING, address(0));
        registry = IMeterRegistry(_deploy("MeterRegistry.sol:MeterRegistry", ofRegistry));
        bytes memory arguments = abi.encode(authority, registry, unattestedAfter_);
        wattWitness = IWattWitness(_deploy("contracts/WattWitness.sol:WattWitness", arguments));
        token = wattWitness.token();
        registry.nameWattWitness(wattWitness);
        _restrict(IAccessManager(authority));
        for (uint160 i = 1; i <= 5; ++i) actors.push(address(0x1000 + i));
    }

    function _deploy(string memory artifact, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(VM.getCode(artifact), arguments);
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
    }

    function _restrict(IAccessManager manager) private {
        bytes4[] memory registrars = new bytes4[](7);
        registrars[0] = IMeterRegistry.register.selector;
        registrars[1] = IMeterRegistry.proposeKey.selector;
        registrars[2] = IMeterRegistry.proposeOwner.selector;
        registrars[3] = IMeterRegistry.proposeCapacity.selector;
        registrars[4] = IMeterRegistry.cancelProposal.selector;
        registrars[5] = IMeterRegistry.lowerCapacity.selector;
        registrars[6] = IMeterRegistry.decommission.selector;
        manager.setTargetFunctionRole(address(registry), registrars, REGISTRAR_ROLE);
        bytes4[] memory guardians = new bytes4[](2);
        guardians[0] = IMeterRegistry.pause.selector;
        guardians[1] = IMeterRegistry.unpause.selector;
        manager.setTargetFunctionRole(address(registry), guardians, GUARDIAN_ROLE);
        bytes4[] memory attestors = new bytes4[](1);
        attestors[0] = IWattWitness.attest.selector;
        manager.setTargetFunctionRole(address(wattWitness), attestors, ATTESTOR_ROLE);
        manager.grantRole(REGISTRAR_ROLE, REGISTRAR, 0);
        manager.grantRole(ATTESTOR_ROLE, ATTESTOR, 0);
        manager.grantRole(ATTESTOR_ROLE, OTHER_ATTESTOR, 0);
        manager.grantRole(GUARDIAN_ROLE, GUARDIAN, 0);
    }

    /* CHANCE, TIME AND CALLS */

    function _roll(uint256 seed, string memory what, uint256 sides) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what))) % sides;
    }

    function _pass(uint256 time) internal {
        clock += uint32(time);
        VM.warp(clock);
    }

    function _call(address by, address target, bytes memory data) internal returns (bool success, bytes memory answer) {
        VM.prank(by);
        return target.call(data);
    }

    function _violate(Rule rule, string memory what) internal {
        if (bytes(violation[rule]).length == 0) violation[rule] = what;
    }

    /// Does what is allowed or not, and notes where the contracts are of another opinion.
    function _do(string memory what, bool isAllowed, address by, bytes memory data) internal returns (bool success) {
        (success, ) = _call(by, address(registry), data);
        if (success && !isAllowed) _violate(Rule.Forged, what);
        if (!success && isAllowed) _violate(Rule.Refused, what);
        if (success) ++done[what];
        else ++done[string.concat(what, " refused")];
    }

    /* BOOKS */

    function _newDevice(uint256 seed) internal returns (uint256 index) {
        index = devices.length;
        devices.push();
        books.push();
        uint32 skew = _roll(seed, "skew", 4) == 0 ? 300 : 0;
        devices[index].provision(index, uint32(index % 2), skew);
        deviceOf[devices[index].keyId] = index;
    }

    /// A key begins to count for a meter, on its device's newest head.
    function _open(uint256 device, uint256 meter) internal {
        Device storage dev = devices[device];
        Book storage book = books[device];
        (uint32 epoch, uint64 size) = (dev.epoch, dev.sizeOf(dev.epoch));
        book.status = IWattWitness.Status.Active;
        book.meter = meter;
        book.since = dev.timestamp;
        (book.baseline, book.first) = (size - 1, epoch);
        _mark(book, epoch, size, dev.timestamp);
        meters[meter].keys.push(device);
    }

    function _mark(Book storage book, uint32 epoch, uint64 size, uint32 timestamp) internal {
        (book.newest, book.settled[epoch]) = (epoch, size);
        (book.timestamp, book.settledAt) = (timestamp, clock);
        if (timestamp >= book.raisedAt) book.isRaised = false;
    }

    /// Most often a meter's current one.
    function _someDevice(uint256 seed) internal view returns (uint256) {
        if (meters.length == 0 || _roll(seed, "any", 3) == 0) return _roll(seed, "device", devices.length);
        return _currentOf(_roll(seed, "meter", meters.length));
    }

    function _currentOf(uint256 meter) internal view returns (uint256) {
        uint256[] storage keys = meters[meter].keys;
        return keys[keys.length - 1];
    }

    function _isRegistered(uint256 device) internal view returns (bool) {
        return books[device].status != IWattWitness.Status.None;
    }

    /// mWh that a device signed as produced since its baseline, as far as it was heard: what its register rose from reading
    /// to reading of the logs that count, one after the other, whichever was settled first.
    function earned(uint256 device) public view returns (uint256 energy) {
        Device storage dev = devices[device];
        Book storage book = books[device];
        if (book.since == 0) return 0;
        uint64 last = dev.energyAt(book.first, book.baseline);
        for (uint32 epoch = book.first; epoch <= book.newest; ++epoch) {
            uint64 size = book.settled[epoch];
            if (size == 0) continue;
            if (epoch != book.first) {
                energy += _rise(last, dev.energyAt(epoch, 0));
                last = dev.energyAt(epoch, 0);
            }
            energy += dev.energyAt(epoch, size - 1) - last;
            last = dev.energyAt(epoch, size - 1);
        }
    }

    /// What a register rose; a lower one was lost.
    function _rise(uint64 energy, uint64 later) internal pure returns (uint64) {
        return later > energy ? later - energy : 0;
    }
}
