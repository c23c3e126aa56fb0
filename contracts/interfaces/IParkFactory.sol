// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IHourlyCertificates } from "./IHourlyCertificates.sol";
import { IMeterRegistry } from "./IMeterRegistry.sol";
import { ISolarPark } from "./ISolarPark.sol";

/// @title The maker of solar parks
/// @notice Anyone makes a park. What a park can do is known from its factory: there is one code for open parks, one for
/// restricted ones, and one for how they vote.
interface IParkFactory {
    /// @notice What the factory makes.
    enum Code {
        OpenPark,
        RestrictedPark,
        Governor
    }

    /// @notice How a park votes; for good.
    struct Rules {
        /// s between a proposal and the vote on it: who has shares then, votes
        uint48 votingDelay;
        /// s that the vote is open
        uint32 votingPeriod;
        /// s between a vote and what it decided
        uint32 executionDelay;
        /// per cent of all shares that must have voted for a proposal, or abstained
        uint8 quorum;
        /// shares that one must have the votes of, to propose
        uint32 proposalThreshold;
    }

    /// @notice A park with what decides for it.
    struct Park {
        ISolarPark park;
        address governor;
        address timelock;
        /// who says who may hold shares; zero = anyone may
        address supervisor;
    }

    /// @notice Emitted when a park is made.
    event ParkCreated(
        ISolarPark indexed park,
        address indexed creator,
        address governor,
        address timelock,
        address supervisor,
        string name,
        string symbol
    );

    /// @notice Thrown when a vote would take less than an hour's notice, a day and a day's delay, or more than twelve days in
    /// all; or its quorum is no per cent from 1 to 100, or nobody could propose.
    error RulesInvalid();

    /// @notice Makes a park that anyone may hold shares of, or, with a supervisor, one whose holders must be allowed.
    /// @dev Reverts with RulesInvalid, and as the park does: ISolarPark.HoldersInvalid, SharesOutOfRange.
    function create(
        ISolarPark.Terms calldata terms,
        Rules calldata rules,
        address supervisor
    ) external returns (Park memory);

    /// @notice How many parks there are.
    function parkCount() external view returns (uint256);

    /// @notice Parks in the order they were made: at most `count`, from the one at `start` on.
    function parks(uint256 start, uint256 count) external view returns (Park[] memory);

    /// @notice Whether a park is of this factory, and so can do what is known, and no more.
    function isPark(address park) external view returns (bool);

    /// @notice Keccak-256 of the creation code of what it makes, before the constructor's arguments.
    function codeHashOf(Code code) external view returns (bytes32);

    /// @notice The registry whose meters its parks have.
    function registry() external view returns (IMeterRegistry);

    /// @notice Where certificates of their hours are issued.
    function certificates() external view returns (IHourlyCertificates);
}
