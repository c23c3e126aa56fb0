// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC1155 } from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IHourlyCertificates } from "../interfaces/IHourlyCertificates.sol";
import { IMeterRegistry } from "../interfaces/IMeterRegistry.sol";
import { IProductionToken } from "../interfaces/IProductionToken.sol";
import { IWattWitness } from "../interfaces/IWattWitness.sol";
import { Entries, Entry } from "../libraries/Entry.sol";
import { HourSet } from "../libraries/HourSet.sol";
import { HARMLESS_CONDITIONS, Reading } from "../libraries/Reading.sol";
import { CertificateDescription } from "./CertificateDescription.sol";

contract HourlyCertificates is IHourlyCertificates, ERC1155 {
    using Entries for mapping(uint256 slot => uint256);
    using HourSet for mapping(uint256 word => uint256);
    using SafeCast for uint256;

    /* TYPES */

    struct Named {
        /// who said so: where he is no longer the meter's owner, it no longer holds
        address owner;
        address issuer;
    }

    /// The last reading that was proven, and what is known since the last full hour.
    struct Position {
        bytes32 keyId;
        uint32 epoch;
        uint64 index;
        /// 0 = there is none yet
        uint32 timestamp;
        uint64 energy;
        /// the last full hour: Unix time, s; 0 = there is none yet
        uint32 start;
        /// mWh since then
        uint256 produced;
    }

    /// Certificates that are being made.
    struct Making {
        bytes32 meter;
        uint256 count;
        uint256[] ids;
        uint256[] energies;
        /// mWh of all of them
        uint256 sum;
    }

    /* CONSTANTS */

    /// Units of the token in 1 mWh.
    uint256 private constant UNITS = 1e12;

    /// @inheritdoc IHourlyCertificates
    address public constant ANYONE = address(type(uint160).max);

    /* STATE */

    /// @inheritdoc IHourlyCertificates
    IWattWitness public immutable wattWitness;
    /// @inheritdoc IHourlyCertificates
    IProductionToken public immutable token;

    IMeterRegistry private immutable _registry;

    /// @inheritdoc IHourlyCertificates
    mapping(bytes32 meter => mapping(uint256 word => uint256)) public issuedHours;

    mapping(bytes32 meter => mapping(uint256 slot => uint256)) private _entries;
    mapping(bytes24 prefix => bytes32) private _meters;
    mapping(bytes32 meter => Named) private _named;
    mapping(bytes32 meter => bytes) private _details;

    /* CONSTRUCTION */

    constructor(IWattWitness wattWitness_) ERC1155("") {
        wattWitness = wattWitness_;
        token = wattWitness_.token();
        _registry = wattWitness_.registry();
    }

    /* WHO ISSUES */

    /// @inheritdoc IHourlyCertificates
    function nameIssuer(bytes32 meter, address issuer) external {
        require(_ownerOf(meter) == msg.sender, CallerNotMetersOwner(meter, msg.sender));
        _named[meter] = Named(msg.sender, issuer);
        emit IssuerNamed(meter, msg.sender, issuer);
    }

    /// @inheritdoc IHourlyCertificates
    function issuerOf(bytes32 meter) external view returns (address) {
        return _issuerOf(meter, _ownerOf(meter));
    }

    function _issuerOf(bytes32 meter, address owner) private view returns (address) {
        Named storage named = _named[meter];
        return named.owner == owner ? named.issuer : address(0);
    }

    function _checkIssuer(bytes32 meter) private view {
        address owner = _ownerOf(meter);
        if (owner == msg.sender) return;
        address issuer = _issuerOf(meter, owner);
        require(issuer == msg.sender || issuer == ANYONE, IssuerNotNamed(meter, msg.sender));
    }

    function _ownerOf(bytes32 meter) private view returns (address) {
        return _registry.ownerOf(uint256(meter));
    }

    /* ISSUING */

    /// @inheritdoc IHourlyCertificates
    function issue(bytes32 meter, Run[] calldata runs) external returns (uint256[] memory) {
        _checkIssuer(meter);
        _know(meter);
        Making memory making = _prepare(meter, runs);
        Position memory position;
        for (uint256 i = 0; i < runs.length; ++i) _follow(position, runs[i], making);
        require(making.count != 0, NothingToIssue());

        (uint256[] memory ids, uint256[] memory energies, uint256 count) = (making.ids, making.energies, making.count);
        assembly ("memory-safe") {
            mstore(ids, count)
            mstore(energies, count)
        }
        emit Issued(meter, msg.sender, ids, energies);
        // the token is WattWitness's own, which answers or reverts
        token.transferFrom(msg.sender, address(this), making.sum * UNITS);
        _mintBatch(msg.sender, ids, energies, "");
        return ids;
    }

    /// Ids have room for the first 24 bytes of a meter only.
    function _know(bytes32 meter) private {
        bytes32 known = _meters[bytes24(meter)];
        if (known == meter) return;
        require(known == 0, MeterAmbiguous(meter, known));
        _meters[bytes24(meter)] = meter;
    }

    /// With room for a certificate before every reading.
    function _prepare(bytes32 meter, Run[] calldata runs) private pure returns (Making memory making) {
        uint256 readings;
        for (uint256 i = 0; i < runs.length; ++i) readings += runs[i].readings.length;
        making.meter = meter;
        (making.ids, making.energies) = (new uint256[](readings), new uint256[](readings));
    }

    /// From reading to reading, over the readings of one log.
    function _follow(Position memory position, Run calldata run, Making memory making) private {
        require(wattWitness.meterOf(run.keyId) == making.meter, KeyNotOfMeter(run.keyId, making.meter));
        // of two logs that tell of one time, a rise would count twice
        bool isForward = run.keyId != position.keyId || run.epoch > position.epoch;
        require(isForward, EpochNotForward(run.keyId, run.epoch, position.epoch));
        for (uint256 i = 0; i < run.readings.length; ++i) {
            IWattWitness.PlacedReading calldata placed = run.readings[i];
            require(
                wattWitness.verifyReading(run.keyId, run.epoch, placed),
                BoundaryNotProven(run.keyId, run.epoch, placed.index)
            );
            uint32 timestamp = placed.reading.timestamp();
            require(timestamp > position.timestamp, ReadingsNotForward(timestamp, position.timestamp));
            if (position.start != 0) {
                position.produced += i == 0 ? _riseInto(position, run) : _riseWithin(position, placed);
                _checkHours(position, run, i);
            }
            (position.keyId, position.epoch, position.index) = (run.keyId, run.epoch, placed.index);
            (position.timestamp, position.energy) = (timestamp, placed.reading.energy());
            if (_isBoundary(placed.reading)) _reach(position, making);
        }
    }

    /// Whether a reading is of a full hour. Where its clock or its enclosure is in doubt, it is none.
    function _isBoundary(Reading reading) private pure returns (bool) {
        return reading.timestamp() % 1 hours == 0 && reading.conditions() & ~HARMLESS_CONDITIONS == 0;
    }

    /// What the register rose within a log.
    function _riseWithin(
        Position memory position,
        IWattWitness.PlacedReading calldata placed
    ) private pure returns (uint256) {
        uint64 energy = placed.reading.energy();
        require(energy >= position.energy, RegisterBackward(energy, position.energy));
        return energy - position.energy;
    }

    /// What the register of the same key rose from one log to the next; a lower one was lost.
    function _riseInto(Position memory position, Run calldata run) private pure returns (uint256) {
        uint64 energy = run.readings[0].reading.energy();
        return position.keyId == run.keyId && energy > position.energy ? energy - position.energy : 0;
    }

    /// A full hour is passed over only where no reading can be of it.
    function _checkHours(Position memory position, Run calldata run, uint256 i) private view {
        uint256 hour = (uint256(position.timestamp) / 1 hours + 1) * 1 hours;
        if (hour >= run.readings[i].reading.timestamp()) return;
        bool isNext = i == 0 ? _isNextLog(position, run) : run.readings[i].index == position.index + 1;
        require(isNext, HourSkipped(hour));
    }

    /// Whether the last reading ends its settled log, and the run begins the one that is settled after it.
    function _isNextLog(Position memory position, Run calldata run) private view returns (bool) {
        (uint64 size, ) = wattWitness.logOf(position.keyId, position.epoch);
        if (position.index != size - 1) return false;
        if (position.keyId == run.keyId) {
            for (uint32 epoch = position.epoch + 1; epoch < run.epoch; ++epoch) {
                (uint64 between, ) = wattWitness.logOf(run.keyId, epoch);
                if (between != 0) return false;
            }
            return run.readings[0].index == 0;
        }
        // a key counts from its baseline on, and the one before it until then
        (, uint32 until) = wattWitness.intervalOf(position.keyId);
        bool isLastLog = wattWitness.latestOf(position.keyId).epoch == position.epoch;
        return isLastLog && run.readings[0].reading.timestamp() == until;
    }

    /// A full hour: with the one before it, a certificate.
    function _reach(Position memory position, Making memory making) private {
        if (position.produced != 0) _make(position, making);
        (position.start, position.produced) = (position.timestamp, 0);
    }

    function _make(Position memory position, Making memory making) private {
        (bytes32 meter, uint256 start, uint256 end) = (making.meter, position.start, position.timestamp);
        (uint256 first, uint256 span) = (start / 1 hours, (end - start) / 1 hours);
        mapping(uint256 => uint256) storage hours_ = issuedHours[meter];
        require(hours_.isFree(first, span), HourAlreadyIssued(meter, start, end));
        hours_.flip(first, span);
        uint256 energy = position.produced;
        require(energy < Entries.ENERGY_LIMIT && span < Entries.SPAN_LIMIT, CertificateTooLarge(energy, span));
        _entries[meter].put(first, Entry(energy, 0, span));
        (making.ids[making.count], making.energies[making.count]) = (idOf(meter, start, end), energy);
        making.count += 1;
        making.sum += energy;
    }

    /* USING UP, AND TAKING BACK */

    /// @inheritdoc IHourlyCertificates
    function redeem(
        uint256 id,
        uint64 energy,
        address beneficiary,
        string calldata purpose
    ) external returns (uint256 serial) {
        (bytes32 meter, uint256 first) = (_meterOf(id), _firstHourOf(id));
        require(energy != 0, EnergyZero());
        _burn(msg.sender, id, energy);
        Entry memory entry = _entries[meter].entryAt(first);
        uint64 before = uint64(entry.redeemed);
        entry.redeemed += energy;
        _entries[meter].put(first, entry);
        serial = token.retire(energy * UNITS, beneficiary, "", purpose);
        emit Redeemed(id, serial, msg.sender, beneficiary, before, energy);
    }

    /// @inheritdoc IHourlyCertificates
    function unissue(uint256 id) external {
        Certificate memory certificate = certificateOf(id);
        (bytes32 meter, uint64 energy, uint256 first) = (certificate.meter, certificate.energy, _firstHourOf(id));
        uint256 held = balanceOf(msg.sender, id);
        require(held == energy, NotAllHeld(id, held, energy));
        _burn(msg.sender, id, energy);
        issuedHours[meter].flip(first, (certificate.end - certificate.start) / 1 hours);
        _entries[meter].put(first, Entry(0, 0, 0));
        emit Unissued(id, meter, msg.sender, energy);
        token.transfer(msg.sender, energy * UNITS);
    }

    /* VIEWS */

    /// @inheritdoc IHourlyCertificates
    function certificateOf(uint256 id) public view returns (Certificate memory) {
        (bytes32 meter, uint256 first) = (_meterOf(id), _firstHourOf(id));
        Entry memory entry = _entries[meter].entryAt(first);
        (uint256 start, uint256 end) = (first * 1 hours, (first + entry.span) * 1 hours);
        require(entry.energy != 0 && idOf(meter, start, end) == id, CertificateUnknown(id));
        return Certificate(meter, uint40(start), uint40(end), uint64(entry.energy), uint64(entry.redeemed));
    }

    /// @inheritdoc IHourlyCertificates
    function idOf(bytes32 meter, uint256 start, uint256 end) public pure returns (uint256) {
        return uint256(bytes32(bytes24(meter))) | (uint256(start.toUint32()) << 32) | (end - start).toUint32();
    }

    function _meterOf(uint256 id) private view returns (bytes32) {
        return _meters[bytes24(bytes32(id))];
    }

    /// The hour that a certificate begins with, numbered from the Unix epoch.
    function _firstHourOf(uint256 id) private pure returns (uint256) {
        return uint32(id >> 32) / 1 hours;
    }

    /* METADATA */

    /// @inheritdoc IHourlyCertificates
    function tellDetails(bytes32 meter, bytes calldata document) external {
        bytes32 details = _registry.detailsOf(meter);
        require(sha256(document) == details || keccak256(document) == details, DetailsDiffer(meter, details));
        _details[meter] = document;
        emit DetailsTold(meter);
    }

    /// @inheritdoc IHourlyCertificates
    function uri(uint256 id) public view override(ERC1155, IHourlyCertificates) returns (string memory) {
        Certificate memory certificate = certificateOf(id);
        IMeterRegistry.Meter memory meter = _registry.meterOf(certificate.meter);
        return CertificateDescription.uri(certificate, meter.capacity, meter.details, _details[certificate.meter]);
    }
}
