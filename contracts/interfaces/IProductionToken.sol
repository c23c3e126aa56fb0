// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The token: one for every kWh that a meter proved
/// @notice ERC-20 with 18 decimals and ERC-2612 permit. 1 token = 1 kWh, so 1 mWh = 10^12 units: nothing is rounded.
interface IProductionToken is IERC20 {
    /// @notice Thrown when somebody other than WattWitness mints.
    error CallerNotMinter(address caller);

    /// @notice Mints `amount` units to `to`. Only WattWitness calls this.
    function mint(address to, uint256 amount) external;

    /// @notice The only address that mints.
    function minter() external view returns (address);
}
