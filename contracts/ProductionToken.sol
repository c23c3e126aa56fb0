// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";
import { Page } from "./libraries/Page.sol";

contract ProductionToken is IProductionToken, ERC20Permit {
    using SafeCast for uint256;

    /* TYPES */

    /// A retirement as it is kept.
    struct Record {
        address from;
        uint40 retiredAt;
        address beneficiary;
        /// units, below 2^96: 79 TWh
        uint96 amount;
        string name;
        string purpose;
    }

    /// What somebody retired, or what was retired in somebody's name.
    struct Tally {
        uint64 count;
        /// units
        uint192 amount;
        /// four serials in each
        mapping(uint256 index => uint64[4]) serials;
    }

    /* CONSTANTS */

    bytes32 private constant RETIRE_TYPEHASH = keccak256(
        "Retire(address from,uint256 amount,address beneficiary,string name,string purpose,uint256 nonce,uint256 deadline)"
    );

    bytes private constant METADATA =
        '{"name":"WattWitness kWh","symbol":"kWh","description":"One token is one kWh of solar energy: a meter\'s own key '
        "signed it, and the contract that minted it checked that very signature. To use a kWh up is to retire its "
        'token."}';

    /* STATE */

    /// @inheritdoc IProductionToken
    address public immutable minter;

    uint64 private _serial;
    uint192 private _totalRetired;

    /// @inheritdoc IProductionToken
    mapping(address account => uint256) public retirementNonces;

    mapping(uint256 serial => Record) private _records;
    mapping(address account => Tally) private _by;
    mapping(address beneficiary => Tally) private _for;

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
        address beneficiary,
        string calldata name,
        string calldata purpose
    ) external returns (uint256 serial) {
        return _retire(msg.sender, amount, beneficiary, name, purpose);
    }

    /// @inheritdoc IProductionToken
    function retireFor(
        address from,
        uint256 amount,
        address beneficiary,
        string calldata name,
        string calldata purpose,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 serial) {
        require(block.timestamp <= deadline, SignatureExpired(deadline, block.timestamp));
        uint256 nonce = retirementNonces[from]++;
        bytes32 hash = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    RETIRE_TYPEHASH,
                    from,
                    amount,
                    beneficiary,
                    keccak256(bytes(name)),
                    keccak256(bytes(purpose)),
                    nonce,
                    deadline
                )
            )
        );
        require(SignatureChecker.isValidSignatureNow(from, hash, signature), RetirementNotSigned(from, nonce));
        return _retire(from, amount, beneficiary, name, purpose);
    }

    function _retire(
        address from,
        uint256 amount,
        address beneficiary,
        string calldata name,
        string calldata purpose
    ) private returns (uint256 serial) {
        require(amount != 0, AmountZero());
        _burn(from, amount);
        _totalRetired += uint192(amount);
        serial = ++_serial;
        Record storage record = _records[serial];
        (record.from, record.retiredAt) = (from, uint40(block.timestamp));
        (record.beneficiary, record.amount) = (beneficiary, amount.toUint96());
        if (bytes(name).length != 0) record.name = name;
        if (bytes(purpose).length != 0) record.purpose = purpose;
        _tally(_by[from], serial, amount);
        if (beneficiary != address(0)) _tally(_for[beneficiary], serial, amount);
        emit Retired(serial, from, beneficiary, amount, name, purpose);
    }

    function _tally(Tally storage tally, uint256 serial, uint256 amount) private {
        uint64 count = tally.count;
        tally.serials[count / 4][count % 4] = uint64(serial);
        (tally.count, tally.amount) = (count + 1, tally.amount + uint192(amount));
    }

    /* VIEWS */

    /// @inheritdoc IProductionToken
    function retirements() external view returns (uint256) {
        return _serial;
    }

    /// @inheritdoc IProductionToken
    function totalRetired() external view returns (uint256) {
        return _totalRetired;
    }

    /// @inheritdoc IProductionToken
    function retirement(uint256 serial) external view returns (Retirement memory) {
        require(serial != 0 && serial <= _serial, RetirementUnknown(serial));
        return _retirement(serial);
    }

    function _retirement(uint256 serial) private view returns (Retirement memory) {
        Record storage record = _records[serial];
        return
            Retirement({
                serial: serial,
                from: record.from,
                retiredAt: record.retiredAt,
                amount: record.amount,
                beneficiary: record.beneficiary,
                name: record.name,
                purpose: record.purpose
            });
    }

    /// @inheritdoc IProductionToken
    function retiredBy(address account) external view returns (uint256) {
        return _by[account].amount;
    }

    /// @inheritdoc IProductionToken
    function retiredFor(address beneficiary) external view returns (uint256) {
        return _for[beneficiary].amount;
    }

    /// @inheritdoc IProductionToken
    function retirementCountBy(address account) external view returns (uint256) {
        return _by[account].count;
    }

    /// @inheritdoc IProductionToken
    function retirementCountFor(address beneficiary) external view returns (uint256) {
        return _for[beneficiary].count;
    }

    /// @inheritdoc IProductionToken
    function retirementsBy(address account, uint256 start, uint256 count) external view returns (Retirement[] memory) {
        return _page(_by[account], start, count);
    }

    /// @inheritdoc IProductionToken
    function retirementsFor(
        address beneficiary,
        uint256 start,
        uint256 count
    ) external view returns (Retirement[] memory) {
        return _page(_for[beneficiary], start, count);
    }

    function _page(Tally storage tally, uint256 start, uint256 count) private view returns (Retirement[] memory page) {
        page = new Retirement[](Page.length(tally.count, start, count));
        for (uint256 i = start; i < start + page.length; ++i) {
            page[i - start] = _retirement(tally.serials[i / 4][i % 4]);
        }
    }

    /// @inheritdoc IProductionToken
    function contractURI() external pure returns (string memory) {
        return string.concat("data:application/json;base64,", Base64.encode(METADATA));
    }
}
