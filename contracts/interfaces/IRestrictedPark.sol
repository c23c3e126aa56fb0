// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC7943Fungible } from "./IERC7943.sol";
import { ISolarPark } from "./ISolarPark.sol";

/// @title A solar park whose holders must be allowed
/// @notice Where the law asks who holds shares. A supervisor says who may send and receive them, may freeze them, and may
/// move them after a week's notice. He has no power over income: what came in stays whose it was, and waits for a holder who
/// may not receive until he may. Everything else is as in any park.
interface IRestrictedPark is ISolarPark, IERC7943Fungible {
    /// @notice Emitted when an account may send or receive, or no longer.
    event Allowed(address indexed account, bool canSend, bool canReceive);
    /// @notice Emitted when a forced transfer is announced.
    /// @param executableAt Unix time, s
    event ForcedTransferAnnounced(address indexed from, address indexed to, uint256 amount, uint256 executableAt);
    /// @notice Emitted when an announced transfer will not be.
    event ForcedTransferCancelled(address indexed from, address indexed to, uint256 amount);
    /// @notice Emitted when somebody else supervises.
    event SupervisorChanged(address indexed supervisor);

    /// @notice Thrown when somebody other than the supervisor supervises.
    error CallerNotSupervisor(address caller);
    /// @notice Thrown when a forced transfer was not announced a week ago, or more than two weeks.
    /// @param executableAt Unix time, s; 0 = it was not announced
    error ForcedTransferNotDue(address from, address to, uint256 amount, uint256 executableAt);
    /// @notice Thrown when nobody would supervise.
    error SupervisorZero();

    /// @notice Says whether an account may send and receive shares. Only the supervisor.
    function allow(address account, bool canSend, bool canReceive) external;

    /// @notice Announces a forced transfer, which may be made a week from now, for another week. Only the supervisor.
    function announceForcedTransfer(address from, address to, uint256 amount) external;

    /// @notice Takes an announcement back. Only the supervisor.
    function cancelForcedTransfer(address from, address to, uint256 amount) external;

    /// @notice Makes somebody else the supervisor. Only the supervisor.
    function handOver(address supervisor) external;

    /// @notice Who says who may hold shares.
    function supervisor() external view returns (address);

    /// @notice From when a forced transfer may be made (Unix time, s); 0 = it was not announced.
    function forcedTransferFrom(address from, address to, uint256 amount) external view returns (uint256);

    /// @notice s between the announcement of a forced transfer and the transfer, and that it may be made then.
    // solhint-disable-next-line func-name-mixedcase
    function FORCED_TRANSFER_DELAY() external view returns (uint256);
}
