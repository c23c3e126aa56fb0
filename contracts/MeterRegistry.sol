// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { MeterMetadata } from "./libraries/MeterMetadata.sol";
import { SOURCE_LIMIT } from "./libraries/Reading.sol";
import { Head, PublicKey, Signature, Statement } from "./libraries/Statement.sol";

contract MeterRegistry is IMeterRegistry, ERC721, AccessManaged, Pausable {
    using Statement for bytes32;

    /* CONSTANTS */

    /// @inheritdoc IMeterRegistry
    uint64 public constant PROPOSAL_DELAY = 14 days;

    /* STATE */

    /// @inheritdoc IMeterRegistry
    IWattWitness public wattWitness;

    mapping(bytes32 meter => bytes32) private _details;
    /// Keys that were rotated in, in order; a meter's first key is its id.
    mapping(bytes32 meter => bytes32[]) private _rotatedIn;
    /// Of keys that were rotated in.
    mapping(bytes32 keyId => bytes32) private _meterOfKey;
    mapping(bytes32 meter => mapping(Change => Proposal)) private _proposals;

    /* CONSTRUCTION */

    constructor(address authority) ERC721("WattWitness meter", "METER") AccessManaged(authority) {}

    /// @inheritdoc IMeterRegistry
    function nameWattWitness(IWattWitness wattWitness_) external restricted {
        require(address(wattWitness) == address(0), WattWitnessAlreadyNamed(wattWitness));
        wattWitness = wattWitness_;
        emit WattWitnessNamed(wattWitness_);
    }

    modifier onlyKnown(bytes32 meter) {
        require(_ownerOf(uint256(meter)) != address(0), MeterUnknown(meter));
        _;
    }

    modifier onlyOwner(bytes32 meter) {
        require(_ownerOf(uint256(meter)) == msg.sender, CallerNotOwner(msg.sender, meter));
        _;
    }

    modifier onlyOwnerOrRegistrar(bytes32 meter) {
        if (_ownerOf(uint256(meter)) != msg.sender) _checkCanCall(msg.sender, msg.data);
        _;
    }

    modifier onlyInService(bytes32 meter) {
        _checkInService(meter);
        _;
    }

    function _checkInService(bytes32 meter) private view onlyKnown(meter) {
        require(_termsOf(meter).status != IWattWitness.Status.Decommissioned, MeterIsDecommissioned(meter));
    }

    /* REGISTRATION */

    /// @inheritdoc IMeterRegistry
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc IMeterRegistry
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc IMeterRegistry
    function register(Registration calldata registration) external restricted whenNotPaused returns (bytes32 meter) {
        require(address(wattWitness) != address(0), WattWitnessNotNamed());
        require(registration.capacity != 0, CapacityZero());
        require(registration.source <= SOURCE_LIMIT, SourceInvalid(registration.source));
        meter = Statement.keyId(registration.key);
        address owner = registration.owner;
        _checkClaim(meter, meter, owner, registration.key, registration.baseline, registration.claim);

        // before WattWitness tells of the key
        emit MeterRegistered({
            meter: meter,
            owner: owner,
            keyId: meter,
            x: registration.key.x,
            y: registration.key.y,
            capacity: registration.capacity,
            source: registration.source,
            details: registration.details
        });

        wattWitness.begin(meter, owner, registration.capacity, registration.source, registration.baseline);
        _details[meter] = registration.details;
        _mint(owner, uint256(meter));
    }

    /// The key says itself, over this baseline, that it belongs to this owner's meter.
    function _checkClaim(
        bytes32 meter,
        bytes32 keyId,
        address owner,
        PublicKey calldata key,
        Head calldata baseline,
        Signature calldata claim
    ) private view {
        bytes32 headHash = Statement.headHash(headDomain(), baseline);
        bytes32 claimHash = Statement.claimHash(claimDomain(), meter, keyId, owner, headHash);
        require(claimHash.isSigned(claim, key), ClaimInvalid(keyId, owner, headHash));
    }

    /* ROTATION */

    /// @inheritdoc IMeterRegistry
    function rotate(
        bytes32 meter,
        NewKey calldata newKey,
        PublicKey calldata key,
        Signature calldata rotation
    ) external onlyOwner(meter) onlyInService(meter) {
        (bytes32 keyId, bytes32 newKeyId) = (_keyOf(meter), Statement.keyId(newKey.key));
        bytes32 rotationHash = Statement.rotationHash(rotateDomain(), meter, newKeyId);
        require(
            Statement.keyId(key) == keyId && rotationHash.isSigned(rotation, key),
            RotationInvalid(meter, keyId, newKeyId)
        );
        _rotate(meter, keyId, newKeyId, newKey);
    }

    /// @inheritdoc IMeterRegistry
    function replaceKey(bytes32 meter, NewKey calldata newKey) external onlyInService(meter) {
        (bytes32 keyId, bytes32 newKeyId) = (_keyOf(meter), Statement.keyId(newKey.key));
        Proposal memory proposal = _execute(meter, Change.Key);
        require(uint256(newKeyId) == proposal.value, KeyNotProposed(meter, newKeyId, bytes32(proposal.value)));
        uint256 settledAt = wattWitness.latestOf(keyId).settledAt;
        require(settledAt < proposal.proposedAt, KeyStillSettles(meter, keyId, settledAt));
        _rotate(meter, keyId, newKeyId, newKey);
    }

    function _rotate(bytes32 meter, bytes32 keyId, bytes32 newKeyId, NewKey calldata newKey) private {
        address owner = _ownerOf(uint256(meter));
        _checkClaim(meter, newKeyId, owner, newKey.key, newKey.baseline, newKey.claim);

        // before WattWitness tells of the key
        emit KeyRotated(meter, newKeyId, keyId, newKey.key.x, newKey.key.y);

        wattWitness.succeed(keyId, newKeyId, newKey.baseline);
        _rotatedIn[meter].push(newKeyId);
        _meterOfKey[newKeyId] = meter;
    }

    /* PROPOSALS */

    /// @inheritdoc IMeterRegistry
    function proposeKey(bytes32 meter, bytes32 keyId) external restricted onlyInService(meter) {
        _propose(meter, Change.Key, uint256(keyId));
    }

    /// @inheritdoc IMeterRegistry
    function proposeOwner(bytes32 meter, address owner) external restricted onlyInService(meter) {
        require(owner != address(0), OwnerInvalid(owner));
        _propose(meter, Change.Owner, uint160(owner));
    }

    /// @inheritdoc IMeterRegistry
    function proposeCapacity(bytes32 meter, uint32 capacity) external restricted onlyInService(meter) {
        uint32 current = _termsOf(meter).capacity;
        require(capacity > current, CapacityInvalid(meter, capacity, current));
        _propose(meter, Change.Capacity, capacity);
    }

    function _propose(bytes32 meter, Change change, uint256 value) private {
        _proposals[meter][change] = Proposal(value, uint64(block.timestamp));
        emit Proposed(meter, change, value, block.timestamp + PROPOSAL_DELAY);
    }

    /// @inheritdoc IMeterRegistry
    function cancelProposal(bytes32 meter, Change change) external onlyOwnerOrRegistrar(meter) {
        require(_proposals[meter][change].proposedAt != 0, ProposalUnknown(meter, change));
        _cancel(meter, change);
    }

    function _cancel(bytes32 meter, Change change) private {
        delete _proposals[meter][change];
        emit ProposalCancelled(meter, change, msg.sender);
    }

    /// Takes a proposal that is due.
    function _execute(bytes32 meter, Change change) private returns (Proposal memory proposal) {
        proposal = _proposals[meter][change];
        require(proposal.proposedAt != 0, ProposalUnknown(meter, change));
        uint256 executableAt = proposal.proposedAt + PROPOSAL_DELAY;
        require(block.timestamp >= executableAt, ProposalNotDue(meter, change, executableAt));
        uint256 expiresAt = executableAt + PROPOSAL_DELAY;
        require(block.timestamp < expiresAt, ProposalExpired(meter, change, expiresAt));
        delete _proposals[meter][change];
        emit ProposalExecuted(meter, change, proposal.value);
    }

    /* CAPACITY */

    /// @inheritdoc IMeterRegistry
    function raiseCapacity(bytes32 meter) external onlyInService(meter) {
        _setCapacity(meter, uint32(_execute(meter, Change.Capacity).value));
    }

    /// @inheritdoc IMeterRegistry
    function lowerCapacity(bytes32 meter, uint32 capacity) external restricted onlyInService(meter) {
        uint32 current = _termsOf(meter).capacity;
        require(capacity != 0 && capacity < current, CapacityInvalid(meter, capacity, current));
        _setCapacity(meter, capacity);
    }

    function _setCapacity(bytes32 meter, uint32 capacity) private {
        wattWitness.setCapacity(_keyOf(meter), capacity);
        emit CapacityChanged(meter, capacity);
    }

    /* OWNERSHIP */

    /// @inheritdoc IMeterRegistry
    function setPayout(bytes32 meter, address payout) external onlyOwner(meter) {
        address payee = payout == address(0) ? msg.sender : payout;
        wattWitness.setPayee(_keyOf(meter), payee);
        emit PayoutChanged(meter, payee);
    }

    /// @notice Transfers a meter (ERC-721), and with it what it produces from now on. Every other way to transfer one goes
    /// through this.
    function transferFrom(address from, address to, uint256 tokenId) public override(ERC721, IERC721) {
        super.transferFrom(from, to, tokenId);
        bytes32 meter = bytes32(tokenId);
        wattWitness.setPayee(_keyOf(meter), to);
        // whoever transfers it has not lost it
        if (_proposals[meter][Change.Owner].proposedAt != 0) _cancel(meter, Change.Owner);
    }

    /// @inheritdoc IMeterRegistry
    function recoverOwner(bytes32 meter) external onlyInService(meter) {
        address owner = address(uint160(_execute(meter, Change.Owner).value));
        _update(owner, uint256(meter), address(0));
        wattWitness.setPayee(_keyOf(meter), owner);
    }

    /// @inheritdoc IMeterRegistry
    function decommission(bytes32 meter) external onlyOwnerOrRegistrar(meter) onlyInService(meter) {
        wattWitness.decommission(_keyOf(meter));
        emit MeterDecommissioned(meter, msg.sender);
    }

    /* VIEWS */

    /// @inheritdoc IMeterRegistry
    function meterOf(bytes32 meter) external view returns (Meter memory) {
        Key[] memory keys = keysOf(meter);
        bytes32 keyId = keys[keys.length - 1].keyId;
        IWattWitness.Terms memory terms = wattWitness.termsOf(keyId);
        IWattWitness.SettledHead memory latest = wattWitness.latestOf(keyId);
        uint256 produced = 0;
        for (uint256 i = 0; i < keys.length; ++i) produced += wattWitness.latestOf(keys[i].keyId).produced;
        return
            Meter({
                owner: _ownerOf(uint256(meter)),
                payout: terms.payee,
                keyId: keyId,
                status: terms.status,
                capacity: terms.capacity,
                source: terms.source,
                details: _details[meter],
                produced: produced,
                timestamp: latest.timestamp,
                settledAt: latest.settledAt
            });
    }

    /// @inheritdoc IMeterRegistry
    function meterOfKey(bytes32 keyId) external view returns (bytes32 meter) {
        return _ownerOf(uint256(keyId)) == address(0) ? _meterOfKey[keyId] : keyId;
    }

    /// @inheritdoc IMeterRegistry
    function keyOf(bytes32 meter) external view onlyKnown(meter) returns (bytes32) {
        return _keyOf(meter);
    }

    /// @inheritdoc IMeterRegistry
    function keysOf(bytes32 meter) public view onlyKnown(meter) returns (Key[] memory keys) {
        bytes32[] memory rotatedIn = _rotatedIn[meter];
        keys = new Key[](rotatedIn.length + 1);
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 keyId = i == 0 ? meter : rotatedIn[i - 1];
            (uint32 since, uint32 until) = wattWitness.intervalOf(keyId);
            keys[i] = Key(keyId, since, until);
        }
    }

    /// @inheritdoc IMeterRegistry
    function proposalOf(bytes32 meter, Change change) external view returns (Proposal memory) {
        return _proposals[meter][change];
    }

    /// @inheritdoc IMeterRegistry
    function detailsOf(bytes32 meter) external view onlyKnown(meter) returns (bytes32) {
        return _details[meter];
    }

    /// @inheritdoc IMeterRegistry
    function payoutOf(bytes32 meter) external view onlyKnown(meter) returns (address) {
        return _termsOf(meter).payee;
    }

    /// @notice ERC-721 metadata, on chain: name, capacity, source, status and key history of the meter.
    /// @dev Reverts with MeterUnknown.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        bytes32 meter = bytes32(tokenId);
        Key[] memory keys = keysOf(meter);
        return MeterMetadata.tokenURI(meter, _termsOf(meter), keys);
    }

    /// @inheritdoc IMeterRegistry
    function headDomain() public view returns (bytes32) {
        return Statement.domain(Statement.HEAD, block.chainid, address(this));
    }

    /// @inheritdoc IMeterRegistry
    function claimDomain() public view returns (bytes32) {
        return Statement.domain(Statement.CLAIM, block.chainid, address(this));
    }

    /// @inheritdoc IMeterRegistry
    function rotateDomain() public view returns (bytes32) {
        return Statement.domain(Statement.ROTATE, block.chainid, address(this));
    }

    function _keyOf(bytes32 meter) private view returns (bytes32) {
        uint256 rotations = _rotatedIn[meter].length;
        return rotations == 0 ? meter : _rotatedIn[meter][rotations - 1];
    }

    /// What holds for a meter's current key.
    function _termsOf(bytes32 meter) private view returns (IWattWitness.Terms memory) {
        return wattWitness.termsOf(_keyOf(meter));
    }
}
