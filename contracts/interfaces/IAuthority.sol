// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Who may do what
/// @notice What is beside OpenZeppelin's AccessManager (IAccessManager), which this is, with delays that hold from one moment on and that nobody can change. While a
/// deployment is set up, roles begin at once; then an administrator closes it, and from then on every role that is granted
/// and every right that is given begins after NOTICE, in the open. A role is revoked at once.
interface IAuthority {
    /// @notice Emitted when the setting up is over.
    event SetupEnded();

    /// @notice Thrown when the setting up is to end a second time.
    error SetupIsOver(uint48 closedAt);
    /// @notice Thrown when something is scheduled while the deployment is set up.
    error SetupNotOver();
    /// @notice Thrown when something is scheduled for later than HORIZON from now.
    error TooFarAhead(uint48 when, uint256 limit);
    /// @notice Thrown when something is to be set that is fixed.
    error Fixed();

    /// @notice Ends the setting up, for good. Callable by an administrator.
    /// @dev Reverts with AccessManagerUnauthorizedAccount, or SetupIsOver.
    function close() external;

    /// @notice Unix time, s, at which the setting up ended; 0 = nothing that this promises holds yet.
    function closedAt() external view returns (uint48);

    /// @notice s between the word and the deed.
    function NOTICE() external view returns (uint32);

    /// @notice s ahead that something may be scheduled for at most.
    function HORIZON() external view returns (uint32);
}
