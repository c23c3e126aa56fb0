// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Attestation } from "./libraries/Attestation.sol";
import { Basis } from "./libraries/Basis.sol";
import { MerkleLog } from "./libraries/MerkleLog.sol";
import { HARMLESS_CONDITIONS, Reading } from "./libraries/Reading.sol";
import { Head, Precompile, PublicKey, Signature, Statement } from "./libraries/Statement.sol";
import { ProductionToken } from "./ProductionToken.sol";

contract WattWitness is IWattWitness, AccessManaged {
    using Statement for bytes32;

    /* TYPES */

    struct Attestor {
        address attestor;
        uint48 attestedAt;
    }

    /// A settled log that is not the newest of its key.
    struct OtherLog {
        bytes32 root;
        uint64 size;
    }

    /// What is known of an item's key and log before the item is believed.
    struct Standing {
        bytes32 keyId;
        Terms terms;
        SettledHead latest;
        Head head;
        /// of the log that the item is about, as settled
        uint64 logSize;
        bytes32 logRoot;
        /// else the head is only recorded: it is of an earlier epoch, or of a superseded key
        bool mints;
    }

    /* CONSTANTS */

    /// Units of the token in 1 mWh.
    uint256 private constant UNITS = 1e12;
    /// s that a reading may be ahead of the block.
    uint256 private constant CLOCK_TOLERANCE = 5 minutes;
    /// s that a baseline may be behind the block.
    uint256 private constant BASELINE_AGE = 1 hours;
    /// unattestedAfter: never.
    uint32 private constant NEVER = type(uint32).max;

    /* STATE */

    /// @inheritdoc IWattWitness
    IMeterRegistry public immutable registry;
    /// @inheritdoc IWattWitness
    IProductionToken public immutable token;
    /// @inheritdoc IWattWitness
    uint32 public immutable unattestedAfter;

    uint256 private immutable _chainId;
    bytes32 private immutable _headDomain;

    mapping(bytes32 root => Attestor) private _attestations;
    mapping(bytes32 keyId => Terms) private _terms;
    /// Of keys that are over: Unix time, s, before which their readings count.
    mapping(bytes32 keyId => uint32) private _until;
    mapping(bytes32 keyId => SettledHead) private _latest;
    mapping(bytes32 keyId => mapping(uint32 epoch => OtherLog)) private _otherLogs;

    /* CONSTRUCTION */

    constructor(address authority, IMeterRegistry registry_, uint32 unattestedAfter_) AccessManaged(authority) {
        registry = registry_;
        token = new ProductionToken();
        unattestedAfter = unattestedAfter_;
        _chainId = block.chainid;
        _headDomain = registry_.headDomain();
    }

    modifier onlyRegistry() {
        require(msg.sender == address(registry), CallerNotRegistry(msg.sender));
        _;
    }

    /* WHAT REGISTRY AND ATTESTORS SAY */

    /// @inheritdoc IWattWitness
    function begin(
        bytes32 keyId,
        address payee,
        uint32 capacity,
        uint8 source,
        Head calldata baseline
    ) external onlyRegistry {
        _begin(keyId, Terms(payee, capacity, source, Status.Active, 0), baseline);
    }

    /// @inheritdoc IWattWitness
    function succeed(bytes32 keyId, bytes32 newKeyId, Head calldata baseline) external onlyRegistry {
        Terms memory terms = _terms[keyId];
        (uint32 timestamp, uint32 settled) = (baseline.reading.timestamp(), _latest[keyId].timestamp);
        require(timestamp > settled, TimeNotForward(newKeyId, timestamp, settled));
        _end(keyId, Status.Superseded, timestamp);
        terms.status = Status.Active;
        _begin(newKeyId, terms, baseline);
    }

    /// @inheritdoc IWattWitness
    function decommission(bytes32 keyId) external onlyRegistry {
        // a settled reading may be ahead of the block
        _end(keyId, Status.Decommissioned, uint32(Math.max(block.timestamp, _latest[keyId].timestamp) + 1));
    }

    function _begin(bytes32 keyId, Terms memory terms, Head calldata baseline) private {
        require(_terms[keyId].status == Status.None, KeyAlreadyUsed(keyId));
        require(baseline.size != 0 && baseline.size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(baseline.size));
        uint32 timestamp = baseline.reading.timestamp();
        _checkClock(keyId, timestamp);
        require(timestamp + BASELINE_AGE >= block.timestamp, BaselineTooOld(keyId, timestamp, block.timestamp));
        _checkReading(keyId, baseline.reading, terms.source);

        terms.since = timestamp;
        _terms[keyId] = terms;
        _store(keyId, baseline, 0);

        emit Begun({
            keyId: keyId,
            epoch: baseline.epoch,
            size: baseline.size,
            timestamp: timestamp,
            energy: baseline.reading.energy(),
            root: baseline.root
        });
    }

    function _end(bytes32 keyId, Status status, uint32 until) private {
        _terms[keyId].status = status;
        _until[keyId] = until;
        emit Ended(keyId, status, until);
    }

    /// @inheritdoc IWattWitness
    function setPayee(bytes32 keyId, address payee) external onlyRegistry {
        _terms[keyId].payee = payee;
    }

    /// @inheritdoc IWattWitness
    function setCapacity(bytes32 keyId, uint32 capacity) external onlyRegistry {
        _terms[keyId].capacity = capacity;
    }

    /// @inheritdoc IWattWitness
    function attest(bytes32 root) external restricted {
        require(root != 0, RootZero());
        _attestations[root] = Attestor(msg.sender, uint48(block.timestamp));
        emit Attested(root, msg.sender);
    }

    /* SETTLEMENT */

    /// @inheritdoc IWattWitness
    function settle(bytes32 attestation, Settlement[] calldata items) external {
        require(attestation == 0 || _attestations[attestation].attestor != address(0), AttestationUnknown(attestation));
        bytes32 headDomain = _domain();
        for (uint256 i = 0; i < items.length; ++i) _settle(attestation, headDomain, items[i]);
    }

    function _settle(bytes32 attestation, bytes32 headDomain, Settlement calldata item) private {
        Standing memory standing = _standingOf(item);
        if (!_stands(standing, item.basis)) {
            SkipReason reason = _skipReason(standing, item.basis);
            emit Skipped(standing.keyId, attestation, reason, standing.head.epoch, standing.head.size);
            return;
        }

        _checkSize(standing);
        if (attestation == 0 && standing.mints) _checkUnattested(standing);
        uint64 produced = standing.mints ? _checkProduction(standing, item) : _checkRecord(standing);
        bytes32 headHash = _checkSignature(standing, headDomain, item);
        _checkGrowth(standing, item);
        if (attestation == 0) _checkLastReading(standing, item.witness);
        else _checkAttested(standing, item, headHash, attestation);

        if (standing.mints) _advance(standing, item, attestation, produced);
        else _record(standing, item, attestation);
    }

    function _standingOf(Settlement calldata item) private view returns (Standing memory) {
        bytes32 keyId = Statement.keyId(item.key);
        Terms memory terms = _terms[keyId];
        require(terms.status != Status.None, KeyUnknown(keyId));
        SettledHead memory latest = _latest[keyId];
        Head memory head = item.head;
        (uint64 logSize, bytes32 logRoot) = _log(keyId, head.epoch, latest);
        bool mints = terms.status != Status.Superseded && head.epoch >= latest.epoch;
        return Standing(keyId, terms, latest, head, logSize, logRoot, mints);
    }

    /// Whether everything is as the item was made for. What it mints also depends on the key's latest settled reading,
    /// whose time each settlement moves forward, in whichever log, and on the meter's capacity.
    function _stands(Standing memory standing, Basis basis) private pure returns (bool) {
        Status status = standing.terms.status;
        return
            basis.settledSize() == standing.logSize &&
            status != Status.Frozen &&
            status != Status.Decommissioned &&
            (!standing.mints ||
                (basis.settledTimestamp() == standing.latest.timestamp && basis.capacity() == standing.terms.capacity));
    }

    function _skipReason(Standing memory standing, Basis basis) private pure returns (SkipReason) {
        if (standing.terms.status == Status.Frozen) return SkipReason.Frozen;
        if (standing.terms.status == Status.Decommissioned) return SkipReason.Decommissioned;
        if (basis.settledSize() != standing.logSize) return SkipReason.Overtaken;
        if (basis.settledTimestamp() != standing.latest.timestamp) return SkipReason.Overtaken;
        return SkipReason.CapacityChanged;
    }

    /* CHECKS, IN THE ORDER THEY ARE MADE */

    function _checkSize(Standing memory standing) private pure {
        (uint64 size, uint64 logSize) = (standing.head.size, standing.logSize);
        require(size > logSize, SizeNotForward(standing.keyId, standing.head.epoch, size, logSize));
        require(size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(size));
    }

    function _checkUnattested(Standing memory standing) private view {
        uint256 allowedAt = _unattestedFrom(standing.latest);
        require(block.timestamp >= allowedAt, AttestationRequired(standing.keyId, allowedAt));
    }

    /// A head that is only recorded mints nothing, so nothing is asked of its time and energy.
    function _checkRecord(Standing memory standing) private view returns (uint64 produced) {
        _checkClock(standing.keyId, standing.head.reading.timestamp());
        _checkReading(standing.keyId, standing.head.reading, standing.terms.source);
        return 0;
    }

    /// Time, conditions, source and energy. Returns the mWh to mint.
    function _checkProduction(
        Standing memory standing,
        Settlement calldata item
    ) private view returns (uint64 produced) {
        (bytes32 keyId, Reading reading) = (standing.keyId, standing.head.reading);
        (uint32 timestamp, uint64 energy) = (reading.timestamp(), reading.energy());
        _checkClock(keyId, timestamp);
        (uint32 baseTimestamp, uint64 baseEnergy) = _base(standing, item);
        require(timestamp > baseTimestamp || standing.head.size == 1, TimeNotForward(keyId, timestamp, baseTimestamp));
        _checkReading(keyId, reading, standing.terms.source);
        require(energy >= baseEnergy, EnergyBackward(keyId, energy, baseEnergy));
        produced = energy - baseEnergy;
        uint256 possible = _possible(standing.terms.capacity, timestamp - baseTimestamp);
        require(produced <= possible, BeyondCapacity(keyId, produced, possible));
    }

    /// Time and energy to mint from: the last settled reading, or, where a new epoch begins below its energy, reading 0:
    /// the device lost its register, and the new one counts from there.
    function _base(
        Standing memory standing,
        Settlement calldata item
    ) private pure returns (uint32 timestamp, uint64 energy) {
        (timestamp, energy) = (standing.latest.timestamp, standing.latest.energy);
        if (standing.head.epoch == standing.latest.epoch) return (timestamp, energy);

        Reading first = item.firstReading;
        require(first.timestamp() > timestamp, TimeNotForward(standing.keyId, first.timestamp(), timestamp));
        if (first.energy() < energy) (timestamp, energy) = (first.timestamp(), first.energy());
    }

    function _checkClock(bytes32 keyId, uint32 timestamp) private view {
        require(timestamp <= block.timestamp + CLOCK_TOLERANCE, TimeAhead(keyId, timestamp, block.timestamp));
    }

    function _checkReading(bytes32 keyId, Reading reading, uint8 source) private pure {
        uint8 conditions = reading.conditions();
        require(conditions & ~HARMLESS_CONDITIONS == 0, ConditionsBlock(keyId, conditions));
        require(reading.source() == source, SourceMismatch(keyId, reading.source(), source));
    }

    function _checkSignature(
        Standing memory standing,
        bytes32 headDomain,
        Settlement calldata item
    ) private view returns (bytes32 headHash) {
        headHash = Statement.headHash(headDomain, standing.head);
        require(headHash.isSigned(item.signature, item.key), SignatureInvalid(standing.keyId, headHash));
    }

    /// The log only grew; of a log never settled, reading 0 is what the item says.
    function _checkGrowth(Standing memory standing, Settlement calldata item) private view {
        (uint64 from, uint64 size, bytes32 root) = (standing.logSize, standing.head.size, standing.head.root);
        if (from == 0) {
            require(
                MerkleLog.verifyInclusion(MerkleLog.leafHash(item.firstReading), 0, size, item.growth, root),
                FirstReadingInvalid(standing.keyId, standing.head.epoch, size)
            );
        } else {
            require(
                MerkleLog.verifyConsistency(from, size, standing.logRoot, root, item.growth),
                LogInconsistent(standing.keyId, standing.head.epoch, from, size)
            );
        }
    }

    function _checkAttested(
        Standing memory standing,
        Settlement calldata item,
        bytes32 headHash,
        bytes32 attestation
    ) private view {
        (bytes32 keyId, Basis basis) = (standing.keyId, item.basis);
        uint64 from = basis.from();
        require(from == 0 || from < standing.logSize, SegmentGap(keyId, from, standing.logSize));
        bytes32 leaf = Attestation.leafHash(keyId, standing.head.epoch, from, basis.capacity(), headHash);
        require(
            MerkleLog.verifyInclusion(leaf, basis.segment(), basis.segments(), item.witness, attestation),
            SegmentNotAttested(keyId, headHash, attestation)
        );
    }

    function _checkLastReading(Standing memory standing, bytes32[] calldata proof) private view {
        Head memory head = standing.head;
        bytes32 leaf = MerkleLog.leafHash(head.reading);
        require(
            MerkleLog.verifyInclusion(leaf, head.size - 1, head.size, proof, head.root),
            LastReadingInvalid(standing.keyId, head.epoch, head.size)
        );
    }

    /* EFFECTS */

    function _record(Standing memory standing, Settlement calldata item, bytes32 attestation) private {
        (bytes32 keyId, Head memory head) = (standing.keyId, standing.head);
        if (head.epoch == standing.latest.epoch) {
            SettledHead memory latest = standing.latest;
            (latest.root, latest.size) = (head.root, uint40(head.size));
            _latest[keyId] = latest;
        } else {
            _otherLogs[keyId][head.epoch] = OtherLog(head.root, head.size);
        }

        if (standing.logSize == 0) _tellBegun(standing, item.firstReading);
        emit Recorded({
            keyId: keyId,
            attestation: attestation,
            epoch: head.epoch,
            fromSize: standing.logSize,
            size: head.size,
            timestamp: head.reading.timestamp(),
            energy: head.reading.energy(),
            root: head.root
        });
    }

    function _advance(
        Standing memory standing,
        Settlement calldata item,
        bytes32 attestation,
        uint64 produced
    ) private {
        (bytes32 keyId, Head memory head) = (standing.keyId, standing.head);
        SettledHead memory latest = standing.latest;
        if (head.epoch != latest.epoch) _otherLogs[keyId][latest.epoch] = OtherLog(latest.root, latest.size);
        _store(keyId, head, SafeCast.toUint56(uint256(latest.produced) + produced));
        if (produced != 0) token.mint(standing.terms.payee, produced * UNITS);

        if (standing.logSize == 0) _tellBegun(standing, item.firstReading);
        emit Settled({
            keyId: keyId,
            payee: standing.terms.payee,
            attestation: attestation,
            epoch: head.epoch,
            fromSize: standing.logSize,
            size: head.size,
            timestamp: head.reading.timestamp(),
            energy: head.reading.energy(),
            produced: produced,
            root: head.root
        });
    }

    /// With the first head of a log, by which its reading 0 is proven.
    function _tellBegun(Standing memory standing, Reading first) private {
        emit LogBegun(standing.keyId, standing.head.epoch, first.timestamp(), first.energy());
    }

    function _store(bytes32 keyId, Head memory head, uint56 produced) private {
        _latest[keyId] = SettledHead({
            root: head.root,
            epoch: head.epoch,
            size: uint40(head.size),
            timestamp: head.reading.timestamp(),
            energy: head.reading.energy(),
            settledAt: uint32(block.timestamp),
            produced: produced
        });
    }

    /* EQUIVOCATION */

    /// @inheritdoc IWattWitness
    function proveEquivocation(Equivocation calldata equivocation) external {
        (Head calldata first, Head calldata second) = (equivocation.first, equivocation.second);
        bytes32 keyId = Statement.keyId(equivocation.key);
        Status status = _terms[keyId].status;
        require(status != Status.None, KeyUnknown(keyId));
        require(
            first.epoch == second.epoch &&
                first.size != 0 &&
                first.size <= second.size &&
                second.size < MerkleLog.SIZE_LIMIT,
            HeadsNotComparable(keyId)
        );

        bytes32 headDomain = _domain();
        bytes32 firstHash = Statement.headHash(headDomain, first);
        bytes32 secondHash = Statement.headHash(headDomain, second);
        if (first.size == second.size) require(firstHash != secondHash, HeadsEqual(keyId, firstHash));
        else _checkRewritten(keyId, equivocation);
        require(firstHash.isSigned(equivocation.firstSignature, equivocation.key), SignatureInvalid(keyId, firstHash));
        require(
            secondHash.isSigned(equivocation.secondSignature, equivocation.key),
            SignatureInvalid(keyId, secondHash)
        );

        bool frozen = status == Status.Active;
        if (frozen) _terms[keyId].status = Status.Frozen;
        emit Equivocated({
            keyId: keyId,
            frozen: frozen,
            epoch: first.epoch,
            firstSize: first.size,
            firstReading: first.reading,
            firstRoot: first.root,
            secondSize: second.size,
            secondReading: second.reading,
            secondRoot: second.root
        });
    }

    /// The second log has another reading where the first ends.
    function _checkRewritten(bytes32 keyId, Equivocation calldata equivocation) private view {
        (Head calldata first, Head calldata second) = (equivocation.first, equivocation.second);
        (uint64 index, Reading reading) = (first.size - 1, equivocation.reading);
        require(Reading.unwrap(reading) != Reading.unwrap(first.reading), ReadingsEqual(keyId, index));
        require(
            MerkleLog.verifyInclusion(MerkleLog.leafHash(reading), index, second.size, equivocation.proof, second.root),
            ReadingNotProven(keyId, first.epoch, index)
        );
    }

    /* VIEWS */

    /// @inheritdoc IWattWitness
    function attestationOf(bytes32 root) external view returns (address attestor, uint48 attestedAt) {
        Attestor storage attestation = _attestations[root];
        return (attestation.attestor, attestation.attestedAt);
    }

    /// @inheritdoc IWattWitness
    function termsOf(bytes32 keyId) external view returns (Terms memory) {
        return _terms[keyId];
    }

    /// @inheritdoc IWattWitness
    function latestOf(bytes32 keyId) external view returns (SettledHead memory) {
        return _latest[keyId];
    }

    /// @inheritdoc IWattWitness
    function intervalOf(bytes32 keyId) public view returns (uint32 since, uint32 until) {
        return (_terms[keyId].since, _until[keyId]);
    }

    /// @inheritdoc IWattWitness
    function boundOf(bytes32 keyId) external view returns (uint256 energy) {
        Terms memory terms = _terms[keyId];
        uint256 timestamp = _latest[keyId].timestamp;
        if (terms.status != Status.Active || block.timestamp <= timestamp) return 0;
        return _possible(terms.capacity, block.timestamp - timestamp);
    }

    /// @inheritdoc IWattWitness
    function unattestedFrom(bytes32 keyId) external view returns (uint256) {
        return _unattestedFrom(_latest[keyId]);
    }

    /// @inheritdoc IWattWitness
    function logOf(bytes32 keyId, uint32 epoch) public view returns (uint64 size, bytes32 root) {
        return _log(keyId, epoch, _latest[keyId]);
    }

    /// @inheritdoc IWattWitness
    function verifyReading(bytes32 keyId, uint32 epoch, PlacedReading calldata placed) public view returns (bool) {
        (uint64 size, bytes32 root) = logOf(keyId, epoch);
        return _counts(keyId, placed.reading) && _contains(placed, size, root);
    }

    /// @inheritdoc IWattWitness
    function verifySigned(
        PublicKey calldata key,
        Head calldata head,
        Signature calldata signature,
        PlacedReading calldata placed
    ) external view returns (bool) {
        bytes32 keyId = Statement.keyId(key);
        return
            _counts(keyId, placed.reading) &&
            head.size < MerkleLog.SIZE_LIMIT &&
            Statement.headHash(_domain(), head).isSigned(signature, key) &&
            _contains(placed, head.size, head.root);
    }

    /// @inheritdoc IWattWitness
    function energyBetween(
        bytes32 keyId,
        uint32 epoch,
        PlacedReading calldata start,
        PlacedReading calldata end
    ) external view returns (uint64) {
        require(verifyReading(keyId, epoch, start), ReadingNotProven(keyId, epoch, start.index));
        require(verifyReading(keyId, epoch, end), ReadingNotProven(keyId, epoch, end.index));
        (uint64 before, uint64 after_) = (start.reading.energy(), end.reading.energy());
        require(after_ >= before, EnergyBackward(keyId, after_, before));
        return after_ - before;
    }

    /// @inheritdoc IWattWitness
    function precompile() external view returns (Precompile) {
        return Statement.precompile();
    }

    /// mWh that `capacity` W make in `time` s.
    function _possible(uint32 capacity, uint256 time) private pure returns (uint256) {
        return (uint256(capacity) * 1000 * time) / 3600;
    }

    function _unattestedFrom(SettledHead memory latest) private view returns (uint256) {
        return unattestedAfter == NEVER ? type(uint256).max : uint256(latest.settledAt) + unattestedAfter;
    }

    /// Whether a reading is from within its key's interval.
    function _counts(bytes32 keyId, Reading reading) private view returns (bool) {
        (uint32 since, uint32 until) = intervalOf(keyId);
        uint32 timestamp = reading.timestamp();
        return since != 0 && timestamp >= since && (until == 0 || timestamp < until);
    }

    function _contains(PlacedReading calldata placed, uint64 size, bytes32 root) private view returns (bool) {
        bytes32 leaf = MerkleLog.leafHash(placed.reading);
        return MerkleLog.verifyInclusion(leaf, placed.index, size, placed.proof, root);
    }

    function _log(
        bytes32 keyId,
        uint32 epoch,
        SettledHead memory latest
    ) private view returns (uint64 size, bytes32 root) {
        if (epoch == latest.epoch) return (latest.size, latest.root);
        OtherLog storage log = _otherLogs[keyId][epoch];
        return (log.size, log.root);
    }

    /// The domain of heads; another on a chain that forked off with another id.
    function _domain() private view returns (bytes32) {
        return block.chainid == _chainId ? _headDomain : registry.headDomain();
    }
}
