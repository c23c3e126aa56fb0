// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Attestation } from "./libraries/Attestation.sol";
import { Basis } from "./libraries/Basis.sol";
import { Capacity } from "./libraries/Capacity.sol";
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

    /// What a head of an earlier epoch adds.
    struct Rest {
        /// of the log that its gap follows: its own, or the one before it
        uint32 epoch;
        Gap gap;
        /// where its readings go on from, in the gap: the last settled one of its log, or reading 0
        uint32 timestamp;
        uint64 energy;
        /// mWh that it mints
        uint256 produced;
    }

    /// When a capacity was raised, and from what.
    struct Raise {
        /// Unix time, s
        uint32 raisedAt;
        /// W
        uint32 before;
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
    }

    /* CONSTANTS */

    /// Units of the token in 1 mWh.
    uint256 private constant UNITS = 1e12;
    /// s that a reading may be ahead of the block.
    uint256 private constant CLOCK_TOLERANCE = 5 minutes;
    /// s that a baseline may be behind the block: of a new meter, whose registrar is a person, and of a new key.
    uint256 private constant REGISTRATION_AGE = 7 days;
    uint256 private constant ROTATION_AGE = 1 hours;
    /// How far above the last settled epoch a new one may be. A device's counter moves one at a time, and what is signed in
    /// advance for a far epoch would stop every log before it; an epoch of which no head can settle is stepped over.
    uint32 private constant EPOCH_STRIDE = 64;
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
    /// After which log of a key something is left to settle.
    mapping(bytes32 keyId => mapping(uint32 epoch => Gap)) private _gaps;
    /// Of keys that were rotated in.
    mapping(bytes32 keyId => bytes32 meter) private _meterOf;
    mapping(bytes32 keyId => Raise) private _raises;

    /* CONSTRUCTION */

    constructor(address authority, IMeterRegistry registry_, uint32 unattestedAfter_) AccessManaged(authority) {
        require(Statement.precompile() != Precompile.Broken, PrecompileBroken());
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
        Terms memory terms;
        (terms.payee, terms.capacity, terms.source) = (payee, capacity, source);
        _begin(keyId, terms, baseline, REGISTRATION_AGE);
    }

    /// @inheritdoc IWattWitness
    function succeed(
        bytes32 meter,
        bytes32 keyId,
        bytes32 newKeyId,
        Head calldata baseline
    ) external onlyRegistry returns (uint256 produced) {
        Terms memory terms = _terms[keyId];
        SettledHead memory latest = _latest[keyId];
        uint32 timestamp = baseline.reading.timestamp();
        require(timestamp > latest.timestamp, TimeNotForward(newKeyId, timestamp, latest.timestamp));
        _end(keyId, Status.Superseded, timestamp);
        (terms.rotatedIn, terms.raised) = (true, false);
        _begin(newKeyId, terms, baseline, ROTATION_AGE);
        _meterOf[newKeyId] = meter;
        return latest.produced;
    }

    /// @inheritdoc IWattWitness
    function decommission(bytes32 keyId) external onlyRegistry {
        // a settled reading may be ahead of the block
        _end(keyId, Status.Decommissioned, uint32(Math.max(block.timestamp, _latest[keyId].timestamp) + 1));
    }

    function _begin(bytes32 keyId, Terms memory terms, Head calldata baseline, uint256 age) private {
        require(_terms[keyId].status == Status.None, KeyAlreadyUsed(keyId));
        require(baseline.size != 0 && baseline.size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(baseline.size));
        uint32 timestamp = baseline.reading.timestamp();
        _checkClock(keyId, timestamp);
        require(timestamp + age >= block.timestamp, BaselineTooOld(keyId, timestamp, block.timestamp));
        _checkReading(keyId, baseline.reading, terms.source);

        (terms.status, terms.since) = (Status.Active, timestamp);
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
        Terms storage terms = _terms[keyId];
        if (capacity > terms.capacity) {
            // of two raises that nothing settled between, all the time before the second is held against the first capacity
            uint32 before = terms.raised ? _raises[keyId].before : terms.capacity;
            _raises[keyId] = Raise(uint32(block.timestamp), before);
            terms.raised = true;
        }
        terms.capacity = capacity;
    }

    /// @inheritdoc IWattWitness
    function attest(bytes32 root) external restricted {
        require(root != 0, RootZero());
        if (_attestations[root].attestor != address(0)) return;
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
        bytes32 keyId = Statement.keyId(item.key);
        Terms memory terms = _terms[keyId];
        require(terms.status != Status.None, KeyUnknown(keyId));
        SettledHead memory latest = _latest[keyId];
        (uint64 logSize, bytes32 logRoot) = _log(keyId, item.head.epoch, latest);
        Standing memory standing = Standing(keyId, terms, latest, item.head, logSize, logRoot);
        if (standing.terms.status != Status.Active)
            return _skip(standing, attestation, _reasonOf(standing.terms.status));
        if (standing.head.epoch < standing.latest.epoch) return _settleRest(standing, attestation, headDomain, item);

        SkipReason reason = _raceLost(standing, item.basis, standing.latest.timestamp);
        if (reason != SkipReason.None) return _skip(standing, attestation, reason);
        _checkSize(standing);
        if (attestation == 0) _checkUnattested(standing, standing.latest.timestamp);
        (uint64 produced, bool isAsRaised) = _checkProduction(standing, item.firstReading);
        if (!isAsRaised) return _skip(standing, attestation, SkipReason.CapacityChanged);
        _checkProof(standing, attestation, headDomain, item);
        _advance(standing, item.firstReading, produced);
        _tellSettled(standing, item.firstReading, attestation, produced);
    }

    /// A head of an epoch before the last settled one: in the time between the settled logs, and only there, it still
    /// mints. What a key mints is how much its register rose from settled reading to settled reading, in order of time:
    /// in whatever order they are settled.
    function _settleRest(
        Standing memory standing,
        bytes32 attestation,
        bytes32 headDomain,
        Settlement calldata item
    ) private {
        Rest memory rest = _restOf(standing, item.firstReading);
        SkipReason reason = SkipReason.Passed;
        if (rest.gap.until != 0) reason = _raceLost(standing, item.basis, rest.gap.since);
        if (reason == SkipReason.None && !_isLeft(standing, rest)) reason = SkipReason.Passed;
        if (reason != SkipReason.None) return _skip(standing, attestation, reason);

        _checkSize(standing);
        if (attestation == 0) _checkUnattested(standing, rest.gap.since);
        _checkReading(standing.keyId, standing.head.reading, standing.terms.source);
        _checkProof(standing, attestation, headDomain, item);
        _fill(standing, rest);
        _tellSettled(standing, item.firstReading, attestation, uint64(rest.produced));
    }

    /// Whether something is no more as the item was made for. What it mints also depends on the settled reading that it
    /// goes on from, of whichever log, and on the meter's capacity.
    function _raceLost(Standing memory standing, Basis basis, uint32 timestamp) private pure returns (SkipReason) {
        if (basis.settledSize() != standing.logSize || basis.settledTimestamp() != timestamp) {
            return SkipReason.Overtaken;
        }
        return basis.capacity() == standing.terms.capacity ? SkipReason.None : SkipReason.CapacityChanged;
    }

    function _reasonOf(Status status) private pure returns (SkipReason) {
        if (status == Status.Frozen) return SkipReason.Frozen;
        return status == Status.Superseded ? SkipReason.Superseded : SkipReason.Decommissioned;
    }

    function _skip(Standing memory standing, bytes32 attestation, SkipReason reason) private {
        emit Skipped(standing.keyId, attestation, reason, standing.head.epoch, standing.head.size);
    }

    /* CHECKS, IN THE ORDER THEY ARE MADE */

    function _checkSize(Standing memory standing) private pure {
        (uint64 size, uint64 logSize) = (standing.head.size, standing.logSize);
        require(size > logSize, SizeNotForward(standing.keyId, standing.head.epoch, size, logSize));
        require(size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(size));
    }

    function _checkUnattested(Standing memory standing, uint32 timestamp) private view {
        uint256 allowedAt = _unattestedFrom(timestamp, standing.latest.settledAt);
        require(block.timestamp >= allowedAt, AttestationRequired(standing.keyId, allowedAt));
    }

    /// Time, conditions, source and energy. Returns the mWh to mint, and whether a raise of the capacity allows them: what it
    /// does not may have been made before, or for later.
    function _checkProduction(
        Standing memory standing,
        Reading first
    ) private view returns (uint64 produced, bool isAsRaised) {
        (bytes32 keyId, Reading reading) = (standing.keyId, standing.head.reading);
        (uint32 timestamp, uint64 energy) = (reading.timestamp(), reading.energy());
        _checkClock(keyId, timestamp);
        (uint32 baseTimestamp, uint64 baseEnergy) = (standing.latest.timestamp, standing.latest.energy);
        if (standing.head.epoch != standing.latest.epoch) (baseTimestamp, baseEnergy) = _base(standing, first);
        bool isFirst = standing.head.size == 1 && timestamp == baseTimestamp;
        require(timestamp > baseTimestamp || isFirst, TimeNotForward(keyId, timestamp, baseTimestamp));
        _checkReading(keyId, reading, standing.terms.source);
        require(energy >= baseEnergy, EnergyBackward(keyId, energy, baseEnergy));
        produced = energy - baseEnergy;
        uint256 possible = Capacity.possible(standing.terms.capacity, timestamp - baseTimestamp);
        require(produced <= possible, BeyondCapacity(keyId, produced, possible));
        isAsRaised = !standing.terms.raised || produced <= _possibleOf(keyId, standing.terms, baseTimestamp, timestamp);
    }

    /// Time and energy that a new epoch mints from: the last settled reading where the register went on, or, where it
    /// begins below that energy, reading 0: the device lost its register, and the new one counts from there.
    function _base(Standing memory standing, Reading first) private pure returns (uint32 timestamp, uint64 energy) {
        SettledHead memory latest = standing.latest;
        uint256 limit = uint256(latest.epoch) + EPOCH_STRIDE;
        require(standing.head.epoch <= limit, EpochTooFar(standing.keyId, standing.head.epoch, limit));
        if (first.energy() >= latest.energy) return (latest.timestamp, latest.energy);
        (timestamp, energy) = (first.timestamp(), first.energy());
        require(timestamp > latest.timestamp, TimeNotForward(standing.keyId, timestamp, latest.timestamp));
    }

    /// Where a head of an earlier epoch belongs, and what it would mint: what the register rose more on the way from the
    /// settled reading before it to the one after it, now that it is known to have come this way.
    function _restOf(Standing memory standing, Reading first) private view returns (Rest memory rest) {
        uint32 epoch = standing.head.epoch;
        rest.epoch = standing.logSize == 0 ? _settledBefore(standing.keyId, epoch) : epoch;
        Gap memory gap = _gaps[standing.keyId][rest.epoch];
        rest.gap = gap;
        (rest.timestamp, rest.energy) =
            rest.epoch == epoch ? (gap.since, gap.energyBefore) : (first.timestamp(), first.energy());

        uint64 energy = standing.head.reading.energy();
        uint256 rise =
            _rise(gap.energyBefore, rest.energy) + _rise(rest.energy, energy) + _rise(energy, gap.energyAfter);
        rest.produced = rise - _rise(gap.energyBefore, gap.energyAfter);
    }

    /// Whether it belongs to what is known: within its gap, later than what is settled there, as the capacity allows, and
    /// not for nothing. But a log that was passed over may mint nothing, for what it shows of the ones beside it: that the
    /// register was lost between them.
    function _isLeft(Standing memory standing, Rest memory rest) private pure returns (bool) {
        (uint32 timestamp, Gap memory gap) = (standing.head.reading.timestamp(), rest.gap);
        if (standing.head.reading.energy() < rest.energy) return false;
        if (timestamp >= gap.until || rest.produced > gap.room) return false;
        if (rest.epoch == standing.head.epoch) return timestamp > gap.since && rest.produced != 0;
        bool isForward = timestamp > rest.timestamp || (timestamp == rest.timestamp && standing.head.size == 1);
        return isForward && rest.timestamp > gap.since;
    }

    /// The newest settled epoch of a key before this one; itself where there is none.
    function _settledBefore(bytes32 keyId, uint32 epoch) private view returns (uint32) {
        for (uint32 step = 1; step <= EPOCH_STRIDE && step <= epoch; ++step) {
            if (_otherLogs[keyId][epoch - step].size != 0) return epoch - step;
        }
        return epoch;
    }

    function _checkClock(bytes32 keyId, uint32 timestamp) private view {
        require(timestamp <= block.timestamp + CLOCK_TOLERANCE, TimeAhead(keyId, timestamp, block.timestamp));
    }

    function _checkReading(bytes32 keyId, Reading reading, uint8 source) private pure {
        uint8 conditions = reading.conditions();
        require(conditions & ~HARMLESS_CONDITIONS == 0, ConditionsBlock(keyId, conditions));
        require(reading.source() == source, SourceMismatch(keyId, reading.source(), source));
    }

    /// That the device signed the head, that its log only grew, and who vouches for what lies between.
    function _checkProof(
        Standing memory standing,
        bytes32 attestation,
        bytes32 headDomain,
        Settlement calldata item
    ) private view {
        bytes32 headHash = _checkSignature(standing, headDomain, item);
        _checkGrowth(standing, item);
        if (attestation == 0) _checkLastReading(standing, item.witness);
        else _checkAttested(standing, item, headHash, attestation);
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

    /// The key's newest log has grown, or is another.
    function _advance(Standing memory standing, Reading first, uint64 produced) private {
        (bytes32 keyId, Head memory head) = (standing.keyId, standing.head);
        if (head.epoch != standing.latest.epoch) _leave(standing, first, produced);
        if (standing.terms.raised) _forgetRaise(keyId, head.reading.timestamp());
        _store(keyId, head, _producedBy(standing, produced));
    }

    /// Keeps the log that was the newest, and what is left to settle of the time before the new one.
    function _leave(Standing memory standing, Reading first, uint64 produced) private {
        (bytes32 keyId, SettledHead memory latest) = (standing.keyId, standing.latest);
        _otherLogs[keyId][latest.epoch] = OtherLog(latest.root, latest.size);
        uint32 until = first.timestamp();
        if (until <= latest.timestamp) return;
        // where the register went on, what was minted is for this time, too
        bool goesOn = first.energy() >= latest.energy;
        uint32 end = goesOn ? standing.head.reading.timestamp() : until;
        uint256 room = _possibleOf(keyId, standing.terms, latest.timestamp, end) - (goesOn ? produced : 0);
        _gaps[keyId][latest.epoch] = Gap(latest.timestamp, until, latest.energy, first.energy(), uint64(room));
    }

    /// A log of an earlier epoch has grown, or is known at last. What is left of its gap lies after it, and before it.
    function _fill(Standing memory standing, Rest memory rest) private {
        (bytes32 keyId, Head memory head, Gap memory gap) = (standing.keyId, standing.head, rest.gap);
        uint256 room = gap.room - rest.produced;
        if (rest.epoch != head.epoch) {
            uint256 possible = _possibleOf(keyId, standing.terms, gap.since, rest.timestamp);
            uint256 before = Math.min(room, Math.saturatingSub(possible, _rise(gap.energyBefore, rest.energy)));
            room -= before;
            _gaps[keyId][rest.epoch] = Gap(gap.since, rest.timestamp, gap.energyBefore, rest.energy, uint64(before));
        }
        uint32 timestamp = head.reading.timestamp();
        _gaps[keyId][head.epoch] = Gap(timestamp, gap.until, head.reading.energy(), gap.energyAfter, uint64(room));
        _otherLogs[keyId][head.epoch] = OtherLog(head.root, head.size);
        _latest[keyId].produced = _producedBy(standing, rest.produced);
    }

    function _producedBy(Standing memory standing, uint256 more) private pure returns (uint56) {
        uint256 produced = standing.latest.produced + more;
        require(produced <= type(uint56).max, ProducedOutOfRange(standing.keyId, produced));
        return uint56(produced);
    }

    /// A raise is over once something later is settled.
    function _forgetRaise(bytes32 keyId, uint32 timestamp) private {
        if (timestamp >= _raises[keyId].raisedAt) _terms[keyId].raised = false;
    }

    /// Mints, and tells it: of a log's first head, by which reading 0 is proven, that, too.
    function _tellSettled(Standing memory standing, Reading first, bytes32 attestation, uint64 produced) private {
        (bytes32 keyId, Head memory head) = (standing.keyId, standing.head);
        if (produced != 0) token.mint(standing.terms.payee, produced * UNITS);

        if (standing.logSize == 0) emit LogBegun(keyId, head.epoch, first.timestamp(), first.energy());
        emit Settled({
            meter: standing.terms.rotatedIn ? _meterOf[keyId] : keyId,
            keyId: keyId,
            attestation: attestation,
            payee: standing.terms.payee,
            epoch: head.epoch,
            fromSize: standing.logSize,
            size: head.size,
            timestamp: head.reading.timestamp(),
            energy: head.reading.energy(),
            produced: produced,
            root: head.root
        });
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
        if (first.size != second.size || firstHash == secondHash) _checkContradiction(keyId, equivocation);
        require(firstHash.isSigned(equivocation.firstSignature, equivocation.key), SignatureInvalid(keyId, firstHash));
        require(
            secondHash.isSigned(equivocation.secondSignature, equivocation.key),
            SignatureInvalid(keyId, secondHash)
        );

        bool frozen = status == Status.Active;
        if (frozen) {
            _terms[keyId].status = Status.Frozen;
            registry.tellFrozen(meterOf(keyId));
        }
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

    /// The two heads say two things of one reading.
    function _checkContradiction(bytes32 keyId, Equivocation calldata equivocation) private view {
        (PlacedReading calldata one, PlacedReading calldata other) = (equivocation.one, equivocation.other);
        require(one.index == other.index, IndicesDiffer(keyId, one.index, other.index));
        require(Reading.unwrap(one.reading) != Reading.unwrap(other.reading), ReadingsEqual(keyId, one.index));
        require(_says(equivocation.first, one), ReadingNotProven(keyId, equivocation.first.epoch, one.index));
        require(_says(equivocation.second, other), ReadingNotProven(keyId, equivocation.second.epoch, other.index));
    }

    /// Whether a head says this reading: by its root, or as its own last one.
    function _says(Head calldata head, PlacedReading calldata placed) private view returns (bool) {
        bool isLast = placed.index == head.size - 1 && Reading.unwrap(placed.reading) == Reading.unwrap(head.reading);
        return isLast || _contains(placed, head.size, head.root);
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
    function meterOf(bytes32 keyId) public view returns (bytes32) {
        Terms storage terms = _terms[keyId];
        if (terms.status == Status.None) return 0;
        return terms.rotatedIn ? _meterOf[keyId] : keyId;
    }

    /// @inheritdoc IWattWitness
    function intervalOf(bytes32 keyId) public view returns (uint32 since, uint32 until) {
        return (_terms[keyId].since, _until[keyId]);
    }

    /// @inheritdoc IWattWitness
    function boundOf(bytes32 keyId) external view returns (uint256 energy) {
        Terms memory terms = _terms[keyId];
        uint32 timestamp = _latest[keyId].timestamp;
        if (terms.status != Status.Active || block.timestamp <= timestamp) return 0;
        return _possibleOf(keyId, terms, timestamp, uint32(block.timestamp));
    }

    /// @inheritdoc IWattWitness
    function unattestedFrom(bytes32 keyId) external view returns (uint256) {
        SettledHead storage latest = _latest[keyId];
        return _unattestedFrom(latest.timestamp, latest.settledAt);
    }

    /// @inheritdoc IWattWitness
    function logOf(bytes32 keyId, uint32 epoch) public view returns (uint64 size, bytes32 root) {
        return _log(keyId, epoch, _latest[keyId]);
    }

    /// @inheritdoc IWattWitness
    function gapOf(bytes32 keyId, uint32 epoch) external view returns (Gap memory) {
        return _gaps[keyId][epoch];
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

    /// mWh that a key's meter can make between two times: before its capacity was raised, only as much as that was.
    function _possibleOf(bytes32 keyId, Terms memory terms, uint32 start, uint32 end) private view returns (uint256) {
        Raise storage raise = _raises[keyId];
        return Capacity.possibleBetween(terms.capacity, raise.before, raise.raisedAt, start, end);
    }

    /// mWh that a register rose from one reading to another; where it is lower, it was lost.
    function _rise(uint64 energy, uint64 later) private pure returns (uint256) {
        return Math.saturatingSub(later, energy);
    }

    /// s after the last settled reading, which may be ahead of the block that settled it.
    function _unattestedFrom(uint32 timestamp, uint32 settledAt) private view returns (uint256) {
        return unattestedAfter == NEVER ? type(uint256).max : Math.min(timestamp, settledAt) + unattestedAfter;
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
