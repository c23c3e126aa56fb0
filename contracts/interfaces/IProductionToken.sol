// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The token: one for every kWh that a meter proved
/// @notice ERC-20 with 18 decimals and ERC-2612 permit. 1 token = 1 kWh, so 1 mWh = 10^12 units: nothing is rounded.
/// To use a kWh up is to retire its token: it is burned, and the record of who did so, for whom and why stays.
interface IProductionToken is IERC20 {
    /// @notice What was retired.
    struct Retirement {
        /// number of the retirement, from 1
        uint256 serial;
        /// whose tokens they were
        address from;
        /// Unix time of the block, s
        uint40 retiredAt;
        /// units of the token
        uint256 amount;
        /// in whose name; zero = nobody who has an address
        address beneficiary;
        /// in whose name, in the retirer's words
        string name;
        /// what for, in the retirer's words
        string purpose;
    }

    /// @notice Emitted when tokens are retired.
    /// @param serial number of the retirement, from 1
    /// @param from whose tokens they were
    /// @param beneficiary in whose name; zero = nobody who has an address
    /// @param amount units of the token
    /// @param name in whose name, in the retirer's words
    /// @param purpose what for, in the retirer's words
    event Retired(
        uint256 indexed serial,
        address indexed from,
        address indexed beneficiary,
        uint256 amount,
        string name,
        string purpose
    );

    /// @notice ERC-7572: emitted when contractURI says something else. It never does.
    event ContractURIUpdated();

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

    /// @notice Burns `amount` units of the caller's for good, in somebody's name.
    /// @dev Reverts with AmountZero, or ERC20InsufficientBalance.
    /// @param beneficiary in whose name; zero = nobody who has an address
    /// @param name in whose name: a person, a company; whatever the record should say
    /// @param purpose what for
    /// @return serial number of the retirement, from 1
    function retire(
        uint256 amount,
        address beneficiary,
        string calldata name,
        string calldata purpose
    ) external returns (uint256 serial);

    /// @notice As retire, for `from`, who signed it (EIP-712) and need not send it. An ERC-2612 permit would not do: it
    /// signs neither beneficiary nor purpose, so whoever sees it could retire in their own name.
    /// @dev The signed type is `Retire(address from,uint256 amount,address beneficiary,string name,string purpose,uint256
    /// nonce,uint256 deadline)`; the nonce is `retirementNonces(from)`, not that of ERC-2612: neither voids the other.
    /// Contracts sign by ERC-1271. Reverts, in this order: SignatureExpired, RetirementNotSigned, then as retire does.
    /// @param deadline Unix time, s, until which the signature may be used
    function retireFor(
        address from,
        uint256 amount,
        address beneficiary,
        string calldata name,
        string calldata purpose,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 serial);

    /// @notice The nonce that `account`'s next signed retirement has.
    function retirementNonces(address account) external view returns (uint256);

    /// @notice The only address that mints.
    function minter() external view returns (address);

    /// @notice A retirement by its serial.
    /// @dev Reverts with RetirementUnknown.
    function retirement(uint256 serial) external view returns (Retirement memory);

    /// @notice How many retirements there are: the serial of the last.
    function retirements() external view returns (uint256);

    /// @notice Units retired so far. With the total supply it makes what was ever minted.
    function totalRetired() external view returns (uint256);

    /// @notice Units that `account` retired.
    function retiredBy(address account) external view returns (uint256);

    /// @notice Units that were retired in the name of `beneficiary`.
    function retiredFor(address beneficiary) external view returns (uint256);

    /// @notice How many retirements `account` made.
    function retirementCountBy(address account) external view returns (uint256);

    /// @notice How many retirements are in the name of `beneficiary`.
    function retirementCountFor(address beneficiary) external view returns (uint256);

    /// @notice Retirements that `account` made, the first first: at most `count`, from the one at `start` on.
    function retirementsBy(address account, uint256 start, uint256 count) external view returns (Retirement[] memory);

    /// @notice Retirements in the name of `beneficiary`, the first first: at most `count`, from the one at `start` on.
    function retirementsFor(
        address beneficiary,
        uint256 start,
        uint256 count
    ) external view returns (Retirement[] memory);

    /// @notice ERC-7572: what the token is, as a data URL of JSON.
    function contractURI() external view returns (string memory);
}
