// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that does whatever tokens have done to those who hold them.
contract HostileToken is ERC20 {
    enum Answer {
        Honest,
        Revert,
        /// uses up all gas it is given
        Burn,
        /// says nothing
        Nothing,
        /// says more than there is of anything
        Everything,
        /// says a megabyte
        Bomb,
        /// takes 90,000 gas to say it
        Slow
    }

    Answer public answer;
    /// of a transfer, in hundredths, taken from what arrives
    uint256 public fee;
    mapping(address account => bool) public isBlocked;
    address private _target;
    bytes private _call;
    uint256 private _scale = 100;
    /// whether the call that it made while it was transferred succeeded
    bool public reentered;

    constructor() ERC20("Hostile", "HOST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function behave(Answer answer_) external {
        answer = answer_;
    }

    function take(uint256 fee_) external {
        fee = fee_;
    }

    function block_(address account, bool isBlocked_) external {
        isBlocked[account] = isBlocked_;
    }

    /// Everybody's balance is so many hundredths of what it was.
    function rebase(uint256 scale) external {
        _scale = scale;
    }

    /// Calls `target` whenever it is transferred, before the balances move.
    function reenter(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function balanceOf(address account) public view override returns (uint256) {
        if (answer == Answer.Revert) revert("no answer");
        if (answer == Answer.Burn) while (true) {}
        if (answer == Answer.Everything) return type(uint256).max;
        if (answer == Answer.Nothing)
            assembly {
                return(0, 0)
            }
        if (answer == Answer.Bomb)
            assembly {
                return(0, 1000000)
            }
        if (answer == Answer.Slow) {
            uint256 until = gasleft() - 90_000;
            while (gasleft() > until) {}
        }
        return _scale == 100 ? super.balanceOf(account) : (super.balanceOf(account) * _scale) / 100;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!isBlocked[from] && !isBlocked[to], "blocked");
        if (_target != address(0)) (reentered, ) = _target.call(_call);
        super._update(from, to, amount);
        if (fee != 0 && from != address(0)) super._update(to, address(0), (amount * fee) / 100);
    }
}
