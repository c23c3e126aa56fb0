// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title ERC-7943: a token of something in the real world, whose holders must be allowed
/// @notice For ERC-20. Its ERC-165 id is 0x3edbb4c4.
interface IERC7943Fungible is IERC165 {
    /// @notice Emitted when tokens are taken from one account and given to another without its holder.
    event ForcedTransfer(address indexed from, address indexed to, uint256 amount);
    /// @notice Emitted when another amount of an account's tokens is frozen.
    /// @param amount that is frozen now; it may be more than the account has
    event Frozen(address indexed account, uint256 amount);

    /// @notice Thrown when an account may not send.
    error ERC7943CannotSend(address account);
    /// @notice Thrown when an account may not receive.
    error ERC7943CannotReceive(address account);
    /// @notice Thrown when a transfer is not allowed.
    error ERC7943CannotTransfer(address from, address to, uint256 amount);
    /// @notice Thrown when an account has what it sends, but not free of what is frozen.
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 amount, uint256 unfrozen);

    /// @notice Takes tokens from one account and gives them to another.
    function forcedTransfer(address from, address to, uint256 amount) external returns (bool);

    /// @notice Freezes so many of an account's tokens, in place of how many were frozen before.
    function setFrozenTokens(address account, uint256 amount) external returns (bool);

    /// @notice Whether an account may send at all. Never reverts.
    function canSend(address account) external view returns (bool);

    /// @notice Whether an account may receive at all. Never reverts.
    function canReceive(address account) external view returns (bool);

    /// @notice How many of an account's tokens are frozen; it may be more than it has.
    function getFrozenTokens(address account) external view returns (uint256);

    /// @notice Whether a transfer is allowed: both may, and it is free of what is frozen. Never reverts.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool);
}
