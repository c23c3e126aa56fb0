// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { ERC20Votes } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IERC721Receiver } from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { Nonces } from "@openzeppelin/contracts/utils/Nonces.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { IHourlyCertificates } from "../interfaces/IHourlyCertificates.sol";
import { IMeterRegistry } from "../interfaces/IMeterRegistry.sol";
import { IParkDescriptor } from "../interfaces/IParkDescriptor.sol";
import { ISolarPark } from "../interfaces/ISolarPark.sol";
import { Income, Kind, Part } from "../libraries/Income.sol";
import { Page } from "../libraries/Page.sol";
import { PublicKey, Signature, Statement } from "../libraries/Statement.sol";

contract SolarPark is ISolarPark, ERC20Votes, ERC20Permit, IERC721Receiver, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using Income for Kind;
    using Income for Part;
    using SafeERC20 for IERC20;

    /* CONSTANTS */

    /// Kinds of income: each is asked at every transfer.
    uint256 private constant KINDS_LIMIT = 8;
    /// Gas that a kind may take to say what the park has of it, and what must be left so that it has that much.
    uint256 private constant BALANCE_GAS = 100_000;
    uint256 private constant BALANCE_GAS_LEFT = 110_000;

    /* STATE */

    /// @inheritdoc ISolarPark
    IMeterRegistry public immutable registry;
    /// @inheritdoc ISolarPark
    IHourlyCertificates public immutable certificates;
    /// @inheritdoc ISolarPark
    address public immutable timelock;

    IParkDescriptor private immutable _descriptor;
    /// The first kind, without a look into storage.
    IERC20 private immutable _token;

    /// @inheritdoc ISolarPark
    address public manager;
    /// @inheritdoc ISolarPark
    uint8 public powers;
    /// @inheritdoc ISolarPark
    bytes32 public document;

    IERC20[] private _kinds;
    /// Place in `_kinds`, from 1.
    mapping(IERC20 kind => uint256) private _placeOf;
    mapping(uint256 index => Kind) private _accounts;
    mapping(uint256 index => uint256) private _claimed;
    mapping(uint256 index => mapping(address holder => Part)) private _parts;
    mapping(uint256 index => Checkpoints.Trace208) private _marks;

    EnumerableSet.Bytes32Set private _meters;
    mapping(bytes32 meter => Offer) private _offers;
    /// @inheritdoc ISolarPark
    mapping(bytes32 meter => bytes32) public permittedKeyOf;

    /* CONSTRUCTION */

    constructor(
        Terms memory terms,
        Surroundings memory around
    ) ERC20(terms.name, terms.symbol) ERC20Permit(terms.name) {
        (registry, certificates) = (around.registry, around.certificates);
        (timelock, _descriptor) = (around.timelock, around.descriptor);
        document = terms.document;
        (uint256 holders, uint256 amounts) = (terms.holders.length, terms.shares.length);
        require(holders == amounts, HoldersInvalid(holders, amounts));
        for (uint256 i = 0; i < holders; ++i) _found(terms.holders[i], terms.shares[i]);
        require(totalSupply() != 0, SharesOutOfRange(0));
        _token = around.registry.wattWitness().token();
        _addKind(_token);
    }

    /// Who is there from the beginning votes for himself, until he says otherwise.
    function _found(address holder, uint256 shares) private {
        _issue(holder, shares);
        if (delegates(holder) == address(0)) _delegate(holder, holder);
    }

    modifier onlyVote() {
        _checkVote();
        _;
    }

    modifier onlyVoteOr(Power power) {
        bool isLet = msg.sender == manager && (powers >> uint8(power)) & 1 == 1;
        require(isLet || isVote(msg.sender), CallerNotManager(msg.sender, power));
        _;
    }

    modifier onlyOfPark(bytes32 meter) {
        require(_meters.contains(meter), MeterNotOfPark(meter));
        _;
    }

    function _checkVote() private view {
        require(isVote(msg.sender), CallerNotVote(msg.sender));
    }

    /// @inheritdoc ISolarPark
    function isVote(address account) public view returns (bool) {
        if (account == timelock) return true;
        // who borrows every share for one transaction had none in the second before
        uint256 shares = totalSupply();
        return balanceOf(account) == shares && getPastVotes(account, clock() - 1) == shares;
    }

    /* SHARES */

    /// @notice A share is not divided.
    function decimals() public pure override returns (uint8) {
        return 0;
    }

    /// @inheritdoc ISolarPark
    function issue(address to, uint256 shares) external onlyVote {
        _issue(to, shares);
    }

    function _issue(address to, uint256 shares) private {
        uint256 supply = totalSupply();
        // so that the sum does not overflow
        require(shares < Income.SHARES_LIMIT - supply, SharesOutOfRange(shares));
        _mint(to, shares);
    }

    /// Whatever moves shares first counts what came in, and brings both sides up to date: it is theirs who had them.
    function _update(
        address from,
        address to,
        uint256 shares
    ) internal virtual override(ERC20, ERC20Votes) nonReentrant {
        // nobody could claim what is the park's own
        require(to != address(this), ERC20InvalidReceiver(to));
        uint256 length = _kinds.length;
        for (uint256 i = 0; i < length; ++i) {
            uint128 perShare = _count(i);
            if (from != address(0)) _accrue(i, from, perShare);
            if (to != address(0)) _accrue(i, to, perShare);
        }
        super._update(from, to, shares);
    }

    /* INCOME */

    /// @inheritdoc ISolarPark
    function claim(IERC20[] calldata kinds_, address to) external nonReentrant {
        _checkClaim(msg.sender, to);
        for (uint256 i = 0; i < kinds_.length; ++i) _claim(kinds_[i], to);
    }

    /// Whether income may be paid: to anyone, here.
    function _checkClaim(address holder, address to) internal view virtual {}

    function _claim(IERC20 kind, address to) private {
        uint256 index = _indexOf(kind);
        Part memory part = _accrue(index, msg.sender, _count(index));
        uint256 amount = part.claimable();
        if (amount == 0) return;
        _parts[index][msg.sender].accrued = uint128(part.accrued - amount * Income.SCALE);
        _accounts[index].held -= uint96(amount);
        _claimed[index] += amount;
        emit Claimed(kind, msg.sender, to, amount);
        kind.safeTransfer(to, amount);
    }

    /// @inheritdoc ISolarPark
    function count() public nonReentrant {
        for (uint256 i = 0; i < _kinds.length; ++i) _count(i);
    }

    /// @inheritdoc ISolarPark
    function mark() external {
        count();
        for (uint256 i = 0; i < _kinds.length; ++i) {
            uint256 received = _receivedOf(i);
            _marks[i].push(clock(), uint208(received));
            emit Marked(_kinds[i], received);
        }
    }

    /// @inheritdoc ISolarPark
    function addKind(IERC20 kind) external onlyVote {
        _addKind(kind);
    }

    function _addKind(IERC20 kind) private {
        require(_kinds.length < KINDS_LIMIT, TooManyKinds());
        bool isNew = _placeOf[kind] == 0 && address(kind) != address(this) && address(kind).code.length != 0;
        require(isNew, KindInvalid(kind));
        _kinds.push(kind);
        _placeOf[kind] = _kinds.length;
        emit KindAdded(kind);
    }

    /// Counts what came in of a kind, if it says so: whatever a kind does, it is only its own income that suffers.
    function _count(uint256 index) private returns (uint128 perShare) {
        Kind memory kind = _accounts[index];
        Kind memory counted = _counted(index, kind);
        if (counted.held == kind.held) return kind.perShare;
        _accounts[index] = counted;
        emit Received(_kindAt(index), counted.held - kind.held);
        return counted.perShare;
    }

    function _counted(uint256 index, Kind memory kind) private view returns (Kind memory) {
        (uint256 balance, uint256 shares) = (_balanceOf(_kindAt(index)), totalSupply());
        return balance <= kind.held || shares == 0 ? kind : kind.add(balance - kind.held, shares);
    }

    function _accrue(uint256 index, address holder, uint128 perShare) private returns (Part memory part) {
        part = _parts[index][holder];
        if (part.perShare == perShare) return part;
        part = part.accrue(perShare, balanceOf(holder));
        _parts[index][holder] = part;
    }

    /// What the park has of a token; nothing, where the token does not say. It is given a fixed amount of gas, for which
    /// there must be enough left: else whoever transfers shares could choose to have nothing counted.
    function _balanceOf(IERC20 kind) private view returns (uint256 units) {
        require(gasleft() >= BALANCE_GAS_LEFT, GasTooLow());
        bytes memory question = abi.encodeCall(IERC20.balanceOf, (address(this)));
        // no more of an answer than its first word is looked at
        assembly ("memory-safe") {
            let answered := staticcall(BALANCE_GAS, kind, add(question, 32), mload(question), 0x00, 32)
            if and(answered, gt(returndatasize(), 31)) {
                units := mload(0x00)
            }
        }
    }

    function _kindAt(uint256 index) private view returns (IERC20) {
        return index == 0 ? _token : _kinds[index];
    }

    function _indexOf(IERC20 kind) private view returns (uint256) {
        uint256 place = _placeOf[kind];
        require(place != 0, KindUnknown(kind));
        return place - 1;
    }

    function _receivedOf(uint256 index) private view returns (uint256) {
        return _claimed[index] + _accounts[index].held;
    }

    /* METERS */

    /// @inheritdoc ISolarPark
    function admit(bytes32 meter) external onlyVote {
        require(_meters.add(meter), MeterAlreadyAdmitted(meter));
        emit MeterAdmitted(meter);
        address owner = registry.ownerOf(uint256(meter));
        if (owner != address(this)) registry.transferFrom(owner, address(this), uint256(meter));
    }

    /// @inheritdoc ISolarPark
    function offer(bytes32 meter, address buyer, IERC20 kind, uint256 price) external onlyVote onlyOfPark(meter) {
        if (address(kind) != address(0)) _indexOf(kind);
        _offers[meter] = Offer(buyer, kind, price);
        emit MeterOffered(meter, buyer, kind, price);
    }

    /// @inheritdoc ISolarPark
    function buy(bytes32 meter, IERC20 kind, uint256 price) external nonReentrant {
        Offer memory offered = _offers[meter];
        bool isFor = offered.buyer == address(0) || offered.buyer == msg.sender;
        bool isOffered =
            address(kind) != address(0) && address(offered.kind) == address(kind) && offered.price == price;
        require(isFor && isOffered, NotOffered(meter, kind, price));
        _forget(meter);
        emit MeterSold(meter, msg.sender, kind, price);
        kind.safeTransferFrom(msg.sender, address(this), price);
        registry.transferFrom(address(this), msg.sender, uint256(meter));
    }

    /// @inheritdoc ISolarPark
    function strike(bytes32 meter) external onlyOfPark(meter) {
        address owner = registry.ownerOf(uint256(meter));
        require(owner != address(this), MeterNotLost(meter, owner));
        _forget(meter);
        emit MeterLost(meter);
    }

    function _forget(bytes32 meter) private {
        _meters.remove(meter);
        delete _offers[meter];
        delete permittedKeyOf[meter];
    }

    /// @inheritdoc ISolarPark
    function permitKey(bytes32 meter, bytes32 keyId) external onlyVoteOr(Power.PermitKey) onlyOfPark(meter) {
        permittedKeyOf[meter] = keyId;
        emit KeyPermitted(meter, keyId);
    }

    /// @inheritdoc ISolarPark
    function rotate(
        bytes32 meter,
        IMeterRegistry.NewKey calldata newKey,
        PublicKey calldata key,
        Signature calldata rotation
    ) external {
        bytes32 keyId = Statement.keyId(newKey.key);
        require(permittedKeyOf[meter] == keyId, KeyNotPermitted(meter, keyId));
        delete permittedKeyOf[meter];
        registry.rotate(meter, newKey, key, rotation);
    }

    /// @inheritdoc ISolarPark
    function decommission(bytes32 meter) external onlyVoteOr(Power.Decommission) onlyOfPark(meter) {
        registry.decommission(meter);
    }

    /// @inheritdoc ISolarPark
    function cancelProposal(
        bytes32 meter,
        IMeterRegistry.Change change
    ) external onlyVoteOr(Power.CancelProposal) onlyOfPark(meter) {
        registry.cancelProposal(meter, change);
    }

    /// @inheritdoc ISolarPark
    function setWatcher(bytes32 meter, address watcher) external onlyVote onlyOfPark(meter) {
        registry.setWatcher(meter, watcher);
    }

    /// @inheritdoc ISolarPark
    function nameIssuer(bytes32 meter, address issuer) external onlyVoteOr(Power.NameIssuer) onlyOfPark(meter) {
        certificates.nameIssuer(meter, issuer);
    }

    /// @notice ERC-721: meters may be sent here safely. They are the park's once they are admitted.
    function onERC721Received(address, address, uint256, bytes calldata) external view returns (bytes4) {
        require(msg.sender == address(registry), NotAMeter(msg.sender));
        return IERC721Receiver.onERC721Received.selector;
    }

    /* MANAGEMENT */

    /// @inheritdoc ISolarPark
    function appoint(address manager_, uint8 powers_) external onlyVote {
        (manager, powers) = (manager_, powers_);
        emit Appointed(manager_, powers_);
    }

    /// @inheritdoc ISolarPark
    function setDocument(bytes32 document_) external onlyVote {
        document = document_;
        emit ContractURIUpdated();
    }

    /* VIEWS */

    /// @inheritdoc ISolarPark
    function holdingOf(address holder) external view virtual returns (Holding memory) {
        return Holding(balanceOf(holder), totalSupply(), getVotes(holder), true, true, 0);
    }

    /// @inheritdoc ISolarPark
    function claimableOf(address holder) external view nonReentrantView returns (Claimable[] memory claimables) {
        claimables = new Claimable[](_kinds.length);
        for (uint256 i = 0; i < claimables.length; ++i) {
            Part memory part = _parts[i][holder].accrue(_counted(i, _accounts[i]).perShare, balanceOf(holder));
            claimables[i] = Claimable(_kinds[i], part.claimable());
        }
    }

    /// @inheritdoc ISolarPark
    function accountOf(
        IERC20 kind
    ) external view nonReentrantView returns (uint256 received, uint256 claimed, uint256 carried) {
        uint256 index = _indexOf(kind);
        Kind memory counted = _counted(index, _accounts[index]);
        claimed = _claimed[index];
        return (claimed + counted.held, claimed, counted.carry);
    }

    /// @inheritdoc ISolarPark
    function receivedBetween(IERC20 kind, uint48 from, uint48 to) external view returns (uint256) {
        Checkpoints.Trace208 storage marks = _marks[_indexOf(kind)];
        return Math.saturatingSub(marks.upperLookupRecent(to), marks.upperLookupRecent(from));
    }

    /// @inheritdoc ISolarPark
    function kinds() external view returns (IERC20[] memory) {
        return _kinds;
    }

    /// @inheritdoc ISolarPark
    function meterCount() external view returns (uint256) {
        return _meters.length();
    }

    /// @inheritdoc ISolarPark
    function meters(uint256 start, uint256 count_) external view returns (bytes32[] memory page) {
        page = new bytes32[](Page.length(_meters.length(), start, count_));
        for (uint256 i = 0; i < page.length; ++i) page[i] = _meters.at(start + i);
    }

    /// @inheritdoc ISolarPark
    function offerOf(bytes32 meter) external view returns (Offer memory) {
        return _offers[meter];
    }

    /// @inheritdoc ISolarPark
    function contractURI() external view returns (string memory) {
        return _descriptor.contractURI(IParkDescriptor.Description(name(), symbol(), document, _supervisor()));
    }

    /// Who says who may hold shares: nobody, here.
    function _supervisor() internal view virtual returns (address) {
        return address(0);
    }

    /* CLOCK OF THE VOTES */

    /// @notice ERC-6372: votes are counted in Unix time, s.
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice ERC-6372.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice ERC-2612, and of what is delegated by signature (ERC-5805).
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }
}
