// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Basis } from "../libraries/Basis.sol";
import { Reading } from "../libraries/Reading.sol";
import { Head, PublicKey, Signature } from "../libraries/Statement.sol";
import { IMeterRegistry } from "./IMeterRegistry.sol";
import { IProductionToken } from "./IProductionToken.sol";

/// @title The contract that checks a device's signature and mints what the device produced
/// @notice Every key keeps a log of readings per epoch: an RFC 9162 Merkle tree whose head the device signs. Settling
/// checks one head and mints the energy since the last one: 1 mWh = 10^12 units of the token, exactly.
interface IWattWitness {
    /// @notice What a key may do.
    enum Status {
        /// not registered
        None,
        /// settles and mints
        Active,
        /// signed two stories, so it mints nothing until its meter's owner rotates to another key
        Frozen,
        /// another key succeeded it
        Superseded,
        /// its meter was taken down, for good
        Decommissioned
    }

    /// @notice What the registry decided about a key: everything that a settlement asks, in one storage slot.
    struct Terms {
        /// who receives what the meter produces
        address payee;
        /// W, the most that the installation can produce
        uint32 capacity;
        /// channel and register that readings must carry: bits 0-3 channel, bit 4 export register
        uint8 source;
        Status status;
        /// of the baseline: Unix time, s, from which the key's readings count
        uint32 since;
        /// whether it succeeded another key; else its meter is named after it
        bool rotatedIn;
        /// whether the capacity was raised since the last settled reading: the time before is held against the lower one
        bool raised;
    }

    /// @notice The last settled head of a key's newest log: what its next settlement is measured against.
    struct SettledHead {
        /// over every reading of the log
        bytes32 root;
        /// number of the key's log
        uint32 epoch;
        /// readings in the log
        uint40 size;
        /// of the last reading: Unix time, s
        uint32 timestamp;
        /// of the last reading: mWh
        uint64 energy;
        /// Unix time of the block that settled it, s; 0 = the key has no log
        uint32 settledAt;
        /// mWh that tokens were minted for under this key, below 2^56: 72 TWh
        uint56 produced;
    }

    /// @notice What is left to settle between the last settled reading of a log and reading 0 of the log that was settled
    /// after it: heads of that log, or of one between the two.
    struct Gap {
        /// of the last settled reading: Unix time, s
        uint32 since;
        /// of that reading 0: Unix time, s; 0 = nothing is left
        uint32 until;
        /// of the last settled reading: mWh
        uint64 energyBefore;
        /// of that reading 0: mWh
        uint64 energyAfter;
        /// mWh that the capacity leaves for it
        uint64 room;
    }

    /// @notice One head to settle, with what proves it.
    struct Settlement {
        PublicKey key;
        Head head;
        /// the device's, over the head
        Signature signature;
        /// what it was made for: where that has changed, the item is skipped
        Basis basis;
        /// of a log never settled its reading 0, else zero
        Reading firstReading;
        /// the consistency proof from the settled size to the head; of a log never settled the inclusion proof of firstReading
        bytes32[] growth;
        /// the inclusion proof of the segment under the attested root; without attestation, of the head's reading, at
        /// size - 1, under the head's root
        bytes32[] witness;
    }

    /// @notice Two heads of one log that cannot both be honest, with what shows it.
    struct Equivocation {
        PublicKey key;
        /// the smaller of the two, or either of equal size
        Head first;
        Signature firstSignature;
        /// of the same epoch
        Head second;
        Signature secondSignature;
        /// what the first says of a reading that both cover: proven under its root, or, of its last, the head's own
        PlacedReading one;
        /// what the second says of it; neither is looked at where two heads of one size differ
        PlacedReading other;
    }

    /// @notice Why an item was skipped.
    enum SkipReason {
        /// it was not
        None,
        /// its log, or its meter, was settled further since the item was made
        Overtaken,
        /// the meter's capacity is another since; or it was raised, and more was produced before than the lower one allows
        CapacityChanged,
        /// the meter is frozen
        Frozen,
        /// the meter is decommissioned
        Decommissioned,
        /// another key succeeded it
        Superseded,
        /// it is of an epoch before the last settled one, and would mint nothing: the next log's register went on, or there
        /// is no time or capacity left between the settled logs
        Passed
    }

    /// @notice A reading, its place in a log, and its inclusion proof (RFC 9162 §2.1.3).
    struct PlacedReading {
        uint64 index;
        Reading reading;
        bytes32[] proof;
    }

    /// @notice Emitted when an attestor vouches for a batch.
    /// @param root over the batch's segments
    event Attested(bytes32 indexed root, address indexed attestor);

    /// @notice Emitted when a registered key begins, with a baseline that mints nothing; after the registry's
    /// MeterRegistered, or its KeyRotated and the Ended of the key before.
    /// @param epoch number of the baseline's log
    /// @param size readings in it, the baseline's the last
    /// @param timestamp of the baseline's reading: Unix time, s
    /// @param energy of the baseline's reading: mWh
    event Begun(bytes32 indexed keyId, uint32 epoch, uint64 size, uint32 timestamp, uint64 energy, bytes32 root);

    /// @notice Emitted when the first head of a log is settled, right before its Settled, whose fromSize is 0. The log of a
    /// key's baseline has none: the key's Begun stands for it.
    /// @param epoch number of the log
    /// @param timestamp of its reading 0, which is proven to be part of it: Unix time, s
    /// @param energy of its reading 0: mWh
    event LogBegun(bytes32 indexed keyId, uint32 epoch, uint32 timestamp, uint64 energy);

    /// @notice Emitted when a head is settled and what was produced is minted. Where its timestamp is earlier than one that
    /// the key settled before, it is of an earlier epoch, and fills a gap between settled logs.
    /// @param meter whose key signed the head
    /// @param keyId the key that signed it
    /// @param attestation the attested root it was settled under; zero = on the device's signature alone
    /// @param payee who received the tokens
    /// @param epoch number of the log
    /// @param fromSize settled size of this log before; 0 = its first settlement
    /// @param size of the head
    /// @param timestamp of the head's reading: Unix time, s
    /// @param energy of the head's reading: mWh
    /// @param produced mWh that tokens were minted for
    /// @param root of the log
    event Settled(
        bytes32 indexed meter,
        bytes32 indexed keyId,
        bytes32 indexed attestation,
        address payee,
        uint32 epoch,
        uint64 fromSize,
        uint64 size,
        uint32 timestamp,
        uint64 energy,
        uint64 produced,
        bytes32 root
    );

    /// @notice Emitted when an item lost a race, or would mint nothing by what its key or epoch is. What it says was not
    /// proven: `epoch` and `size` are what the caller put there, and whether the attested batch holds it is not known.
    /// @param keyId a registered key, which need not have signed anything
    /// @param attestation the attested root it was offered under; zero = without attestation
    /// @param epoch number of the log
    /// @param size of the head
    event Skipped(bytes32 indexed keyId, bytes32 indexed attestation, SkipReason reason, uint32 epoch, uint64 size);

    /// @notice Emitted when somebody shows that a key signed two heads of one log that cannot both be honest.
    /// @param frozen whether that froze the key, which only happens to an active one
    /// @param epoch number of the log, of both heads
    /// @param firstSize of the first head, no greater than secondSize
    /// @param firstReading its reading, as it was signed
    /// @param firstRoot its root
    /// @param secondSize of the second head
    /// @param secondReading its reading, as it was signed
    /// @param secondRoot its root
    event Equivocated(
        bytes32 indexed keyId,
        bool frozen,
        uint32 epoch,
        uint64 firstSize,
        Reading firstReading,
        bytes32 firstRoot,
        uint64 secondSize,
        Reading secondReading,
        bytes32 secondRoot
    );

    /// @notice Emitted when a key is over: another succeeded it, or its meter was decommissioned.
    /// @param status Superseded or Decommissioned
    /// @param until Unix time, s: its readings count before that
    event Ended(bytes32 indexed keyId, Status status, uint32 until);

    /// @notice Thrown on a chain whose 0x100 is not P256VERIFY and not nothing: WattWitness cannot be deployed there.
    error PrecompileBroken();
    /// @notice Thrown when somebody other than the registry begins a log or changes a key's terms.
    error CallerNotRegistry(address caller);
    /// @notice Thrown when a root of zero is attested: zero means "without attestation".
    error RootZero();
    /// @notice Thrown when the attestation that settle names does not exist.
    error AttestationUnknown(bytes32 root);
    /// @notice Thrown when the reading that an item goes on from is not yet so old that it may settle without attestation.
    /// @param allowedAt Unix time, s; the greatest value = never
    error AttestationRequired(bytes32 keyId, uint256 allowedAt);
    /// @notice Thrown when a key was never registered.
    error KeyUnknown(bytes32 keyId);
    /// @notice Thrown when a key was registered or rotated in before: a key is used once, by one meter.
    error KeyAlreadyUsed(bytes32 keyId);
    /// @notice Thrown when a size is 0 or not below 2^40.
    error SizeOutOfRange(uint64 size);
    /// @notice Thrown when a head has no more readings than its log has settled.
    error SizeNotForward(bytes32 keyId, uint32 epoch, uint64 size, uint64 settledSize);
    /// @notice Thrown when a reading is not later than the last settled one.
    error TimeNotForward(bytes32 keyId, uint32 timestamp, uint32 settledTimestamp);
    /// @notice Thrown when a reading is more than five minutes ahead of the block.
    error TimeAhead(bytes32 keyId, uint32 timestamp, uint256 blockTimestamp);
    /// @notice Thrown when a baseline is too old: of a new meter more than a week, of a new key more than an hour.
    error BaselineTooOld(bytes32 keyId, uint32 timestamp, uint256 blockTimestamp);
    /// @notice Thrown when a new epoch is more than 64 above the last settled one.
    /// @param limit the last that could settle now
    error EpochTooFar(bytes32 keyId, uint32 epoch, uint256 limit);
    /// @notice Thrown when the head's reading has a condition that blocks it: drifting, tamper or a reserved bit.
    error ConditionsBlock(bytes32 keyId, uint8 conditions);
    /// @notice Thrown when the head's reading comes from another channel or register than the meter's.
    error SourceMismatch(bytes32 keyId, uint8 source, uint8 registeredSource);
    /// @notice Thrown when a register went backward.
    error EnergyBackward(bytes32 keyId, uint64 energy, uint64 baseEnergy);
    /// @notice Thrown when more was produced than the capacity can since the last settlement.
    /// @param produced mWh
    /// @param possible mWh: capacity x elapsed time
    error BeyondCapacity(bytes32 keyId, uint64 produced, uint256 possible);
    /// @notice Thrown when a key would have minted 2^56 mWh, 72 TWh: more than is kept of it.
    /// @param produced mWh
    error ProducedOutOfRange(bytes32 keyId, uint256 produced);
    /// @notice Thrown when the key did not sign this head for this chain and registry, or with a high s.
    error SignatureInvalid(bytes32 keyId, bytes32 headHash);
    /// @notice Thrown when the head's log does not continue the settled one: a reading was changed, dropped or moved.
    error LogInconsistent(bytes32 keyId, uint32 epoch, uint64 settledSize, uint64 size);
    /// @notice Thrown when firstReading is not reading 0 of a new log.
    error FirstReadingInvalid(bytes32 keyId, uint32 epoch, uint64 size);
    /// @notice Thrown when the segment that the DON checked begins after the last settled reading: a step was not checked.
    error SegmentGap(bytes32 keyId, uint64 from, uint64 settledSize);
    /// @notice Thrown when the attested batch has no such segment: another head, epoch, start or capacity.
    error SegmentNotAttested(bytes32 keyId, bytes32 headHash, bytes32 attestation);
    /// @notice Thrown when the head's reading is not the last of its log.
    error LastReadingInvalid(bytes32 keyId, uint32 epoch, uint64 size);
    /// @notice Thrown when a reading is not part of the settled log.
    error ReadingNotProven(bytes32 keyId, uint32 epoch, uint64 index);

    /// @notice Thrown when two heads are not of one log in the order of their sizes, each from 1 to below 2^40.
    error HeadsNotComparable(bytes32 keyId);
    /// @notice Thrown when the two readings that are to contradict each other have different places.
    error IndicesDiffer(bytes32 keyId, uint64 index, uint64 otherIndex);
    /// @notice Thrown when the two heads say the same of that place.
    error ReadingsEqual(bytes32 keyId, uint64 index);

    /// @notice Begins the log of a key that the registry has just accepted for a new meter. Only the registry calls this.
    /// @dev The registry has verified the key's claim, which names this head. Reverts, in this order: CallerNotRegistry,
    /// KeyAlreadyUsed, SizeOutOfRange, TimeAhead, BaselineTooOld, ConditionsBlock, SourceMismatch.
    /// @param payee who receives what the meter produces
    /// @param capacity W
    /// @param source channel and register that readings must carry
    function begin(bytes32 keyId, address payee, uint32 capacity, uint8 source, Head calldata baseline) external;

    /// @notice Ends the log of a meter's key and begins that of another, on the same terms. Only the registry calls this.
    /// @dev The registry has verified the new key's claim, which names this head. Reverts, in this order:
    /// CallerNotRegistry, TimeNotForward where the baseline is not later than what the old key settled, then as begin.
    /// @return produced mWh that tokens were minted for under the key that ended
    function succeed(
        bytes32 meter,
        bytes32 keyId,
        bytes32 newKeyId,
        Head calldata baseline
    ) external returns (uint256 produced);

    /// @notice Ends the log of a decommissioned meter's key. Only the registry calls this.
    /// @dev Reverts with CallerNotRegistry.
    function decommission(bytes32 keyId) external;

    /// @notice From now on the key's meter can produce at most `capacity`, W: a greater one holds for what is measured from
    /// now on, a lower one for all that is not settled. Only the registry calls this.
    /// @dev Reverts with CallerNotRegistry.
    function setCapacity(bytes32 keyId, uint32 capacity) external;

    /// @notice From now on `payee` receives what the key's meter produces. Only the registry calls this.
    /// @dev Reverts with CallerNotRegistry.
    function setPayee(bytes32 keyId, address payee) external;

    /// @notice Stores the root over the segments of a batch that an attestor vouches for. Callable by an attestor. Of a root
    /// that is attested already the first attestor and his time stay, and nothing happens. It stays attested when its
    /// attestor is revoked: what is under way settles, and he never vouched for more than `settle` checks itself.
    /// @dev Reverts with RootZero.
    function attest(bytes32 root) external;

    /// @notice Settles heads: checks each, mints what was produced since the last, in units of the token to the payee.
    /// Anyone may call it for any meter. Items that lost a race, whose key is not active, or that would mint nothing
    /// because their time is over, are skipped with an event; anything false reverts all.
    /// @dev Per item reverts, in this order: KeyUnknown, (Skipped), SizeNotForward, SizeOutOfRange, AttestationRequired,
    /// TimeAhead, EpochTooFar, TimeNotForward, ConditionsBlock, SourceMismatch, EnergyBackward, BeyondCapacity,
    /// SignatureInvalid, LogInconsistent or FirstReadingInvalid, SegmentGap, SegmentNotAttested or LastReadingInvalid,
    /// ProducedOutOfRange.
    ///
    /// A key mints what its register rose from settled reading to settled reading, in order of time. Where a new epoch's
    /// reading 0 is below the settled energy, the device lost its register, and the new one counts from there. A head of
    /// an epoch before the last settled one settles where it lies between the settled logs, and mints what the register
    /// rose more than was known; so the order in which logs are settled changes nothing.
    /// @param attestation the attested root whose batch holds every item; zero = without attestation, on the devices'
    /// signatures alone, where the settled reading that an item goes on from is unattestedAfter seconds old
    function settle(bytes32 attestation, Settlement[] calldata items) external;

    /// @notice Shows that a key signed two heads of one log of which neither can extend the other: of equal size and
    /// different, or with two readings in one place; or one head whose reading is not the last of its log. Anyone may call
    /// it. The meter of an active key is frozen until its owner rotates to another key; of any other key it is only put on
    /// record.
    /// @dev Reverts, in this order: KeyUnknown, HeadsNotComparable, IndicesDiffer, ReadingsEqual, ReadingNotProven,
    /// SignatureInvalid.
    function proveEquivocation(Equivocation calldata equivocation) external;

    /// @notice The registry whose meters settle here.
    function registry() external view returns (IMeterRegistry);

    /// @notice The token that is minted.
    function token() external view returns (IProductionToken);

    /// @notice s that the last settled reading must be old before a meter settles without attestation: 0 = always, the
    /// greatest value = never.
    function unattestedAfter() external view returns (uint32);

    /// @notice Who vouched for a root, and when (Unix time, s); zero if nobody did.
    function attestationOf(bytes32 root) external view returns (address attestor, uint48 attestedAt);

    /// @notice What the registry decided about a key; status None if it is not registered.
    function termsOf(bytes32 keyId) external view returns (Terms memory);

    /// @notice The last settled head of a key's newest log; all zero for a key without a log.
    function latestOf(bytes32 keyId) external view returns (SettledHead memory);

    /// @notice Size and root of the settled log of a key in any epoch; zero if nothing of it is settled.
    function logOf(bytes32 keyId, uint32 epoch) external view returns (uint64 size, bytes32 root);

    /// @notice The meter that a key is or was of; zero for a key that was never registered.
    function meterOf(bytes32 keyId) external view returns (bytes32 meter);

    /// @notice What is left to settle after a settled log of a key, before the one that was settled after it; all zero of its
    /// newest log, and where nothing is.
    function gapOf(bytes32 keyId, uint32 epoch) external view returns (Gap memory);

    /// @notice From when (Unix time, s) to before when the readings of a key count; `until` 0 = to this day, `since` 0 =
    /// never registered.
    function intervalOf(bytes32 keyId) external view returns (uint32 since, uint32 until);

    /// @notice The bound that applies now: the most mWh that settling a reading of this moment of its newest log could
    /// mint, capacity x time since the latest settled reading; 0 unless the key is active.
    function boundOf(bytes32 keyId) external view returns (uint256 energy);

    /// @notice From when (Unix time, s) a key's newest log may settle without attestation; the greatest value = never.
    function unattestedFrom(bytes32 keyId) external view returns (uint256);

    /// @notice Whether a reading is part of the settled log of a key, from within the key's interval.
    function verifyReading(bytes32 keyId, uint32 epoch, PlacedReading calldata placed) external view returns (bool);

    /// @notice Whether a reading is part of the log under a head that a registered key signed, settled or not, from
    /// within the key's interval. The key stays on chain, so a saved proof of a settled reading never expires; one of a
    /// reading that was not settled holds as long as no succeeding key's baseline is earlier.
    function verifySigned(
        PublicKey calldata key,
        Head calldata head,
        Signature calldata signature,
        PlacedReading calldata placed
    ) external view returns (bool);

    /// @notice mWh produced between two readings of one settled log.
    /// @dev Reverts with ReadingNotProven for the first of the two that is not part of the log, and with EnergyBackward
    /// when `end` has less energy than `start`.
    function energyBetween(
        bytes32 keyId,
        uint32 epoch,
        PlacedReading calldata start,
        PlacedReading calldata end
    ) external view returns (uint64);
}
