// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";

contract ProductionToken is IProductionToken, ERC20Permit {
    /* CONSTANTS */

    bytes32 private constant RETIRE_TYPEHASH = keccak256(
        "Retire(address from,uint256 amount,string beneficiary,string purpose,uint256 nonce,uint256 deadline)"
    );

    /* STATE */

    /// @inheritdoc IProductionToken
    address public immutable minter;
    /// @inheritdoc IProductionToken
    uint256 public retirements;
    /// @inheritdoc IProductionToken
    uint256 public totalRetired;

    mapping(uint256 serial => Retirement) private _retirements;

    /* CONSTRUCTION */

    /// The minter is whoever deploys this: WattWitness does, in its own constructor.
    constructor() ERC20("WattWitness kWh", "kWh") ERC20Permit("WattWitness kWh") {
        minter = msg.sender;
    }

    /* MINTING */

    /// @inheritdoc IProductionToken
    function mint(address to, uint256 amount) external {
        require(msg.sender == minter, CallerNotMinter(msg.sender));
        _mint(to, amount);
    }

    /* RETIREMENT */

    /// @inheritdoc IProductionToken
    function retire(
        uint256 amount,
        string calldata beneficiary,
        string calldata purpose
    ) external returns (uint256 serial) {
        return _retire(msg.sender, amount, beneficiary, purpose);
    }

    /// @inheritdoc IProductionToken
    function retireFor(
        address from,
        uint256 amount,
        string calldata beneficiary,
        string calldata purpose,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 serial) {
        require(block.timestamp <= deadline, SignatureExpired(deadline, block.timestamp));
        uint256 nonce = _useNonce(from);
        bytes32 hash = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    RETIRE_TYPEHASH,
                    from,
                    amount,
                    keccak256(bytes(beneficiary)),
                    keccak256(bytes(purpose)),
                    nonce,
                    deadline
                )
            )
        );
        require(SignatureChecker.isValidSignatureNow(from, hash, signature), RetirementNotSigned(from, nonce));
        return _retire(from, amount, beneficiary, purpose);
    }

    function _retire(
        address from,
        uint256 amount,
        string calldata beneficiary,
        string calldata purpose
    ) private returns (uint256 serial) {
        require(amount != 0, AmountZero());
        _burn(from, amount);
        totalRetired += amount;
        serial = ++retirements;
        _retirements[serial] = Retirement(from, uint40(block.timestamp), amount, beneficiary, purpose);
        emit Retired(serial, from, amount, beneficiary, purpose);
    }

    /* VIEWS */

    /// @inheritdoc IProductionToken
    function retirement(uint256 serial) external view returns (Retirement memory) {
        require(serial != 0 && serial <= retirements, RetirementUnknown(serial));
        return _retirements[serial];
    }
}
