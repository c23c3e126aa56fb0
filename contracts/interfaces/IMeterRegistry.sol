// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { Head, PublicKey, Signature } from "../libraries/Statement.sol";
import { IWattWitness } from "./IWattWitness.sol";

/// @title The registry of meters
/// @notice Every meter is an ERC-721 token whose id is the key id, SHA-256(x ‖ y), it was first registered with.
/// Its owner receives what it produces. A key id is used once, by one meter, for ever.
///
/// Selling a meter: what is settled before the transfer is the seller's, what is settled after it is the buyer's, whenever
/// it was produced. Anyone can settle, so a seller settles first, or prices in what is not settled yet. A transfer clears
/// the payout address. While a marketplace or an escrow holds the token, it is the owner: what is settled meanwhile goes to
/// it, unless it sets a payout address.
interface IMeterRegistry is IERC721 {
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
        /// where the meter starts: a head at most an hour old; mints nothing
        Head baseline;
        /// the key's signature over the claim
        Signature claim;
    }

    /// @notice Emitted when a meter is registered.
    /// @param meter its id, and token id
    /// @param owner who holds the token
    /// @param keyId the key it begins with, equal to `meter`
    /// @param x and y: the public key
    /// @param capacity W
    /// @param source channel and register
    /// @param details hash of the document that describes the installation
    event MeterRegistered(
        bytes32 indexed meter,
        address indexed owner,
        bytes32 indexed keyId,
        bytes32 x,
        bytes32 y,
        uint32 capacity,
        uint8 source,
        bytes32 details
    );

    /// @notice Emitted when an owner says who receives what the meter produces.
    /// @param payout who does from now on; the owner himself where he cleared it
    event PayoutChanged(bytes32 indexed meter, address indexed payout);

    /// @notice Emitted once, when the registry is told which WattWitness keeps its meters' logs.
    event WattWitnessNamed(IWattWitness indexed wattWitness);

    /// @notice Thrown when WattWitness is named a second time.
    error WattWitnessAlreadyNamed(IWattWitness wattWitness);
    /// @notice Thrown when a meter is registered before WattWitness was named.
    error WattWitnessNotNamed();
    /// @notice Thrown when a key was registered before.
    error KeyAlreadyUsed(bytes32 keyId);
    /// @notice Thrown when somebody other than a meter's owner decides about it.
    error CallerNotOwner(address caller, bytes32 meter);
    /// @notice Thrown when a meter is asked for that is not registered.
    error MeterUnknown(bytes32 meter);
    /// @notice Thrown when a capacity of 0 W is registered.
    error CapacityZero();
    /// @notice Thrown when a source has a reserved bit.
    error SourceInvalid(uint8 source);
    /// @notice Thrown when the claim is not signed by the key that it names, for this owner and this baseline.
    error ClaimInvalid(bytes32 keyId, address owner, bytes32 headHash);

    /// @notice Names the contract that keeps the logs. Once, by an administrator, before the first registration.
    function nameWattWitness(IWattWitness wattWitness) external;

    /// @notice Registers a meter and gives it to the owner that its key claims. Callable by a registrar.
    /// @dev Reverts, in this order: WattWitnessNotNamed, KeyAlreadyUsed, CapacityZero, SourceInvalid, ClaimInvalid,
    /// then as IWattWitness.begin does. The owner is not called: a contract that cannot handle ERC-721 is its own
    /// applicant's mistake.
    /// @return meter the new meter's id
    function register(Registration calldata registration) external returns (bytes32 meter);

    /// @notice From now on `payout` receives what the meter produces, until the meter is transferred. Callable by its
    /// owner; zero = the owner himself.
    /// @dev Reverts with CallerNotOwner.
    function setPayout(bytes32 meter, address payout) external;

    /// @notice Who receives what the meter produces: its owner, or the payout address that he set.
    /// @dev Reverts with MeterUnknown.
    function payoutOf(bytes32 meter) external view returns (address);

    /// @notice The contract that keeps the logs, or zero.
    function wattWitness() external view returns (IWattWitness);

    /// @notice The hash of the document that describes a meter's installation.
    /// @dev Reverts with MeterUnknown.
    function detailsOf(bytes32 meter) external view returns (bytes32);

    /// @notice The 32 bytes that open every head and every claim for this registry on this chain.
    function headDomain() external view returns (bytes32);

    /// @notice As headDomain, for claims.
    function claimDomain() external view returns (bytes32);
}
