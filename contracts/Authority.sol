// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAuthority } from "./interfaces/IAuthority.sol";

contract Authority is IAuthority, AccessManager {
    /* CONSTANTS */

    /// @inheritdoc IAuthority
    uint32 public constant NOTICE = 5 days;
    /// @inheritdoc IAuthority
    uint32 public constant HORIZON = 30 days;

    /* STATE */

    /// @inheritdoc IAuthority
    uint48 public closedAt;

    /* CONSTRUCTION */

    constructor(address administrator) AccessManager(administrator) {}

    /// @inheritdoc IAuthority
    function close() external {
        (bool isAdministrator, ) = hasRole(ADMIN_ROLE, msg.sender);
        require(isAdministrator, AccessManagerUnauthorizedAccount(msg.sender, ADMIN_ROLE));
        require(closedAt == 0, SetupIsOver(closedAt));
        closedAt = uint48(block.timestamp);
        emit SetupEnded();
    }

    /* WHAT HOLDS FROM THEN ON */

    /// @notice s after which a role that is granted begins: none while the deployment is set up, then NOTICE for every role.
    function getRoleGrantDelay(uint64) public view override returns (uint32) {
        return _notice();
    }

    /// @notice s after which a function is another role's, a contract closed, or under another authority: none while the
    /// deployment is set up, then NOTICE for every contract.
    function getTargetAdminDelay(address) public view override returns (uint32) {
        return _notice();
    }

    /// @notice Schedules an operation for `when`, or as soon as it may be.
    /// @dev Reverts with SetupNotOver, or TooFarAhead: what was scheduled years ago is no notice.
    function schedule(
        address target,
        bytes calldata data,
        uint48 when
    ) public override returns (bytes32 operationId, uint32 nonce) {
        require(closedAt != 0, SetupNotOver());
        require(when <= block.timestamp + HORIZON, TooFarAhead(when, block.timestamp + HORIZON));
        return super.schedule(target, data, when);
    }

    function _notice() private view returns (uint32) {
        return closedAt == 0 ? 0 : NOTICE;
    }

    /* WHAT NOBODY CHANGES */

    /// @notice Refused: every role is the administrators' to grant and to revoke.
    function setRoleAdmin(uint64, uint64) public pure override {
        revert Fixed();
    }

    /// @notice Refused: what an administrator scheduled, administrators cancel.
    function setRoleGuardian(uint64, uint64) public pure override {
        revert Fixed();
    }

    /// @notice Refused: the delay is NOTICE.
    function setGrantDelay(uint64, uint32) public pure override {
        revert Fixed();
    }

    /// @notice Refused: the delay is NOTICE.
    function setTargetAdminDelay(address, uint32) public pure override {
        revert Fixed();
    }
}
