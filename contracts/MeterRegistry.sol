// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { SOURCE_LIMIT } from "./libraries/Reading.sol";
import { Statement } from "./libraries/Statement.sol";

contract MeterRegistry is IMeterRegistry, ERC721, AccessManaged {
    using Statement for bytes32;

    /* STATE */

    /// @inheritdoc IMeterRegistry
    IWattWitness public wattWitness;

    mapping(bytes32 meter => bytes32) private _details;

    /* CONSTRUCTION */

    constructor(address authority) ERC721("WattWitness meter", "METER") AccessManaged(authority) {}

    /// @inheritdoc IMeterRegistry
    function nameWattWitness(IWattWitness wattWitness_) external restricted {
        require(address(wattWitness) == address(0), WattWitnessAlreadyNamed(wattWitness));
        wattWitness = wattWitness_;
        emit WattWitnessNamed(wattWitness_);
    }

    /* REGISTRATION */

    /// @inheritdoc IMeterRegistry
    function register(Registration calldata registration) external restricted returns (bytes32 meter) {
        meter = Statement.keyId(registration.key);
        _check(meter, registration);

        IWattWitness.Terms memory terms = IWattWitness.Terms({
            payee: registration.owner,
            capacity: registration.capacity,
            source: registration.source,
            status: IWattWitness.Status.Active
        });
        wattWitness.begin(meter, terms, registration.baseline);
        _details[meter] = registration.details;
        _mint(registration.owner, uint256(meter));

        emit MeterRegistered({
            meter: meter,
            owner: registration.owner,
            keyId: meter,
            x: registration.key.x,
            y: registration.key.y,
            capacity: registration.capacity,
            source: registration.source,
            details: registration.details
        });
    }

    function _check(bytes32 meter, Registration calldata registration) private view {
        require(address(wattWitness) != address(0), WattWitnessNotNamed());
        require(_ownerOf(uint256(meter)) == address(0), KeyAlreadyUsed(meter));
        require(registration.capacity != 0, CapacityZero());
        require(registration.source <= SOURCE_LIMIT, SourceInvalid(registration.source));
        bytes32 headHash = Statement.headHash(headDomain(), registration.baseline);
        bytes32 claimHash = Statement.claimHash(claimDomain(), meter, meter, registration.owner, headHash);
        require(
            claimHash.isSigned(registration.claim, registration.key),
            ClaimInvalid(meter, registration.owner, headHash)
        );
    }

    /* OWNERSHIP */

    /// @inheritdoc IMeterRegistry
    function setPayout(bytes32 meter, address payout) external {
        require(_ownerOf(uint256(meter)) == msg.sender, CallerNotOwner(msg.sender, meter));
        address payee = payout == address(0) ? msg.sender : payout;
        wattWitness.setPayee(meter, payee);
        emit PayoutChanged(meter, payee);
    }

    /// Whoever holds the token receives what the meter produces.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0)) wattWitness.setPayee(bytes32(tokenId), to);
    }

    /* VIEWS */

    /// @inheritdoc IMeterRegistry
    function detailsOf(bytes32 meter) external view onlyKnown(meter) returns (bytes32) {
        return _details[meter];
    }

    /// @inheritdoc IMeterRegistry
    function payoutOf(bytes32 meter) external view onlyKnown(meter) returns (address) {
        return wattWitness.termsOf(meter).payee;
    }

    /// @notice ERC-721 metadata, on chain: name, capacity, source, status and key of the meter.
    /// @dev Reverts with MeterUnknown.
    function tokenURI(uint256 tokenId) public view override onlyKnown(bytes32(tokenId)) returns (string memory) {
        string memory id = Strings.toHexString(tokenId, 32);
        IWattWitness.Terms memory terms = wattWitness.termsOf(bytes32(tokenId));
        bytes memory json = abi.encodePacked(
            '{"name":"WattWitness meter ',
            id,
            '","description":"A solar meter whose readings its own key signs. Its owner receives one token for every kWh.",',
            '"attributes":[{"trait_type":"capacity","value":',
            Strings.toString(terms.capacity),
            ',"unit":"W"},{"trait_type":"source","value":',
            Strings.toString(terms.source),
            '},{"trait_type":"status","value":"active"},{"trait_type":"key","value":"',
            id,
            '"}]}'
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    modifier onlyKnown(bytes32 meter) {
        require(_ownerOf(uint256(meter)) != address(0), MeterUnknown(meter));
        _;
    }

    /// @inheritdoc IMeterRegistry
    function headDomain() public view returns (bytes32) {
        return Statement.domain(Statement.HEAD, block.chainid, address(this));
    }

    /// @inheritdoc IMeterRegistry
    function claimDomain() public view returns (bytes32) {
        return Statement.domain(Statement.CLAIM, block.chainid, address(this));
    }
}
