// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The token: one for every kWh that a meter proved
/// @notice ERC-20 with 18 decimals and ERC-2612 permit. 1 token = 1 kWh, so 1 mWh = 10^12 units: nothing is rounded.
/// To use a kWh up is to retire its token: it is burned, and the record of who did so, for whom and why stays.
interface IProductionToken is IERC20 {
    /// @notice What was retired.
    struct Retirement {
        /// whose tokens they were
        address from;
        /// Unix time of the block, s
        uint40 retiredAt;
        /// units of the token
        uint256 amount;
        /// in whose name, in the retirer's words
        string beneficiary;
        /// what for, in the retirer's words
        string purpose;
    }

    /// @notice Emitted when tokens are retired.
    /// @param serial number of the retirement, from 1
    /// @param from whose tokens they were
    /// @param amount units of the token
    event Retired(uint256 indexed serial, address indexed from, uint256 amount, string beneficiary, string purpose);

    /// @notice Thrown when somebody other than WattWitness mints.
    error CallerNotMinter(address caller);
    /// @notice Thrown when nothing is retired.
    error AmountZero();
    /// @notice Thrown when a signature is used after its deadline.
    error SignatureExpired(uint256 deadline, uint256 blockTimestamp);
    /// @notice Thrown when `from` did not sign this retirement, or signed it under another nonce.
    error RetirementNotSigned(address from, uint256 nonce);
    /// @notice Thrown when a retirement is asked for that does not exist.
    error RetirementUnknown(uint256 serial);

    /// @notice Mints `amount` units to `to`. Only WattWitness calls this.
    function mint(address to, uint256 amount) external;

    /// @notice Burns `amount` units of the caller's for good, in the name of `beneficiary`.
    /// @dev Reverts with AmountZero, or ERC20InsufficientBalance.
    /// @param beneficiary in whose name: a person, a company, an address; whatever the record should say
    /// @param purpose what for
    /// @return serial number of the retirement, from 1
    function retire(
        uint256 amount,
        string calldata beneficiary,
        string calldata purpose
    ) external returns (uint256 serial);

    /// @notice As retire, for `from`, who signed it (EIP-712) and need not send it. An ERC-2612 permit would not do: it
    /// signs neither beneficiary nor purpose, so whoever sees it could retire in their own name.
    /// @dev The signed type is `Retire(address from,uint256 amount,string beneficiary,string purpose,uint256 nonce,
    /// uint256 deadline)`; the nonce is that of ERC-2612 `nonces(from)`. Contracts sign by ERC-1271. Reverts, in this
    /// order: SignatureExpired, RetirementNotSigned, then as retire does.
    /// @param deadline Unix time, s, until which the signature may be used
    function retireFor(
        address from,
        uint256 amount,
        string calldata beneficiary,
        string calldata purpose,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 serial);

    /// @notice The only address that mints.
    function minter() external view returns (address);

    /// @notice A retirement by its serial.
    /// @dev Reverts with RetirementUnknown.
    function retirement(uint256 serial) external view returns (Retirement memory);

    /// @notice How many retirements there are: the serial of the last.
    function retirements() external view returns (uint256);

    /// @notice Units retired so far. With the total supply it makes what was ever minted.
    function totalRetired() external view returns (uint256);
}
