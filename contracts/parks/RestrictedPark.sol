// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import { IERC7943Fungible } from "../interfaces/IERC7943.sol";
import { IRestrictedPark } from "../interfaces/IRestrictedPark.sol";
import { ISolarPark } from "../interfaces/ISolarPark.sol";
import { SolarPark } from "./SolarPark.sol";

contract RestrictedPark is IRestrictedPark, SolarPark {
    /* TYPES */

    struct Permission {
        bool canSend;
        bool canReceive;
    }

    /* CONSTANTS */

    /// @inheritdoc IRestrictedPark
    uint256 public constant FORCED_TRANSFER_DELAY = 7 days;

    /* STATE */

    /// @inheritdoc IRestrictedPark
    address public supervisor;

    mapping(address account => Permission) private _permissions;
    mapping(address account => uint256) private _frozen;
    mapping(bytes32 transfer => uint256) private _executableAt;

    /* CONSTRUCTION */

    /// The first holders may send and receive.
    constructor(Terms memory terms, Surroundings memory around, address supervisor_) SolarPark(terms, around) {
        _setSupervisor(supervisor_);
        for (uint256 i = 0; i < terms.holders.length; ++i) _allow(terms.holders[i], true, true);
    }

    modifier onlySupervisor() {
        require(msg.sender == supervisor, CallerNotSupervisor(msg.sender));
        _;
    }

    /* WHO MAY */

    /// @inheritdoc IRestrictedPark
    function allow(address account, bool canSend_, bool canReceive_) external onlySupervisor {
        _allow(account, canSend_, canReceive_);
    }

    function _allow(address account, bool canSend_, bool canReceive_) private {
        _permissions[account] = Permission(canSend_, canReceive_);
        emit Allowed(account, canSend_, canReceive_);
    }

    /// @inheritdoc IERC7943Fungible
    function setFrozenTokens(address account, uint256 amount) external onlySupervisor returns (bool) {
        _freeze(account, amount);
        return true;
    }

    function _freeze(address account, uint256 amount) private {
        _frozen[account] = amount;
        emit Frozen(account, amount);
    }

    /// @inheritdoc IRestrictedPark
    function handOver(address supervisor_) external onlySupervisor {
        _setSupervisor(supervisor_);
        emit ContractURIUpdated();
    }

    function _setSupervisor(address supervisor_) private {
        require(supervisor_ != address(0), SupervisorZero());
        supervisor = supervisor_;
        emit SupervisorChanged(supervisor_);
    }

    function _update(address from, address to, uint256 shares) internal override {
        // the first shares are there before anybody is allowed
        if (supervisor != address(0)) _checkTransfer(from, to, shares);
        super._update(from, to, shares);
    }

    function _checkTransfer(address from, address to, uint256 shares) private view {
        require(to == address(0) || canReceive(to), ERC7943CannotReceive(to));
        if (from == address(0)) return;
        require(canSend(from), ERC7943CannotSend(from));
        (uint256 balance, uint256 unfrozen) = (balanceOf(from), _unfrozenOf(from));
        bool isFree = shares > balance || shares <= unfrozen;
        require(isFree, ERC7943InsufficientUnfrozenBalance(from, shares, unfrozen));
    }

    /// Income is not paid from nor to whom the park may not have as a holder.
    function _checkClaim(address holder, address to) internal view override {
        require(canReceive(holder), ERC7943CannotReceive(holder));
        require(canReceive(to), ERC7943CannotReceive(to));
    }

    /* FORCED TRANSFERS */

    /// @inheritdoc IRestrictedPark
    function announceForcedTransfer(address from, address to, uint256 amount) external onlySupervisor {
        uint256 executableAt = block.timestamp + FORCED_TRANSFER_DELAY;
        _executableAt[_idOf(from, to, amount)] = executableAt;
        emit ForcedTransferAnnounced(from, to, amount, executableAt);
    }

    /// @inheritdoc IRestrictedPark
    function cancelForcedTransfer(address from, address to, uint256 amount) external onlySupervisor {
        delete _executableAt[_idOf(from, to, amount)];
        emit ForcedTransferCancelled(from, to, amount);
    }

    /// @inheritdoc IERC7943Fungible
    /// @dev What came in before stays whose it was. Frozen shares are taken last, and are no longer frozen.
    function forcedTransfer(address from, address to, uint256 amount) external onlySupervisor returns (bool) {
        uint256 executableAt = _executableAt[_idOf(from, to, amount)];
        bool isDue =
            executableAt != 0 &&
                block.timestamp >= executableAt &&
                block.timestamp < executableAt + FORCED_TRANSFER_DELAY;
        require(isDue, ForcedTransferNotDue(from, to, amount, executableAt));
        delete _executableAt[_idOf(from, to, amount)];
        require(from != address(0), ERC20InvalidSender(from));
        require(to != address(0), ERC20InvalidReceiver(to));
        require(canReceive(to), ERC7943CannotReceive(to));

        uint256 left = Math.saturatingSub(balanceOf(from), amount);
        if (_frozen[from] > left) _freeze(from, left);
        super._update(from, to, amount);
        emit ForcedTransfer(from, to, amount);
        return true;
    }

    function _idOf(address from, address to, uint256 amount) private pure returns (bytes32) {
        return keccak256(abi.encode(from, to, amount));
    }

    /* VIEWS */

    /// @inheritdoc IERC7943Fungible
    function canSend(address account) public view returns (bool) {
        return _permissions[account].canSend;
    }

    /// @inheritdoc IERC7943Fungible
    function canReceive(address account) public view returns (bool) {
        return _permissions[account].canReceive;
    }

    /// @inheritdoc IERC7943Fungible
    function getFrozenTokens(address account) public view returns (uint256) {
        return _frozen[account];
    }

    /// @inheritdoc IERC7943Fungible
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        return canSend(from) && canReceive(to) && (_frozen[from] == 0 || amount <= _unfrozenOf(from));
    }

    function _unfrozenOf(address account) private view returns (uint256) {
        return Math.saturatingSub(balanceOf(account), _frozen[account]);
    }

    /// @inheritdoc IRestrictedPark
    function forcedTransferFrom(address from, address to, uint256 amount) external view returns (uint256) {
        return _executableAt[_idOf(from, to, amount)];
    }

    /// @inheritdoc ISolarPark
    function holdingOf(address holder) external view override(ISolarPark, SolarPark) returns (Holding memory) {
        return
            Holding({
                shares: balanceOf(holder),
                ofShares: totalSupply(),
                votes: getVotes(holder),
                canSend: canSend(holder),
                canReceive: canReceive(holder),
                frozen: getFrozenTokens(holder)
            });
    }

    function _supervisor() internal view override returns (address) {
        return supervisor;
    }

    /// @notice ERC-165: ERC-7943 of fungible tokens.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC7943Fungible).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
