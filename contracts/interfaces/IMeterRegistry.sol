// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC4906 } from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import { Head, PublicKey, Signature } from "../libraries/Statement.sol";
import { IMeterDescriptor } from "./IMeterDescriptor.sol";
import { IWattWitness } from "./IWattWitness.sol";

/// @title The registry of meters
/// @notice Every meter is an ERC-721 token whose id is the key id, SHA-256(x ‖ y), it was first registered with.
/// Its owner receives what it produces. A key id is used once, by one meter, for ever; a meter's key may be rotated.
///
/// Selling a meter: what is settled before the transfer is the seller's, what is settled after it is the buyer's, whenever
/// it was produced. Anyone can settle, so a seller settles first, or prices in what is not settled yet. A transfer clears
/// the payout address. While a marketplace or an escrow holds the token, it is the owner: what is settled meanwhile goes to
/// it, unless it sets a payout address. A buyer who does not trust what the seller's chip signed rotates to a key of his
/// own: proof of an equivocation from before the sale freezes a meter that still has that key.
///
/// What the owner cannot do himself any more, because the chip is dead or the wallet lost, the registrar proposes. It is
/// public for PROPOSAL_DELAY, in which the owner can cancel it; then anyone may execute it for as long again, and after
/// that it is void. A raise of capacity goes the same way.
///
/// Registering above a ceiling that the deployment fixed waits as long: a meter is registered with the ceiling, and its raise
/// proposed. A contract that owns a meter, and knows nothing of proposals, is watched over by whom its last owner named.
///
/// A deployment may take over from an earlier one, which stays as it is: a meter's key is registered here once it is no
/// more in service there, and mints from a later reading on. Where this registry has the registrar's role there, registering
/// takes the meter down there in the same call.
interface IMeterRegistry is IERC4906 {
    /// @notice An application for registration.
    struct Registration {
        PublicKey key;
        /// the owner that the claim names
        address owner;
        /// W, greater than 0
        uint32 capacity;
        /// channel and register that readings must carry: bits 0-3 channel, bit 4 export register
        uint8 source;
        /// hash of a document: technology, commissioning date, location, gross or net, support received, other registries
        bytes32 details;
        /// where the meter starts: a head at most a week old. It mints nothing, and what is measured after it mints when it
        /// is settled: registering late neither gains nor loses anything
        Head baseline;
        /// the key's signature over the claim
        Signature claim;
    }

    /// @notice A key that is to succeed a meter's current one.
    struct NewKey {
        PublicKey key;
        /// where it starts: a head at most an hour old, later than the last settled reading; mints nothing
        Head baseline;
        /// the new key's signature over its claim, which names the meter and its present owner
        Signature claim;
    }

    /// @notice What a registrar may propose.
    enum Change {
        Key,
        Owner,
        Capacity
    }

    /// @notice What a registrar proposed.
    struct Proposal {
        /// the key id, the owner's address, or the capacity in W
        uint256 value;
        /// Unix time, s; 0 = nothing is proposed
        uint64 proposedAt;
        /// the registrar who did; it falls with his role
        address proposer;
        /// whose the meter was then
        address owner;
    }

    /// @notice A key of a meter, and when its readings count.
    struct Key {
        bytes32 keyId;
        /// Unix time, s
        uint32 since;
        /// Unix time, s, before which they count; 0 = to this day
        uint32 until;
    }

    /// @notice A meter as it stands.
    struct Meter {
        address owner;
        /// who receives what it produces
        address payout;
        /// who may cancel proposals in the owner's place, or zero
        address watcher;
        /// the current key
        bytes32 keyId;
        /// how many keys it has had, this one included
        uint256 keyCount;
        /// of the current key, and so of the meter
        IWattWitness.Status status;
        /// W
        uint32 capacity;
        /// channel and register
        uint8 source;
        /// hash of the document that describes the installation
        bytes32 details;
        /// mWh that tokens were minted for, under all its keys
        uint256 produced;
        /// of the last settled reading, Unix time, s
        uint32 timestamp;
        /// of the block that settled it, Unix time, s
        uint32 settledAt;
    }

    /// @notice Emitted when a meter is registered, before WattWitness's Begun of its key and the Transfer that mints it.
    /// @param meter its id, and token id, and the id of the key it begins with
    /// @param owner who holds the token
    /// @param x and y: the public key
    /// @param capacity W
    /// @param source channel and register
    /// @param details hash of the document that describes the installation
    event MeterRegistered(
        bytes32 indexed meter,
        address indexed owner,
        bytes32 x,
        bytes32 y,
        uint32 capacity,
        uint8 source,
        bytes32 details
    );

    /// @notice Emitted when another key succeeds a meter's current one, before WattWitness's Ended of that one and Begun
    /// of the other; after the ProposalExecuted, where it was proposed.
    /// @param keyId the new key
    /// @param previousKeyId the one that it succeeds
    /// @param x and y: the new public key
    event KeyRotated(bytes32 indexed meter, bytes32 indexed keyId, bytes32 indexed previousKeyId, bytes32 x, bytes32 y);

    /// @notice Emitted when a meter is taken down.
    /// @param by its owner, or a registrar
    event MeterDecommissioned(bytes32 indexed meter, address indexed by);

    /// @notice Emitted when a meter's capacity is another.
    /// @param capacity W
    event CapacityChanged(bytes32 indexed meter, uint32 capacity);

    /// @notice Emitted when a registrar proposes a change.
    /// @param value the key id, the owner's address, or the capacity in W
    /// @param executableAt Unix time, s
    event Proposed(bytes32 indexed meter, Change indexed change, uint256 value, uint256 executableAt);

    /// @notice Emitted when a proposal is cancelled.
    /// @param by the meter's owner, who did so himself or by transferring it, his watcher, or a registrar
    event ProposalCancelled(bytes32 indexed meter, Change indexed change, address indexed by);

    /// @notice Emitted when a proposal is executed, next to the event of what it does.
    event ProposalExecuted(bytes32 indexed meter, Change indexed change, uint256 value);

    /// @notice Emitted when an owner says who receives what the meter produces.
    /// @param payout who does from now on; the owner himself where he cleared it
    event PayoutChanged(bytes32 indexed meter, address indexed payout);

    /// @notice Emitted when an owner names who may cancel proposals in his place. A transfer to an account without code ends
    /// it.
    event WatcherChanged(bytes32 indexed meter, address indexed watcher);

    /// @notice ERC-7572: emitted when contractURI says something else. It never does.
    event ContractURIUpdated();

    /// @notice Emitted once, when the registry is told which WattWitness keeps its meters' logs.
    event WattWitnessNamed(IWattWitness indexed wattWitness);

    /// @notice Thrown when WattWitness is named a second time.
    error WattWitnessAlreadyNamed(IWattWitness wattWitness);
    /// @notice Thrown when a WattWitness is named that keeps another registry's logs.
    error WattWitnessOfAnother(IWattWitness wattWitness, IMeterRegistry registry);
    /// @notice Thrown when somebody other than WattWitness tells what only it knows.
    error CallerNotWattWitness(address caller);
    /// @notice Thrown when a meter is registered before WattWitness was named.
    error WattWitnessNotNamed();
    /// @notice Thrown when somebody other than a meter's owner decides about it.
    error CallerNotOwner(address caller, bytes32 meter);
    /// @notice Thrown when a meter is asked for that is not registered.
    error MeterUnknown(bytes32 meter);
    /// @notice Thrown when something is to be changed about a meter that was taken down.
    error MeterIsDecommissioned(bytes32 meter);
    /// @notice Thrown when a capacity of 0 W is registered.
    error CapacityZero();
    /// @notice Thrown when a meter is registered with more than the ceiling: register it with that, and propose the rest.
    error CapacityAboveCeiling(uint32 capacity, uint32 ceiling);
    /// @notice Thrown when a key comes from the earlier registry that is not its meter's current one there.
    error KeyNotCurrent(bytes32 meter, bytes32 keyId, bytes32 currentKeyId);
    /// @notice Thrown when a meter of the earlier registry would begin before all that it settled there.
    error BaselineNotLater(bytes32 meter, uint32 timestamp, uint32 settledTimestamp);
    /// @notice Thrown when a capacity is to be lowered or raised and would not be.
    error CapacityInvalid(bytes32 meter, uint32 capacity, uint32 currentCapacity);
    /// @notice Thrown when a source has a reserved bit.
    error SourceInvalid(uint8 source);
    /// @notice Thrown when the claim is not signed by the key that it names, for this meter, owner and baseline.
    error ClaimInvalid(bytes32 keyId, address owner, bytes32 headHash);
    /// @notice Thrown when a rotation is not signed by the meter's current key.
    error RotationInvalid(bytes32 meter, bytes32 keyId, bytes32 newKeyId);
    /// @notice Thrown when nothing may own a meter that is proposed to.
    error OwnerInvalid(address owner);
    /// @notice Thrown when a proposal is to be executed or cancelled that does not exist.
    error ProposalUnknown(bytes32 meter, Change change);
    /// @notice Thrown when a proposal is executed before its delay is over.
    error ProposalNotDue(bytes32 meter, Change change, uint256 executableAt);
    /// @notice Thrown when a proposal is executed after it became void.
    error ProposalExpired(bytes32 meter, Change change, uint256 expiredAt);
    /// @notice Thrown when a proposal is executed whose proposer is no registrar any more.
    error ProposerRevoked(bytes32 meter, Change change, address proposer);
    /// @notice Thrown when another owner is to have a meter that is not his any more from whom it was to be recovered.
    error OwnerChanged(bytes32 meter, address owner, address formerOwner);
    /// @notice Thrown when a key is to replace one that has measured since it was proposed: the chip is not dead.
    error KeyStillMeasures(bytes32 meter, bytes32 keyId, uint32 timestamp);
    /// @notice Thrown when a key is proposed that is, or was, a meter's.
    error KeyOfMeter(bytes32 keyId, bytes32 meter);
    /// @notice Thrown when another key is to replace a meter's than the one that was proposed.
    error KeyNotProposed(bytes32 meter, bytes32 keyId, bytes32 proposedKeyId);

    /// @notice Names the contract that keeps the logs. Once, by an administrator, before the first registration.
    /// @dev Reverts with WattWitnessAlreadyNamed, or WattWitnessOfAnother.
    function nameWattWitness(IWattWitness wattWitness) external;

    /// @notice Stops registration, and only that. Callable by a guardian.
    function pause() external;

    /// @notice Lets registration go on. Callable by a guardian.
    function unpause() external;

    /// @notice Registers a meter and gives it to the owner that its key claims. Callable by a registrar, unless paused.
    /// @dev Reverts, in this order: WattWitnessNotNamed, CapacityZero, CapacityAboveCeiling, SourceInvalid, ClaimInvalid,
    /// KeyNotCurrent or BaselineNotLater or AccessManagedUnauthorized of the earlier registry, then as IWattWitness.begin
    /// does. The owner is not called: a contract that cannot handle ERC-721 is its own applicant's
    /// mistake.
    /// @return meter the new meter's id
    function register(Registration calldata registration) external returns (bytes32 meter);

    /// @notice Rotates a meter to another key, which the current one names its successor. Callable by its owner. What the
    /// old key has not settled mints nothing any more; what it signed stays provable. A frozen meter works again with it.
    /// @dev Reverts, in this order: CallerNotOwner, MeterIsDecommissioned, RotationInvalid, ClaimInvalid, then as
    /// IWattWitness.succeed does.
    /// @param key the current public key
    /// @param rotation the current key's signature over the rotation to the new one
    function rotate(
        bytes32 meter,
        NewKey calldata newKey,
        PublicKey calldata key,
        Signature calldata rotation
    ) external;

    /// @notice Proposes that `keyId` succeeds a meter's current key, whose chip is dead. Callable by a registrar.
    /// @dev Reverts with MeterUnknown or MeterIsDecommissioned, then KeyOfMeter. Proposing again starts the delay again.
    function proposeKey(bytes32 meter, bytes32 keyId) external;

    /// @notice Proposes that `owner` gets a meter whose owner lost his wallet. Callable by a registrar. A transfer by the
    /// owner himself cancels it: the wallet is not lost. One by somebody whom he approved does not, but it cannot be
    /// executed while the meter is another's.
    /// @dev Reverts with MeterUnknown or MeterIsDecommissioned, then OwnerInvalid for the zero address.
    function proposeOwner(bytes32 meter, address owner) external;

    /// @notice Proposes a greater capacity, W. Callable by a registrar.
    /// @dev Reverts with MeterUnknown or MeterIsDecommissioned, then CapacityInvalid.
    function proposeCapacity(bytes32 meter, uint32 capacity) external;

    /// @notice Cancels a proposal. Callable by the meter's owner, by his watcher, and by a registrar.
    /// @dev Reverts with AccessManagedUnauthorized for anyone else, and with ProposalUnknown.
    function cancelProposal(bytes32 meter, Change change) external;

    /// @notice Rotates a meter to the key that was proposed. Anyone may call it, with the new key's claim, when the
    /// proposal is due; any settled reading of the current key from after the proposal has made it void. What is settled of
    /// before does not: settle the dead chip's leftovers first, for afterwards they mint nothing.
    /// @dev Reverts, in this order: MeterUnknown or MeterIsDecommissioned, ProposalUnknown, ProposalNotDue,
    /// ProposalExpired, ProposerRevoked, KeyNotProposed, KeyStillMeasures, ClaimInvalid, then as IWattWitness.succeed does.
    function replaceKey(bytes32 meter, NewKey calldata newKey) external;

    /// @notice Transfers a meter to the owner who was proposed. Anyone may call it when the proposal is due.
    /// @dev Reverts, in this order: MeterUnknown or MeterIsDecommissioned, ProposalUnknown, ProposalNotDue,
    /// ProposalExpired, ProposerRevoked, OwnerChanged.
    function recoverOwner(bytes32 meter) external;

    /// @notice Raises a meter's capacity to what was proposed, for what is measured from now on. Anyone may call it when the
    /// proposal is due.
    /// @dev Reverts, in this order: MeterUnknown or MeterIsDecommissioned, ProposalUnknown, ProposalNotDue,
    /// ProposalExpired, ProposerRevoked.
    function raiseCapacity(bytes32 meter) external;

    /// @notice Lowers a meter's capacity, W, at once. Callable by a registrar. What is not settled yet is held against
    /// the new one: settle first.
    /// @dev Reverts with MeterUnknown or MeterIsDecommissioned, then CapacityInvalid for what is no less, or 0.
    function lowerCapacity(bytes32 meter, uint32 capacity) external;

    /// @notice Takes a meter down, for good: it never settles again. What is settled stays provable, and what its key
    /// signed. Callable by its owner, and by a registrar.
    /// @dev Reverts with AccessManagedUnauthorized for anyone else, and with MeterIsDecommissioned.
    function decommission(bytes32 meter) external;

    /// @notice From now on `payout` receives what the meter produces, until the meter is transferred. Callable by its
    /// owner; zero = the owner himself.
    /// @dev Reverts with CallerNotOwner.
    function setPayout(bytes32 meter, address payout) external;

    /// @notice Names who may cancel proposals in the owner's place, and do nothing else: for a meter that goes into a
    /// contract, which keeps it when it is transferred there. Callable by its owner; zero = nobody.
    /// @dev Reverts with CallerNotOwner.
    function setWatcher(bytes32 meter, address watcher) external;

    /// @notice Tells that a meter was frozen, which its metadata says. Only WattWitness calls this.
    /// @dev Reverts with CallerNotWattWitness.
    function tellFrozen(bytes32 meter) external;

    /// @notice Has the metadata of meters say what they produced by now. Anyone may call it: settlements do not, because
    /// each would cost more.
    /// @dev Reverts with MeterUnknown.
    function tellProduction(bytes32[] calldata meters) external;

    /// @notice Who receives what the meter produces: its owner, or the payout address that he set.
    /// @dev Reverts with MeterUnknown.
    function payoutOf(bytes32 meter) external view returns (address);

    /// @notice The contract that keeps the logs, or zero.
    function wattWitness() external view returns (IWattWitness);

    /// @notice A meter as it stands: who owns it, what it may, what it produced, when it settled.
    /// @dev Reverts with MeterUnknown.
    function meterOf(bytes32 meter) external view returns (Meter memory);

    /// @notice The meter that a key is or was of; zero for a key that was never registered.
    function meterOfKey(bytes32 keyId) external view returns (bytes32 meter);

    /// @notice The current key of a meter.
    /// @dev Reverts with MeterUnknown.
    function keyOf(bytes32 meter) external view returns (bytes32 keyId);

    /// @notice How many keys a meter has had, the current one included.
    /// @dev Reverts with MeterUnknown.
    function keyCountOf(bytes32 meter) external view returns (uint256);

    /// @notice Keys that a meter had, the first first: at most `count`, from the one at `start` on.
    /// @dev Reverts with MeterUnknown.
    function keysOf(bytes32 meter, uint256 start, uint256 count) external view returns (Key[] memory);

    /// @notice What is proposed for a meter; proposedAt 0 = nothing. A key's proposal is void once a reading of the current
    /// key from proposedAt or after is settled, an owner's while the meter is another's than then, and every proposal with
    /// its proposer's role and after two delays.
    function proposalOf(bytes32 meter, Change change) external view returns (Proposal memory);

    /// @notice s that a proposal is public before it can be executed, and s that it can be executed after that.
    function PROPOSAL_DELAY() external view returns (uint64);

    /// @notice W, the most that a meter is registered with; a greater capacity is proposed.
    function capacityCeiling() external view returns (uint32);

    /// @notice The registry of an earlier deployment that this one takes meters over from, or zero.
    function predecessor() external view returns (IMeterRegistry);

    /// @notice What makes the metadata.
    function descriptor() external view returns (IMeterDescriptor);

    /// @notice ERC-7572: what the registry is, as a data URL of JSON.
    function contractURI() external view returns (string memory);

    /// @notice The hash of the document that describes a meter's installation.
    /// @dev Reverts with MeterUnknown.
    function detailsOf(bytes32 meter) external view returns (bytes32);

    /// @notice The 32 bytes that open every head for this registry on this chain; others after a fork of the chain that
    /// changes its id.
    function headDomain() external view returns (bytes32);

    /// @notice As headDomain, for claims.
    function claimDomain() external view returns (bytes32);

    /// @notice As headDomain, for rotations.
    function rotateDomain() external view returns (bytes32);
}
