// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Governor } from "@openzeppelin/contracts/governance/Governor.sol";
import { GovernorCountingSimple } from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import { GovernorTimelockControl } from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import { GovernorVotes } from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IParkFactory } from "../interfaces/IParkFactory.sol";

/// @title How a park's holders vote
/// @notice OpenZeppelin's Governor: for, against, abstain, a share a vote, counted when the vote begins; what is decided is
/// done by the timelock. Its rules are fixed.
contract ParkGovernor is GovernorCountingSimple, GovernorVotes, GovernorTimelockControl {
    /* STATE */

    uint48 private immutable _votingDelay;
    uint32 private immutable _votingPeriod;
    uint32 private immutable _proposalThreshold;
    uint8 private immutable _quorum;

    /* CONSTRUCTION */

    constructor(
        IVotes park,
        TimelockController timelock_,
        IParkFactory.Rules memory rules
    ) Governor("WattWitness park") GovernorVotes(park) GovernorTimelockControl(timelock_) {
        (_votingDelay, _votingPeriod) = (rules.votingDelay, rules.votingPeriod);
        (_proposalThreshold, _quorum) = (rules.proposalThreshold, rules.quorum);
    }

    /* RULES */

    /// @notice s between a proposal and the vote on it.
    function votingDelay() public view override returns (uint256) {
        return _votingDelay;
    }

    /// @notice s that a vote is open.
    function votingPeriod() public view override returns (uint256) {
        return _votingPeriod;
    }

    /// @notice Votes that one must have to propose.
    function proposalThreshold() public view override returns (uint256) {
        return _proposalThreshold;
    }

    /// @notice Votes, for or abstaining, that a proposal needs: per cent of all shares there were, rounded up.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        return Math.ceilDiv(token().getPastTotalSupply(timepoint) * _quorum, 100);
    }

    /* WHAT TWO OF ITS PARTS SAY */

    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function proposalNeedsQueuing(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
