// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
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

    /// Whoever holds the token receives what the meter produces.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0)) wattWitness.setPayee(bytes32(tokenId), to);
    }

    /* VIEWS */

    /// @inheritdoc IMeterRegistry
    function detailsOf(bytes32 meter) external view returns (bytes32) {
        require(_ownerOf(uint256(meter)) != address(0), MeterUnknown(meter));
        return _details[meter];
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
