// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AutomationCompatibleInterface } from "@chainlink/contracts/src/v0.8/automation/interfaces/AutomationCompatibleInterface.sol";
import { IWattWitness } from "./IWattWitness.sol";

/// @title The attestor that is a Chainlink Functions DON
/// @notice Asks the DON to fetch a batch and verify it again, and attests the batch's root if the DON answers with
/// exactly that root. The contract holds the source that the nodes run and builds their arguments; the operator
/// supplies URLs only. A lying node can only say no. It is the only part of WattWitness that knows Chainlink.
///
/// An operator asks himself (`request`), or leaves an order that keepers of Chainlink Automation carry out, again if need
/// be (`order`): checkUpkeep's and performUpkeep's data are `abi.encode(operator)`.
interface IFunctionsAttestor is AutomationCompatibleInterface {
    /// @notice What an operator wants attested.
    struct Order {
        /// SHA-256 of the batch
        bytes32 digest;
        /// over its segments
        bytes32 root;
        /// the operator's own, which pays
        uint64 subscriptionId;
        /// Unix time, s, of the last request for it
        uint64 requestedAt;
        /// how often it was requested
        uint8 attempts;
        /// where the batch is
        string[] urls;
    }

    /// @notice Emitted when an operator leaves an order, in place of the one before.
    event Ordered(address indexed operator, bytes32 indexed digest, bytes32 indexed root, uint64 subscriptionId);

    /// @notice Emitted when the DON is asked about a batch.
    /// @param requestId of the Functions router
    /// @param digest SHA-256 of the batch
    /// @param root over its segments, which the DON must answer with
    /// @param subscriptionId who pays
    event AttestationRequested(
        bytes32 indexed requestId,
        bytes32 indexed digest,
        bytes32 indexed root,
        uint64 subscriptionId
    );

    /// @notice Emitted when the DON answered with the root it was asked for, and no error.
    event AttestationConfirmed(bytes32 indexed requestId, bytes32 indexed root);

    /// @notice Emitted when the DON answered anything else.
    /// @param reason the source's error text, or empty where the DON answered with another root
    event AttestationRefused(bytes32 indexed requestId, bytes32 indexed root, string reason);

    /// @notice Thrown when an attestation of the root zero is asked for: there is none.
    error RootZero();
    /// @notice Thrown when there is no URL, or more than five: a source may make five requests.
    error UrlCountInvalid(uint256 count);
    /// @notice Thrown when the root was attested already: nothing is left to pay for.
    error AlreadyAttested(bytes32 root);
    /// @notice Thrown when somebody other than the owner of a subscription would spend it, or there is no such subscription.
    error CallerNotSubscriptionOwner(address caller, uint64 subscriptionId);

    /// @notice Thrown when an upkeep is performed that is not needed.
    error OrderNotDue(address operator);

    /// @notice Stops requests, and only that: what is asked already may be answered. Callable by a guardian.
    function pause() external;

    /// @notice Lets requests go on. Callable by a guardian.
    function unpause() external;

    /// @notice Asks the DON to verify the batch at any of `urls`. Callable by an operator who owns the subscription,
    /// unless paused.
    /// @dev Reverts, in this order: RootZero, UrlCountInvalid, AlreadyAttested, CallerNotSubscriptionOwner, then as the router does.
    /// @param digest SHA-256 of the batch
    /// @param root over its segments
    /// @param urls where the batch is; fetched all at once, the first body with the right digest counts
    /// @param subscriptionId Functions subscription that has this contract as a consumer
    function request(
        bytes32 digest,
        bytes32 root,
        string[] calldata urls,
        uint64 subscriptionId
    ) external returns (bytes32 requestId);

    /// @notice As request, but leaves it to keepers to ask, at most five times, ten minutes apart, until the root is
    /// attested. An operator has one order: another replaces it.
    /// @dev Reverts as request does.
    function order(bytes32 digest, bytes32 root, string[] calldata urls, uint64 subscriptionId) external;

    /// @notice What an operator ordered last; root zero = nothing.
    function orderOf(address operator) external view returns (Order memory);

    /// @notice The JavaScript that every node of the DON runs.
    function source() external view returns (string memory);

    /// @notice keccak256 of the source.
    function sourceHash() external view returns (bytes32);

    /// @notice The DON that is asked.
    function donId() external view returns (bytes32);

    /// @notice Where attestations go.
    function wattWitness() external view returns (IWattWitness);

    /// @notice The root that a request still waits for; zero if it was answered.
    function pendingRoot(bytes32 requestId) external view returns (bytes32);
}
