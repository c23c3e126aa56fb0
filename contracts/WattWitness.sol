// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Attestation } from "./libraries/Attestation.sol";
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

    /// A settled log that is no longer the newest of its key.
    struct EarlierLog {
        bytes32 root;
        uint64 size;
    }

    /// What is known of an item's key and log before the item is believed.
    struct Standing {
        bytes32 keyId;
        Terms terms;
        SettledHead latest;
        /// of the log that the item is about, as settled
        uint64 logSize;
        bytes32 logRoot;
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
    mapping(bytes32 keyId => SettledHead) private _latest;
    mapping(bytes32 keyId => mapping(uint32 epoch => EarlierLog)) private _earlier;

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
    function begin(bytes32 keyId, Terms calldata terms, Head calldata baseline) external onlyRegistry {
        require(baseline.size != 0 && baseline.size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(baseline.size));
        uint32 timestamp = baseline.reading.timestamp();
        _checkClock(keyId, timestamp);
        require(timestamp + BASELINE_AGE >= block.timestamp, BaselineTooOld(keyId, timestamp, block.timestamp));
        _checkReading(keyId, baseline.reading, terms.source);

        _terms[keyId] = terms;
        _store(keyId, baseline);

        emit Begun({
            keyId: keyId,
            epoch: baseline.epoch,
            size: baseline.size,
            timestamp: timestamp,
            energy: baseline.reading.energy(),
            root: baseline.root
        });
    }

    /// @inheritdoc IWattWitness
    function setPayee(bytes32 keyId, address payee) external onlyRegistry {
        _terms[keyId].payee = payee;
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
        if (item.settledSize != standing.logSize) {
            emit Skipped(standing.keyId, item.head.epoch, item.head.size, item.settledSize, standing.logSize);
            return;
        }

        bool earlier = item.head.epoch < standing.latest.epoch;
        _checkSize(standing, item.head);
        if (attestation == 0 && !earlier) _checkUnattested(standing);
        uint64 produced = earlier ? _checkEarlier(standing, item) : _checkProduction(standing, item);
        bytes32 headHash = _checkSignature(standing.keyId, headDomain, item);
        _checkGrowth(standing, item);
        if (attestation == 0) _checkLastReading(standing.keyId, item.head, item.witness);
        else _checkAttested(standing, item, headHash, attestation);

        if (earlier) _record(standing, item.head, attestation);
        else _advance(standing, item.head, attestation, produced);
    }

    function _standingOf(Settlement calldata item) private view returns (Standing memory) {
        bytes32 keyId = Statement.keyId(item.key);
        Terms memory terms = _terms[keyId];
        require(terms.status == Status.Active, KeyUnknown(keyId));
        SettledHead memory latest = _latest[keyId];
        (uint64 logSize, bytes32 logRoot) = _log(keyId, item.head.epoch, latest);
        return Standing(keyId, terms, latest, logSize, logRoot);
    }

    /* CHECKS, IN THE ORDER THEY ARE MADE */

    function _checkSize(Standing memory standing, Head calldata head) private pure {
        (uint64 size, uint64 logSize) = (head.size, standing.logSize);
        require(size > logSize, SizeNotForward(standing.keyId, head.epoch, size, logSize));
        require(size < MerkleLog.SIZE_LIMIT, SizeOutOfRange(size));
    }

    function _checkUnattested(Standing memory standing) private view {
        uint256 allowedAt =
            unattestedAfter == NEVER ? type(uint256).max : uint256(standing.latest.settledAt) + unattestedAfter;
        require(block.timestamp >= allowedAt, AttestationRequired(standing.keyId, allowedAt));
    }

    /// A head of an earlier epoch mints nothing, so nothing is asked of its time and energy.
    function _checkEarlier(Standing memory standing, Settlement calldata item) private view returns (uint64 produced) {
        _checkClock(standing.keyId, item.head.reading.timestamp());
        _checkReading(standing.keyId, item.head.reading, standing.terms.source);
        return 0;
    }

    /// Time, conditions, source and energy. Returns the mWh to mint.
    function _checkProduction(
        Standing memory standing,
        Settlement calldata item
    ) private view returns (uint64 produced) {
        (bytes32 keyId, Reading reading) = (standing.keyId, item.head.reading);
        (uint32 timestamp, uint64 energy) = (reading.timestamp(), reading.energy());
        _checkClock(keyId, timestamp);
        (uint32 baseTimestamp, uint64 baseEnergy) = _base(standing, item);
        require(timestamp > baseTimestamp || item.head.size == 1, TimeNotForward(keyId, timestamp, baseTimestamp));
        _checkReading(keyId, reading, standing.terms.source);
        require(energy >= baseEnergy, EnergyBackward(keyId, energy, baseEnergy));
        produced = energy - baseEnergy;
        uint256 possible = (uint256(standing.terms.capacity) * 1000 * (timestamp - baseTimestamp)) / 3600;
        require(produced <= possible, BeyondCapacity(keyId, produced, possible));
    }

    /// Time and energy to mint from: the last settled reading, or, where a new epoch begins below its energy, reading 0:
    /// the device lost its register, and the new one counts from there.
    function _base(
        Standing memory standing,
        Settlement calldata item
    ) private pure returns (uint32 timestamp, uint64 energy) {
        (timestamp, energy) = (standing.latest.timestamp, standing.latest.energy);
        if (item.head.epoch == standing.latest.epoch) return (timestamp, energy);

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
        bytes32 keyId,
        bytes32 headDomain,
        Settlement calldata item
    ) private view returns (bytes32 headHash) {
        headHash = Statement.headHash(headDomain, item.head);
        require(headHash.isSigned(item.signature, item.key), SignatureInvalid(keyId, headHash));
    }

    /// The log only grew; of a log never settled, reading 0 is what the item says.
    function _checkGrowth(Standing memory standing, Settlement calldata item) private view {
        (uint64 from, uint64 size, bytes32 root) = (standing.logSize, item.head.size, item.head.root);
        if (from == 0) {
            require(
                MerkleLog.verifyInclusion(MerkleLog.leafHash(item.firstReading), 0, size, item.growth, root),
                FirstReadingInvalid(standing.keyId, item.head.epoch, size)
            );
        } else {
            require(
                MerkleLog.verifyConsistency(from, size, standing.logRoot, root, item.growth),
                LogInconsistent(standing.keyId, item.head.epoch, from, size)
            );
        }
    }

    function _checkAttested(
        Standing memory standing,
        Settlement calldata item,
        bytes32 headHash,
        bytes32 attestation
    ) private view {
        (bytes32 keyId, uint64 from) = (standing.keyId, item.from);
        require(from == 0 || from < standing.logSize, SegmentGap(keyId, from, standing.logSize));
        bytes32 leaf = Attestation.leafHash(keyId, item.head.epoch, from, standing.terms.capacity, headHash);
        require(
            MerkleLog.verifyInclusion(leaf, item.segment, item.segments, item.witness, attestation),
            SegmentNotAttested(keyId, headHash, attestation)
        );
    }

    function _checkLastReading(bytes32 keyId, Head calldata head, bytes32[] calldata proof) private view {
        bytes32 leaf = MerkleLog.leafHash(head.reading);
        require(
            MerkleLog.verifyInclusion(leaf, head.size - 1, head.size, proof, head.root),
            LastReadingInvalid(keyId, head.epoch, head.size)
        );
    }

    /* EFFECTS */

    function _record(Standing memory standing, Head calldata head, bytes32 attestation) private {
        _earlier[standing.keyId][head.epoch] = EarlierLog(head.root, head.size);
        emit Recorded(standing.keyId, attestation, head.epoch, standing.logSize, head.size, head.root);
    }

    function _advance(Standing memory standing, Head calldata head, bytes32 attestation, uint64 produced) private {
        (bytes32 keyId, SettledHead memory latest) = (standing.keyId, standing.latest);
        if (head.epoch != latest.epoch) _earlier[keyId][latest.epoch] = EarlierLog(latest.root, latest.size);
        _store(keyId, head);
        if (produced != 0) token.mint(standing.terms.payee, produced * UNITS);

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

    function _store(bytes32 keyId, Head calldata head) private {
        _latest[keyId] = SettledHead({
            root: head.root,
            epoch: head.epoch,
            size: uint40(head.size),
            timestamp: head.reading.timestamp(),
            energy: head.reading.energy(),
            settledAt: uint40(block.timestamp)
        });
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
    function logOf(bytes32 keyId, uint32 epoch) public view returns (uint64 size, bytes32 root) {
        return _log(keyId, epoch, _latest[keyId]);
    }

    /// @inheritdoc IWattWitness
    function verifyReading(bytes32 keyId, uint32 epoch, PlacedReading calldata placed) public view returns (bool) {
        (uint64 size, bytes32 root) = logOf(keyId, epoch);
        return _contains(placed, size, root);
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
            _terms[keyId].status != Status.None &&
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
        EarlierLog storage log = _earlier[keyId][epoch];
        return (log.size, log.root);
    }

    /// The domain of heads; another on a chain that forked off with another id.
    function _domain() private view returns (bytes32) {
        return block.chainid == _chainId ? _headDomain : registry.headDomain();
    }
}
