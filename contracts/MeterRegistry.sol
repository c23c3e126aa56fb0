// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { AuthorityUtils } from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { IMeterDescriptor } from "./interfaces/IMeterDescriptor.sol";
import { IMeterRegistry } from "./interfaces/IMeterRegistry.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";
import { Page } from "./libraries/Page.sol";
import { SOURCE_LIMIT } from "./libraries/Reading.sol";
import { Head, PublicKey, Signature, Statement } from "./libraries/Statement.sol";

contract MeterRegistry is IMeterRegistry, ERC721, AccessManaged, Pausable {
    using Statement for bytes32;

    /* TYPES */

    /// What a meter produced under keys that are over, and what is told of it.
    struct Production {
        /// mWh
        uint64 before;
        /// mWh under all its keys, when it was last told
        uint64 told;
        /// Unix time, s
        uint32 toldAt;
    }

    /* CONSTANTS */

    /// @inheritdoc IMeterRegistry
    uint64 public constant PROPOSAL_DELAY = 14 days;

    /* STATE */

    /// @inheritdoc IMeterRegistry
    uint32 public immutable capacityCeiling;
    /// @inheritdoc IMeterRegistry
    IMeterRegistry public immutable predecessor;
    /// @inheritdoc IMeterRegistry
    IMeterDescriptor public immutable descriptor;

    /// @inheritdoc IMeterRegistry
    IWattWitness public wattWitness;

    mapping(bytes32 meter => bytes32) private _details;
    /// Keys that were rotated in, in order; a meter's first key is its id.
    mapping(bytes32 meter => bytes32[]) private _rotatedIn;
    mapping(bytes32 meter => mapping(Change => Proposal)) private _proposals;
    mapping(bytes32 meter => address) private _watchers;
    mapping(bytes32 meter => Production) private _productions;

    /* CONSTRUCTION */

    constructor(
        address authority,
        IMeterDescriptor descriptor_,
        uint32 capacityCeiling_,
        IMeterRegistry predecessor_
    ) ERC721("WattWitness meter", "METER") AccessManaged(authority) {
        descriptor = descriptor_;
        capacityCeiling = capacityCeiling_;
        predecessor = predecessor_;
    }

    /// @inheritdoc IMeterRegistry
    function nameWattWitness(IWattWitness wattWitness_) external restricted {
        require(address(wattWitness) == address(0), WattWitnessAlreadyNamed(wattWitness));
        IMeterRegistry registry = wattWitness_.registry();
        require(address(registry) == address(this), WattWitnessOfAnother(wattWitness_, registry));
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
        require(registration.capacity <= capacityCeiling, CapacityAboveCeiling(registration.capacity, capacityCeiling));
        require(registration.source <= SOURCE_LIMIT, SourceInvalid(registration.source));
        meter = Statement.keyId(registration.key);
        address owner = registration.owner;
        _checkClaim(meter, meter, owner, registration.key, registration.baseline, registration.claim);
        if (address(predecessor) != address(0)) _takeOver(meter, registration.baseline);

        // before WattWitness tells of the key
        emit MeterRegistered({
            meter: meter,
            owner: owner,
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

    /// A key of the registry before this one comes with its meter, and begins after all that it settled there.
    function _takeOver(bytes32 keyId, Head calldata baseline) private {
        bytes32 meter = predecessor.meterOfKey(keyId);
        if (meter == 0) return;
        Meter memory before = predecessor.meterOf(meter);
        require(before.keyId == keyId, KeyNotCurrent(meter, keyId, before.keyId));
        uint32 timestamp = baseline.reading.timestamp();
        require(timestamp > before.timestamp, BaselineNotLater(meter, timestamp, before.timestamp));
        if (before.status != IWattWitness.Status.Decommissioned) predecessor.decommission(meter);
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
        // what it measured before, it may settle still: a dead chip's leftovers do not keep it in office
        uint32 timestamp = wattWitness.latestOf(keyId).timestamp;
        require(timestamp < proposal.proposedAt, KeyStillMeasures(meter, keyId, timestamp));
        _rotate(meter, keyId, newKeyId, newKey);
    }

    function _rotate(bytes32 meter, bytes32 keyId, bytes32 newKeyId, NewKey calldata newKey) private {
        address owner = _ownerOf(uint256(meter));
        _checkClaim(meter, newKeyId, owner, newKey.key, newKey.baseline, newKey.claim);

        // before WattWitness tells of the key
        emit KeyRotated(meter, newKeyId, keyId, newKey.key.x, newKey.key.y);

        uint256 produced = wattWitness.succeed(meter, keyId, newKeyId, newKey.baseline);
        _rotatedIn[meter].push(newKeyId);
        _productions[meter].before += uint64(produced);
        emit MetadataUpdate(uint256(meter));
    }

    /* PROPOSALS */

    /// @inheritdoc IMeterRegistry
    function proposeKey(bytes32 meter, bytes32 keyId) external restricted onlyInService(meter) {
        bytes32 used = meterOfKey(keyId);
        require(used == 0, KeyOfMeter(keyId, used));
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
        _proposals[meter][change] = Proposal(value, uint64(block.timestamp), msg.sender, _ownerOf(uint256(meter)));
        emit Proposed(meter, change, value, block.timestamp + PROPOSAL_DELAY);
    }

    /// @inheritdoc IMeterRegistry
    function cancelProposal(bytes32 meter, Change change) external {
        // without a role a caller is refused there
        if (msg.sender != _ownerOf(uint256(meter)) && msg.sender != _watchers[meter]) {
            _checkCanCall(msg.sender, msg.data);
        }
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
        require(_isRegistrar(proposal.proposer), ProposerRevoked(meter, change, proposal.proposer));
        delete _proposals[meter][change];
        emit ProposalExecuted(meter, change, proposal.value);
    }

    /// Whether he may propose, at once or after a delay.
    function _isRegistrar(address account) private view returns (bool) {
        bytes4 selector = IMeterRegistry.proposeKey.selector;
        (bool may, uint32 delay) = AuthorityUtils.canCallWithDelay(authority(), account, address(this), selector);
        return may || delay != 0;
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
        emit MetadataUpdate(uint256(meter));
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
        // a contract may know nothing of meters: who watches it for the owner goes on to
        if (to.code.length == 0) delete _watchers[meter];
        // an owner who transfers it has not lost it; of whom he approved that is not known
        if (msg.sender == from && _proposals[meter][Change.Owner].proposedAt != 0) _cancel(meter, Change.Owner);
    }

    /// @inheritdoc IMeterRegistry
    function setWatcher(bytes32 meter, address watcher) external onlyOwner(meter) {
        _watchers[meter] = watcher;
        emit WatcherChanged(meter, watcher);
    }

    /// @inheritdoc IMeterRegistry
    function recoverOwner(bytes32 meter) external onlyInService(meter) {
        Proposal memory proposal = _execute(meter, Change.Owner);
        (address owner, address current) = (address(uint160(proposal.value)), _ownerOf(uint256(meter)));
        require(proposal.owner == current, OwnerChanged(meter, current, proposal.owner));
        _update(owner, uint256(meter), address(0));
        wattWitness.setPayee(_keyOf(meter), owner);
    }

    /// @inheritdoc IMeterRegistry
    function decommission(bytes32 meter) external {
        if (msg.sender != _ownerOf(uint256(meter))) _checkCanCall(msg.sender, msg.data);
        _checkInService(meter);
        wattWitness.decommission(_keyOf(meter));
        emit MeterDecommissioned(meter, msg.sender);
        emit MetadataUpdate(uint256(meter));
    }

    /* METADATA */

    /// @inheritdoc IMeterRegistry
    function tellFrozen(bytes32 meter) external {
        require(msg.sender == address(wattWitness), CallerNotWattWitness(msg.sender));
        emit MetadataUpdate(uint256(meter));
    }

    /// @inheritdoc IMeterRegistry
    function tellProduction(bytes32[] calldata meters) external {
        for (uint256 i = 0; i < meters.length; ++i) _tellProduction(meters[i]);
    }

    function _tellProduction(bytes32 meter) private onlyKnown(meter) {
        Production storage production = _productions[meter];
        (production.told, production.toldAt) = (uint64(_producedBy(meter)), uint32(block.timestamp));
        emit MetadataUpdate(uint256(meter));
    }

    /// @notice ERC-721 metadata, on chain: capacity, source, status, key and production of the meter, and an image. It
    /// changes with a MetadataUpdate (ERC-4906), and never without: what the meter produced is as it was last told.
    /// @dev Reverts with MeterUnknown.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        bytes32 meter = bytes32(tokenId);
        IWattWitness.Terms memory terms = wattWitness.termsOf(keyOf(meter));
        Production memory production = _productions[meter];
        return
            descriptor.tokenURI(
                IMeterDescriptor.Description({
                    meter: meter,
                    keyId: _keyOf(meter),
                    keyCount: keyCountOf(meter),
                    status: terms.status,
                    capacity: terms.capacity,
                    source: terms.source,
                    produced: production.told,
                    toldAt: production.toldAt
                })
            );
    }

    /// @inheritdoc IMeterRegistry
    function contractURI() external view returns (string memory) {
        return descriptor.contractURI();
    }

    /// @notice ERC-165: ERC-721 with metadata, and ERC-4906.
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        // ERC-4906 has no function, so its interface has another id than it gave itself
        return interfaceId == bytes4(0x49064906) || super.supportsInterface(interfaceId);
    }

    /* VIEWS */

    /// @inheritdoc IMeterRegistry
    function meterOf(bytes32 meter) external view onlyKnown(meter) returns (Meter memory) {
        bytes32 keyId = _keyOf(meter);
        IWattWitness.Terms memory terms = wattWitness.termsOf(keyId);
        IWattWitness.SettledHead memory latest = wattWitness.latestOf(keyId);
        return
            Meter({
                owner: _ownerOf(uint256(meter)),
                payout: terms.payee,
                watcher: _watchers[meter],
                keyId: keyId,
                keyCount: keyCountOf(meter),
                status: terms.status,
                capacity: terms.capacity,
                source: terms.source,
                details: _details[meter],
                produced: _productions[meter].before + latest.produced,
                timestamp: latest.timestamp,
                settledAt: latest.settledAt
            });
    }

    function _producedBy(bytes32 meter) private view returns (uint256) {
        return _productions[meter].before + wattWitness.latestOf(_keyOf(meter)).produced;
    }

    /// @inheritdoc IMeterRegistry
    function meterOfKey(bytes32 keyId) public view returns (bytes32 meter) {
        return address(wattWitness) == address(0) ? bytes32(0) : wattWitness.meterOf(keyId);
    }

    /// @inheritdoc IMeterRegistry
    function keyOf(bytes32 meter) public view onlyKnown(meter) returns (bytes32) {
        return _keyOf(meter);
    }

    /// @inheritdoc IMeterRegistry
    function keyCountOf(bytes32 meter) public view onlyKnown(meter) returns (uint256) {
        return _rotatedIn[meter].length + 1;
    }

    /// @inheritdoc IMeterRegistry
    function keysOf(bytes32 meter, uint256 start, uint256 count) external view returns (Key[] memory page) {
        page = new Key[](Page.length(keyCountOf(meter), start, count));
        for (uint256 i = 0; i < page.length; ++i) {
            bytes32 keyId = start + i == 0 ? meter : _rotatedIn[meter][start + i - 1];
            (uint32 since, uint32 until) = wattWitness.intervalOf(keyId);
            page[i] = Key(keyId, since, until);
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
